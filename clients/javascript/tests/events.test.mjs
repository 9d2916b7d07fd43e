// Events of the daemon: what happens is heard of once, whatever becomes of the daemon or of the subscription.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { Daemon } from './fixture/daemon.mjs';

/** The contents of all messages of all customers' current sessions. */
async function stored(client) {
  const contents = [];
  for await (const { id } of client.customers.list()) {
    for await (const { content } of client.messages.list(id, 'current')) contents.push(content);
  }
  return contents.sort();
}

/** A subscription that remembers what it heard; `until` resolves with the event that has those words. */
function listener(client, options = {}) {
  const heard = [];
  const waiting = [];
  const events = client.events.subscribe({
    ...options,
    onEvent: (event) => {
      heard.push(event);
      for (const { words, resolve } of waiting) if (event.data.content === words) resolve(event);
    },
  });
  const until = (words) =>
    new Promise((resolve, reject) => {
      const already = heard.find((event) => event.data.content === words);
      if (already) return resolve(already);
      waiting.push({ words, resolve });
      events.done.then(() => reject(new Error(`closed before "${words}"`)), reject);
    });
  return { events, heard, until };
}

describe('a daemon', { concurrency: true }, () => {
  test('a text that comes in is an event', async (t) => {
    const daemon = await Daemon.start(t);
    const events = daemon.client().events.subscribe({ types: ['message.created'] });
    t.after(() => events.close());
    await events.opened;
    await daemon.text('+14155550101', 'Hey');
    const { value } = await events[Symbol.asyncIterator]().next();
    const { id } = await daemon.customer('+14155550101');
    assert.deepEqual([value.name, value.data.content, value.data.sender_role], ['message.created', 'Hey', 'end-user']);
    assert.deepEqual([value.data.customer_id, value.data.author], [id, 'customer']);
    assert.equal(events.lastEventId, value.id);
  });

  test('a daemon that is killed and started again leaves no gap and repeats nothing', async (t) => {
    const daemon = await Daemon.start(t);
    const states = [];
    const { events, heard, until } = listener(daemon.client(), {
      types: ['message.created'],
      onStatus: ({ state }) => states.push(state),
    });
    t.after(() => events.close());
    await events.opened;

    // Texts come in without a pause, and some of them while the daemon dies.
    const text = (count) => daemon.text(`+1415555${1000 + (count % 5)}`, `text ${count}`);
    const writing = Promise.allSettled(Array.from({ length: 30 }, (_, count) => text(count)));
    await until('text 10');
    await daemon.kill();
    await writing;
    await daemon.startAgain();
    await daemon.text('+14155550101', 'between the lives of the line');
    await until('between the lives of the line');
    await daemon.text('+14155550101', 'the last');
    await until('the last');

    const contents = heard.map((event) => event.data.content).sort();
    assert.deepEqual(contents, await stored(daemon.client()));
    assert.equal(new Set(heard.map((event) => event.id)).size, heard.length);
    assert.deepEqual(states, ['connecting', 'open', 'reconnecting', ...states.slice(3)]);
    assert.equal(states.at(-1), 'open');
  });

  test('a subscription goes on where another one ended, in another life of the daemon too', async (t) => {
    const daemon = await Daemon.start(t);
    const first = listener(daemon.client());
    await first.events.opened;
    await daemon.text('+14155550101', 'one');
    await first.until('one');
    first.events.close();
    await first.events.done;
    await daemon.text('+14155550101', 'two');
    await daemon.kill();
    await daemon.startAgain();
    await daemon.text('+14155550101', 'three');

    const { lastEventId } = first.events;
    const second = listener(daemon.client(), { types: ['message.created'], lastEventId });
    t.after(() => second.events.close());
    await second.until('three');
    assert.deepEqual(
      second.heard.map((event) => event.data.content),
      ['two', 'three'],
    );
  });

  test('a subscription hears of what it asked for, and of nothing else', async (t) => {
    const daemon = await Daemon.start(t);
    await daemon.text('+14155550101', 'hello');
    await daemon.text('+14155550102', 'hello');
    const { id } = await daemon.customer('+14155550101');
    const { events, heard, until } = listener(daemon.client(), {
      types: ['message.*'],
      customerId: { CUSTOMER_ID: id },
    });
    t.after(() => events.close());
    await events.opened;
    await daemon.text('+14155550102', 'not for us');
    await daemon.text('+14155550101', 'for us');
    await until('for us');
    assert.deepEqual(
      heard.map(({ name, data }) => `${name} ${data.content}`),
      ['message.created for us'],
    );
  });

  test('others hear that an agent is typing', async (t) => {
    const daemon = await Daemon.start(t);
    await daemon.text('+14155550101', 'Hey');
    const { id } = await daemon.customer('+14155550101');
    const events = daemon.client('counter').events.subscribe({ types: ['session.typing'] });
    t.after(() => events.close());
    await events.opened;
    await daemon.client('agent').sessions.typing(id, 'current', true);
    const { value } = await events[Symbol.asyncIterator]().next();
    assert.deepEqual([value.data.name, value.data.typing, value.data.customer_id], ['desk', true, id]);
  });

  test('a revoked token ends its subscription with the reason', async (t) => {
    const daemon = await Daemon.start(t);
    const admin = daemon.client('admin');
    const { id, secret } = await admin.tokens.mint({ name: 'night', role: 'agent' });
    const events = daemon.client('agent', { token: secret }).events.subscribe();
    await events.opened;
    await admin.tokens.revoke(id);
    await daemon.kill();
    await daemon.startAgain();
    await assert.rejects(events.done, { name: 'UnauthorizedError' });
  });
});
