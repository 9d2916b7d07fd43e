// The inbox stays true by events alone: who stands in it, where, and for how long they have waited.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  emptyList,
  groupOf,
  incomplete,
  ordered,
  PLAIN_VIEW,
  waitingCounts,
  withEvents,
  withKnown,
  withPage,
} from '../inbox-list.js';

const at = (minute) => `2026-11-26T14:${String(minute).padStart(2, '0')}:00.000Z`;

function session(id, { since = null, assignee = null, held = true, last = 0, tags = [] } = {}) {
  return {
    id,
    customer_id: `customer of ${id}`,
    need_attention: held,
    tags,
    topics: [],
    created_at: at(0),
    updated_at: at(last),
    customer: { id: `customer of ${id}`, first_name: id },
    last_message: null,
    attention: { waiting_since: since, assignee, last_message_at: at(last), reason: null },
  };
}

function message(session_id, sender_role, minute, id = `${session_id} ${minute}`) {
  return { name: 'message.created', data: { id, session_id, sender_role, content: 'Hey', created_at: at(minute) } };
}

function listOf(rows, { view = PLAIN_VIEW, next = null } = {}) {
  return withPage(emptyList(view, 'me'), { rows, next });
}

const ids = (list) => ordered(list).map((row) => row.id);

test('who waits longest stands first, then whom agents answered, then whom the bot has', () => {
  const list = listOf([
    session('bot', { held: false, last: 1 }),
    session('answered', { last: 2 }),
    session('late', { since: at(9) }),
    session('early', { since: at(3) }),
  ]);
  assert.deepEqual(ids(list), ['early', 'late', 'answered', 'bot']);
});

test('who waits is told by the session, not guessed from what was written', () => {
  const told = (id, options) => ({ name: 'session.updated', data: session(id, options) });
  let list = listOf([session('a'), session('b', { since: at(1) })]);
  list = withEvents(list, [message('a', 'end-user', 5)]);
  assert.equal(groupOf(list.rows.get('a')), 'answered', 'it may have been STOP');
  list = withEvents(list, [told('a', { since: at(5) })]);
  assert.deepEqual(ids(list), ['b', 'a']);
  list = withEvents(list, [message('b', 'agent', 7), told('b')]);
  assert.equal(groupOf(list.rows.get('b')), 'answered');
  assert.deepEqual(ids(list), ['a', 'b']);
});

test('an event that is older than what is known changes nothing', () => {
  const list = withEvents(listOf([session('a')]), [message('a', 'agent', 5)]);
  assert.equal(withEvents(list, [message('a', 'end-user', 4)]), list);
  const stale = {
    name: 'session.updated',
    data: { ...session('a', { held: false }), updated_at: '2026-11-26T13:00:00.000Z' },
  };
  assert.equal(withEvents(list, [stale]), list);
});

test('a session leaves a view that it does not belong to any more', () => {
  const list = listOf([session('a'), session('b')]);
  const given = { name: 'session.updated', data: session('a', { held: false, last: 3 }) };
  assert.deepEqual(ids(withEvents(list, [given])), ['b']);
});

test('a session that begins to need somebody appears, and what was not told of it is to be found out', () => {
  const { customer: _, ...fresh } = session('new', { since: at(2) });
  let list = withEvents(listOf([]), [{ name: 'session.created', data: fresh }]);
  assert.deepEqual(ids(list), ['new']);
  assert.deepEqual(
    incomplete(list).map((row) => row.id),
    ['new'],
  );
  list = withEvents(list, [{ name: 'customer.updated', data: { id: 'customer of new', first_name: 'Ada' } }]);
  assert.equal(incomplete(list).length, 1, 'its last word is not known');
  list = withKnown(list, 'new', { customer: null, last_message: message('new', 'end-user', 1).data });
  assert.deepEqual(incomplete(list), []);
  assert.equal(list.rows.get('new').customer.first_name, 'Ada');
});

test('what is found out late does not undo what was told meanwhile', () => {
  const told = withEvents(listOf([session('a')]), [message('a', 'end-user', 5)]);
  const list = withKnown(told, 'a', { customer: null, last_message: message('a', 'agent', 4).data, complete: true });
  assert.equal(list.rows.get('a').last_message.sender_role, 'end-user');
});

test('a session without any message is not asked for again and again', () => {
  const list = withKnown(listOf([session('a')]), 'a', { customer: null, last_message: null, complete: true });
  assert.deepEqual(incomplete(list), []);
});

test('mine and unassigned follow the assignee', () => {
  const view = { ...PLAIN_VIEW, who: 'mine' };
  const mine = listOf([session('a', { assignee: 'me' })], { view });
  const taken = { name: 'session.updated', data: session('a', { assignee: 'other', last: 1 }) };
  assert.deepEqual(ids(withEvents(mine, [taken])), []);
  const free = { name: 'session.updated', data: session('b', { assignee: null, last: 1 }) };
  assert.deepEqual(ids(withEvents(mine, [free])), ['a']);
});

test('tags narrow a view', () => {
  const view = { ...PLAIN_VIEW, tag: 'mobile' };
  const list = withEvents(listOf([], { view }), [
    { name: 'session.updated', data: session('a', { tags: ['mobile'] }) },
    { name: 'session.updated', data: session('b') },
  ]);
  assert.deepEqual(ids(list), ['a']);
});

test('what sorts behind the last loaded row comes with its page', () => {
  const list = listOf([session('a', { since: at(1) }), session('b', { since: at(2) })], { next: () => {} });
  const event = (id, since) => ({ name: 'session.updated', data: session(id, { since }) });
  assert.deepEqual(ids(withEvents(list, [event('c', at(3))])), ['a', 'b']);
  assert.deepEqual(ids(withEvents(list, [event('c', at(0))])), ['c', 'a', 'b']);
});

test('who was erased is gone', () => {
  const list = listOf([session('a')]);
  assert.deepEqual(ids(withEvents(list, [{ name: 'customer.erased', data: { id: 'customer of a' } }])), []);
});

test('those who wait are counted for each view', () => {
  const list = listOf(
    [
      session('a', { since: at(1), assignee: 'me' }),
      session('b', { since: at(1) }),
      session('c'),
      session('d', { since: at(2), assignee: 'x' }),
    ],
    { next: () => {} },
  );
  assert.deepEqual(waitingCounts(list), { all: 3, mine: 1, unassigned: 1, more: true });
});

test('a page that repeats a row does not double it', () => {
  const list = listOf([session('a'), session('b')]);
  assert.equal(withPage(list, { rows: [session('b'), session('c')], next: null }).rows.size, 3);
});
