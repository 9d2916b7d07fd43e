// The walk-through of the project's README, through the client.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { BRAND, Daemon } from './fixture/daemon.mjs';

const PHONE = '+14155550101';

/** The first event for which `wanted` is true. */
async function event(events, wanted) {
  const iterator = events[Symbol.asyncIterator]();
  for (;;) {
    const { value } = await iterator.next();
    if (wanted(value)) return value;
  }
}

test('a conversation goes from the customer to the bot, to an agent and back', async (t) => {
  const daemon = await Daemon.start(t, { bot: 'kind = "echo"' });
  const client = daemon.client();
  assert.deepEqual(await client.me(), { name: 'desk', role: 'agent' });
  const events = client.events.subscribe({ types: ['message.created', 'delivery.delivered', 'session.updated'] });
  t.after(() => events.close());
  await events.opened;

  // The customer writes, and the bot answers.
  await daemon.text(PHONE, 'Is anybody there?');
  await event(events, ({ name, data }) => name === 'message.created' && data.sender_role === 'init');
  await daemon.arrived(PHONE, 'Is anybody there?');

  // An agent takes the conversation over.
  const [customer] = await client.customers.list({ phone_number: PHONE }).toArray();
  assert.equal(customer.phone_number, PHONE);
  const changes = { need_attention: true, tags: ['mobile'], topics: ['sleep', 'skin+hair'] };
  const session = await client.sessions.update(customer.id, 'current', changes);
  assert.deepEqual({ ...session, ...changes }, session);
  await event(events, ({ name, data }) => name === 'session.updated' && data.need_attention);

  // The customer writes again, and waits in the inbox.
  await daemon.text(PHONE, 'A human, please');
  const waiting = await client.sessions.inbox({ need_attention: true, expand: ['customer', 'last_message'] }).toArray();
  assert.deepEqual(
    waiting.map(({ id }) => id),
    [session.id],
  );
  assert.equal(waiting[0].last_message.content, 'A human, please');
  assert.equal(waiting[0].customer.phone_number, PHONE);

  // The agent answers.
  const message = await client.messages.create(customer.id, 'current', { content: 'Hey Ho!', content_type: 'text' });
  assert.deepEqual([message.sender_role, message.delivered_at], ['agent', null]);
  await daemon.arrived(PHONE, 'Hey Ho!');
  const { data } = await event(
    events,
    (each) => each.name === 'delivery.delivered' && each.data.message_id === message.id,
  );
  assert.deepEqual([data.status, data.customer_id, data.session_id], ['delivered', customer.id, session.id]);
  const delivered = await client.messages.retrieve(message.id, { expand: ['delivery', 'author'] });
  assert.equal(delivered.delivered_at, data.delivered_at);
  assert.equal(delivered.author, 'desk');
  assert.deepEqual(delivered.delivery, await client.messages.delivery(message.id));
  assert.deepEqual([delivered.delivery.from, delivered.delivery.to], [BRAND, PHONE]);

  // The bot has the conversation again.
  const released = await client.sessions.update(customer.id, 'current', { need_attention: false });
  assert.equal(released.need_attention, false);
  const said = await client.messages.list(customer.id, 'current').toArray();
  const words = ['Is anybody there?', 'Is anybody there?', 'A human, please', 'Hey Ho!'];
  assert.deepEqual(said.map(({ content }) => content).reverse(), words);
});
