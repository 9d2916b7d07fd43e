// Messages and what became of them come together whatever the order of pages and events.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { emptyLog, inOrder, progress, timeline, withEvents, withPage } from '../thread-log.js';

const at = (second) => new Date(Date.UTC(2026, 10, 26, 14, 0, second)).toISOString();

function message(id, second, { role = 'agent', author = 'desk', session = 's' } = {}) {
  return {
    id,
    session_id: session,
    content: id,
    content_type: 'text',
    sender_role: role,
    author,
    sent_at: at(second),
    delivered_at: null,
    created_at: at(second),
    updated_at: at(second),
  };
}

const created = (...args) => ({
  name: 'message.created',
  data: { ...message(...args), customer_id: 'c', status: 'queued', error: null },
});

function delivery(status, message_id, second, more = {}) {
  return {
    name: `delivery.${status}`,
    data: { message_id, status, error: null, segments: 1, delivered_at: null, updated_at: at(second), ...more },
  };
}

const only = (log) => inOrder(log)[0];

test('a message goes from one tick to two, each with its time', () => {
  let log = withEvents(emptyLog(), [created('a', 0)]);
  assert.equal(progress(only(log)), 'queued');
  log = withEvents(log, [delivery('sent', 'a', 1)]);
  assert.deepEqual([progress(only(log)), only(log).sentOn], ['sent', at(1)]);
  log = withEvents(log, [delivery('delivered', 'a', 2, { delivered_at: at(2) })]);
  assert.deepEqual([progress(only(log)), only(log).sentOn, only(log).delivered_at], ['delivered', at(1), at(2)]);
});

test('a delivery that overtakes its message is kept for it', () => {
  const log = withEvents(emptyLog(), [
    delivery('sent', 'a', 2),
    delivery('delivered', 'a', 3, { delivered_at: at(3) }),
    created('a', 0),
  ]);
  assert.equal(progress(only(log)), 'delivered');
  assert.equal(only(log).sentOn, at(2));
  assert.equal(only(log).content, 'a');
});

test('an older word about a delivery does not undo a newer one', () => {
  const log = withEvents(emptyLog(), [
    created('a', 0),
    delivery('failed', 'a', 5, { error: { text: 'no' } }),
    delivery('sent', 'a', 3),
  ]);
  assert.equal(progress(only(log)), 'failed');
  assert.equal(only(log).error.text, 'no');
});

test('a page and its events make each message once', () => {
  const page = [
    {
      ...message('b', 1),
      delivery: {
        status: 'sent',
        error: null,
        held_at: null,
        dispatched_at: at(1),
        provider_status_history: [],
        author: 'desk',
      },
      media: [],
    },
  ];
  const log = withEvents(withPage(emptyLog(), page), [created('b', 1), created('a', 0)]);
  assert.deepEqual(
    inOrder(log).map(({ id }) => id),
    ['a', 'b'],
  );
  assert.equal(progress(inOrder(log)[1]), 'sent', 'the created event is not news any more');
  assert.deepEqual(inOrder(log)[1].media, []);
});

test('a held message says so until it is decided', () => {
  let log = withEvents(emptyLog(), [created('a', 0), delivery('held', 'a', 1, { status: 'unknown' })]);
  assert.equal(progress(only(log)), 'held');
  log = withEvents(log, [delivery('queued', 'a', 2)]);
  assert.equal(progress(only(log)), 'queued');
});

test('days and sessions are set apart, and runs of one author are one', () => {
  const log = withPage(emptyLog(), [
    message('a', 0),
    message('b', 10),
    message('c', 20, { role: 'end-user', author: 'customer' }),
    message('d', 30, { session: 't' }),
    message('e', 86_400 * 2, { session: 't' }),
  ]);
  const items = timeline(log, [{ ...message('f', 86_400 * 2 + 1), session_id: null }]);
  assert.deepEqual(
    items.map(({ kind }) => kind),
    ['day', 'message', 'message', 'message', 'session', 'message', 'day', 'message', 'message'],
  );
  const runs = items.filter(({ kind }) => kind === 'message').map(({ first, last }) => [first, last]);
  assert.deepEqual(runs, [
    [true, false],
    [false, true],
    [true, true],
    [true, true],
    [true, false],
    [false, true],
  ]);
});

test('what was erased is gone', () => {
  const log = withEvents(emptyLog(), [created('a', 0), { name: 'message.updated', data: { id: 'a', gone: true } }]);
  assert.deepEqual(inOrder(log), []);
});
