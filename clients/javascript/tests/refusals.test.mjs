// The daemon's refusals, each brought about and caught by its class.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import switchboard from 'switchboard';
import { Daemon } from './fixture/daemon.mjs';

const NOBODY = '018f0000-0000-7000-8000-000000000000';
const TEXT = { content: 'Hey', content_type: 'text' };

/** That the call is refused by exactly that class; returns the error. */
async function refused(call, name, slug) {
  const error = await call.then(
    (answer) => assert.fail(`answered ${JSON.stringify(answer)}`),
    (caught) => caught,
  );
  assert.equal(error.name, name, error.stack);
  assert.ok(error instanceof switchboard[name]);
  if (slug) assert.equal(error.slug, slug);
  assert.match(error.requestId, /^[0-9a-f-]{36}$/);
  assert.ok(error.detail.length > 10);
  return error;
}

describe('a daemon', () => {
  const ends = [];
  let daemon, agent, bot, admin;
  let numbers = 0;

  before(async () => {
    daemon = await Daemon.start({ after: (end) => ends.push(end) }, { bot: 'kind = "echo"' });
    agent = daemon.client('agent');
    bot = daemon.client('bot');
    admin = daemon.client('admin');
  });
  after(() => Promise.all(ends.map((end) => end())));

  const number = () => `+1415555${String((numbers += 1)).padStart(4, '0')}`;
  const created = (more) => agent.customers.create({ unconfirmed_phone_number: number(), ...more });
  /** A customer who has texted. The bot has the session. */
  async function texted() {
    const from = number();
    await daemon.text(from, 'Hey');
    return daemon.customer(from);
  }

  test('UnauthorizedError: a token that is unknown, or none', async () => {
    const stranger = new switchboard.Client({ url: daemon.url, token: 'unknown' });
    await refused(stranger.customers.list().page(), 'UnauthorizedError', 'unauthorized');
    const nobody = new switchboard.Client({ url: daemon.url });
    await refused(nobody.customers.list().page(), 'UnauthorizedError', 'unauthorized');
  });

  test('ForbiddenError: a role that does not include the call', async () => {
    await refused(agent.tokens.mint({ name: 'x', role: 'agent' }), 'ForbiddenError', 'forbidden');
    await refused(bot.customers.create({ unconfirmed_phone_number: number() }), 'ForbiddenError', 'forbidden');
  });

  test('NotFoundError: no such customer, message or channel', async () => {
    await refused(agent.customers.retrieve(NOBODY), 'NotFoundError', 'not-found');
    await refused(agent.messages.delivery(NOBODY), 'NotFoundError', 'not-found');
    await refused(admin.channels.recover('pigeon'), 'NotFoundError', 'unknown-channel');
  });

  test('NoCurrentSessionError: a customer with whom nobody has talked', async () => {
    const { id } = await created({ confirmation: false });
    const error = await refused(
      agent.sessions.update(id, 'current', { need_attention: true }),
      'NoCurrentSessionError',
    );
    assert.ok(error instanceof switchboard.NotFoundError);
  });

  test('SessionNotHeldError and SessionHeldError: who does not have the session does not speak', async () => {
    const { id } = await texted();
    await refused(agent.messages.create(id, 'current', TEXT), 'SessionNotHeldError', 'session-not-held');
    await agent.sessions.update(id, 'current', { need_attention: true });
    const error = await refused(bot.messages.create(id, 'current', TEXT), 'SessionHeldError', 'session-held');
    assert.ok(error instanceof switchboard.ConflictError);
  });

  test('CustomerUnconfirmedError: nobody has proved the number', async () => {
    const { id } = await created();
    await refused(agent.messages.create(id, 'current', TEXT), 'CustomerUnconfirmedError', 'customer-unconfirmed');
  });

  test('CustomerUnsubscribedError: the customer asked not to be texted', async () => {
    const { id } = await texted();
    await agent.sessions.update(id, 'current', { need_attention: true });
    await agent.customers.unsubscribe(id);
    const error = await refused(agent.messages.create(id, 'current', TEXT), 'CustomerUnsubscribedError');
    assert.ok(error instanceof switchboard.CustomerNotTextedError);
  });

  test('AlreadySoError: there is nothing to change', async () => {
    const { id } = await texted();
    await refused(agent.customers.subscribe(id), 'AlreadySoError', 'already-subscribed');
    await refused(agent.customers.generateConfirmation(id), 'AlreadySoError', 'already-confirmed');
    await agent.customers.unsubscribe(id);
    await refused(agent.customers.unsubscribe(id), 'AlreadySoError', 'already-unsubscribed');
    assert.equal(await agent.customers.subscribe(id), undefined);
  });

  test('NumberTakenError: a number belongs to one customer', async () => {
    const customer = await created();
    const again = agent.customers.create({ unconfirmed_phone_number: customer.unconfirmed_phone_number });
    const error = await refused(again, 'NumberTakenError', 'number-taken');
    assert.ok(error.detail.includes(customer.id));
  });

  test('ConfirmationInvalidError: a wrong token', async () => {
    const { id } = await created();
    assert.equal(await agent.customers.generateConfirmation(id), undefined);
    await refused(
      agent.customers.confirm(id, { confirmation_token: 'x' }),
      'ConfirmationInvalidError',
      'confirmation-invalid',
    );
  });

  test('InvalidBodyError: each field is named', async () => {
    const { id } = await created({ confirmation: false });
    const call = agent.messages.create(id, 'current', { content: 7, content_type: 'html', colour: 'red' });
    const { errors } = await refused(call, 'InvalidBodyError', 'invalid-body');
    assert.deepEqual(errors.map(({ pointer }) => pointer).sort(), ['/colour', '/content', '/content_type']);
  });

  test('IdempotencyMismatchError: a key is for one body', async () => {
    const { id } = await created({ confirmation: false });
    const key = { idempotencyKey: 'once' };
    const first = await agent.messages.create(id, 'current', TEXT, key);
    assert.deepEqual(await agent.messages.create(id, 'current', TEXT, key), first);
    const other = agent.messages.create(id, 'current', { ...TEXT, content: 'Ho' }, key);
    await refused(other, 'IdempotencyMismatchError', 'idempotency-mismatch');
  });

  test('InvalidRequestError: parameters that the daemon does not know', async () => {
    await refused(agent.customers.list({ colour: 'red' }).page(), 'InvalidRequestError', 'invalid-query');
    const key = { idempotencyKey: 'a b' };
    await refused(
      agent.customers.create({ unconfirmed_phone_number: number() }, key),
      'InvalidRequestError',
      'invalid-header',
    );
    await refused(agent.request('PUT', '/v1/customers'), 'InvalidRequestError', 'method-not-allowed');
    await refused(
      agent.customers.create({ unconfirmed_phone_number: 'x'.repeat(300_000) }),
      'InvalidRequestError',
      'body-too-large',
    );
  });

  test('ConflictError: a message that is neither queued nor held', async () => {
    const { id } = await created({ confirmation: false });
    const message = await agent.messages.create(id, 'current', TEXT);
    await daemon.arrived((await agent.customers.retrieve(id)).phone_number, 'Hey');
    await refused(agent.messages.cancel(message.id), 'ConflictError', 'not-queued');
    await refused(agent.messages.resend(message.id), 'ConflictError', 'not-held');
  });

  test('SessionAssignedError: one agent at a time has a session', async () => {
    const { id } = await texted();
    const counter = daemon.client('counter');
    await refused(agent.sessions.assign(id, 'current'), 'SessionNotHeldError', 'session-not-held');
    await agent.sessions.update(id, 'current', { need_attention: true });
    await agent.sessions.assign(id, 'current');
    const error = await refused(counter.sessions.assign(id, 'current'), 'SessionAssignedError', 'session-assigned');
    assert.ok(error.detail.includes('desk'));
    await refused(counter.messages.create(id, 'current', TEXT), 'SessionAssignedError', 'session-assigned');
    await counter.sessions.assign(id, 'current', { force: true });
    assert.equal((await counter.messages.create(id, 'current', TEXT)).content, 'Hey');
  });

  test('EventsForgottenError: an event that the log does not have', async () => {
    const events = agent.events.subscribe({ lastEventId: '01890a5d-ac96-7000-8000-00000000002a' });
    await refused(events.done, 'EventsForgottenError', 'events-forgotten');
    const none = agent.events.subscribe({ lastEventId: 'yesterday' });
    await refused(none.done, 'InvalidRequestError');
  });
});

test('TooManyCallsError: it says for how long to wait, and who waits is served', async (t) => {
  const daemon = await Daemon.start(t, { server: 'api_rate = "1/s"' });
  const [client, patient] = [daemon.client('agent', { retries: 0 }), daemon.client('agent')];
  await client.customers.list().page();
  const error = await refused(client.customers.list().page(), 'TooManyCallsError', 'too-many-calls');
  assert.equal(error.retryAfter, 1);
  assert.deepEqual(await patient.customers.list().toArray(), []);
});

test('UnavailableError: a disk without room takes nothing new', async (t) => {
  const daemon = await Daemon.start(t, { store: 'min_free = "9000000GB"', ready: false });
  const client = daemon.client('agent', { retries: 0 });
  const error = await refused(
    client.customers.create({ unconfirmed_phone_number: '+14155550101' }),
    'UnavailableError',
    'unavailable',
  );
  assert.ok(error.retryAfter > 0);
});
