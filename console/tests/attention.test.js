// An agent is called once for each customer who begins to wait, and not for what they know.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { news, newsInWords } from '../attention.js';

const row = (waiting_since, escalations = 0, reason = 'bot_disabled') => ({
  id: 's',
  customer_id: 'c',
  need_attention: true,
  customer: { first_name: 'Ada' },
  last_message: { content: 'Hello?' },
  attention: { waiting_since, escalations, reason },
});
const rows = (one) => new Map(one ? [['s', one]] : []);
const updated = { name: 'session.updated', data: { id: 's' } };
const wrote = { name: 'message.created', data: { session_id: 's', sender_role: 'end-user', content: 'Anybody?' } };
const kinds = (before, after, events) => news(rows(before), rows(after), events).map(({ kind, body }) => [kind, body]);

test('a session that begins to wait is news, with the last word', () => {
  assert.deepEqual(kinds(null, row('t'), [updated]), [['waits', 'Hello?']]);
  assert.deepEqual(kinds(row(null), row('t'), [updated, wrote]), [['waits', 'Anybody?']]);
});

test('a change of a session that waits already is none, unless it is told again', () => {
  assert.deepEqual(kinds(row('t'), row('t'), [updated]), []);
  assert.deepEqual(kinds(row('t', 0), row('t', 1), [updated]), [['waits', 'Hello?']]);
});

test('what an agent took over is none', () => {
  assert.deepEqual(kinds(null, row('t', 0, null), [updated]), []);
  assert.deepEqual(kinds(row(null, 0, null), row('t', 0, null), [wrote]), [['waits', 'Anybody?']]);
});

test('one more word of who waits already is a lesser one', () => {
  assert.deepEqual(kinds(row('t'), row('t'), [wrote]), [['writes', 'Anybody?']]);
});

test('what an agent writes, and what is gone, is none', () => {
  assert.deepEqual(
    kinds(row('t'), row(null), [{ name: 'message.created', data: { session_id: 's', sender_role: 'agent' } }]),
    [],
  );
  assert.deepEqual(kinds(null, row('t'), [{ name: 'session.updated', data: { id: 's', gone: true } }]), []);
});

test('news are told in a sentence', () => {
  const [waits] = news(rows(null), rows(row('t')), [updated]);
  assert.equal(newsInWords(waits), 'Ada needs attention. Hello?');
  assert.equal(newsInWords({ ...waits, kind: 'writes', body: '' }), 'Ada wrote: an attachment');
});
