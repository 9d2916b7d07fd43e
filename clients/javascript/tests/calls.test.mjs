// The client's promises about single calls, against the daemon: nothing twice, lists whole, and each call where it is.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Daemon } from './fixture/daemon.mjs';

const TEXT = { content: 'Hey', content_type: 'text' };

describe('a daemon', () => {
  const ends = [];
  let daemon, agent, admin;
  let numbers = 0;

  before(async () => {
    const more = '[[console.canned_replies]]\ntitle = "Opening hours"\ncontent = "We are open from 9 to 5."';
    daemon = await Daemon.start({ after: (end) => ends.push(end) }, { more });
    agent = daemon.client('agent');
    admin = daemon.client('admin');
  });
  after(() => Promise.all(ends.map((end) => end())));

  const number = () => `+1415555${String((numbers += 1)).padStart(4, '0')}`;
  const created = (more) => agent.customers.create({ unconfirmed_phone_number: number(), ...more });

  /** A client each of whose calls loses its first answer: the daemon has taken it, and the client does not know. */
  function losing(who = 'agent') {
    const lost = new Set();
    return daemon.client(who, {
      backoffMs: 1,
      fetch: async (url, init) => {
        const answer = await fetch(url, init);
        if (lost.has(url)) return answer;
        lost.add(url);
        await answer.text();
        throw new TypeError('fetch failed');
      },
    });
  }

  test('a message whose answer was lost is created once', async () => {
    const { id } = await created({ confirmation: false });
    const message = await losing().messages.create(id, 'current', TEXT);
    const all = await agent.messages.list(id, 'current').toArray();
    assert.deepEqual(
      all.map((each) => each.id),
      [message.id],
    );
  });

  test('a customer whose answer was lost is created once', async () => {
    const phone = number();
    const customer = await losing().customers.create({ unconfirmed_phone_number: phone });
    const [found] = await agent.customers.list({ phone_number: phone }).toArray();
    assert.equal(found.id, customer.id);
  });

  test('a customer whose erasure was not heard of is erased', async () => {
    const { id } = await created();
    assert.equal(await losing('admin').customers.erase(id), undefined);
    await assert.rejects(admin.customers.retrieve(id), { name: 'NotFoundError' });
  });

  test('a list has each item once, over all of its pages', async () => {
    const { id } = await created({ confirmation: false });
    for (let count = 0; count < 7; count += 1)
      await agent.messages.create(id, 'current', { ...TEXT, content: `${count}` });
    const sizes = [];
    for await (const page of agent.messages.list(id, 'current', { limit: 3 }).pages()) sizes.push(page.items.length);
    assert.deepEqual(sizes, [3, 3, 1]);
    const all = await agent.messages.list(id, 'current', { limit: 2, expand: 'author' }).toArray();
    assert.deepEqual(
      all.map(({ content }) => content),
      ['6', '5', '4', '3', '2', '1', '0'],
    );
    assert.equal(all[6].author, 'desk');
    const first = await agent.messages.list(id, 'current', { limit: 5 }).page();
    const rest = await agent.messages.list(id, 'current', { limit: 5, cursor: first.cursor }).toArray();
    assert.deepEqual(
      rest.map(({ content }) => content),
      ['1', '0'],
    );
  });

  test('a customer is created, updated, found, confirmed, unsubscribed, subscribed and erased', async () => {
    const { id } = await created({ first_name: 'Ada', time_zone: 'Europe/London' });
    assert.equal((await agent.customers.update(id, { last_name: 'Lovelace', first_name: null })).last_name, 'Lovelace');
    const { first_name: first, time_zone: zone } = await agent.customers.retrieve(id);
    assert.deepEqual([first, zone], [null, 'Europe/London']);
    const found = await agent.customers.search('lovel').toArray();
    assert.deepEqual(
      found.map((customer) => customer.id),
      [id],
    );

    const events = admin.events.subscribe({ types: ['customer.verification'], customerId: id });
    await events.opened;
    await agent.customers.generateConfirmation(id);
    await agent.customers.sendConfirmation(id);
    let token;
    for await (const { data } of events) if ((token = data.confirmation_token)) break;
    assert.ok((await agent.customers.confirm(id, { confirmation_token: token })).confirmed_at);

    await agent.customers.unsubscribe(id);
    assert.equal((await agent.customers.retrieve(id)).unsubscribed, true);
    await agent.customers.subscribe(id);
    await admin.customers.erase(id);
    await assert.rejects(agent.customers.retrieve(id), { name: 'NotFoundError' });
  });

  test('a session is assigned, found by who has it, and given up', async () => {
    const { id } = await created({ confirmation: false });
    await agent.messages.create(id, 'current', TEXT);
    const session = await agent.sessions.assign(id, 'current');
    const mine = async (assignee) => {
      const sessions = await agent.sessions.inbox({ assignee, expand: 'attention' }).toArray();
      return sessions.find((each) => each.id === session.id)?.attention.assignee;
    };
    assert.equal(await mine('me'), 'desk');
    assert.equal(await mine(null), undefined);
    await agent.sessions.assign(id, 'current', { assignee: null });
    assert.equal(await mine(null), null);
    const listed = await agent.sessions.list(id).toArray();
    assert.deepEqual(
      listed.map((each) => each.id),
      [session.id],
    );
    const { messages } = await agent.sessions.retrieve({ id }, session.id, { expand: ['messages'] });
    assert.deepEqual(
      messages.map(({ content }) => content),
      ['Hey'],
    );
  });

  test('tokens are minted, good, listed and revoked', async () => {
    const { id, secret } = await admin.tokens.mint({ name: 'night', role: 'agent' });
    const night = daemon.client('agent', { token: secret });
    assert.deepEqual(await night.me(), { name: 'night', role: 'agent' });
    await admin.tokens.revoke(id);
    const [token] = (await admin.tokens.list().toArray()).filter((each) => each.id === id);
    assert.ok(token.revoked_at);
    await assert.rejects(night.me(), { name: 'UnauthorizedError' });
  });

  test('what is held, canned, failed and set up can be looked at', async () => {
    assert.deepEqual(await agent.messages.listHeld().toArray(), []);
    assert.deepEqual(await agent.bot.turns().toArray(), []);
    assert.equal((await agent.bot.status()).disabled, null);
    assert.deepEqual(await admin.webhooks.list().toArray(), []);
    const canned = [{ title: 'Opening hours', content: 'We are open from 9 to 5.' }];
    assert.deepEqual(await agent.cannedReplies.list().toArray(), canned);
    const { recovered } = await admin.channels.recover('main');
    assert.equal(recovered, 0);
  });
});
