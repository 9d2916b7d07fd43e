// Whatever goes wrong is told in plain words, and by what can be done about it.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { problemOf } from '../problems.js';

const refused = (status, slug, more = {}) => problemOf({ status, slug, retryAfter: null, errors: [], ...more });

test('conflicts say why nothing was done', () => {
  const unsubscribed = refused(409, 'customer-unsubscribed', { detail: 'x' });
  assert.deepEqual(
    [unsubscribed.kind, unsubscribed.words, unsubscribed.passing],
    ['conflict', 'This customer has unsubscribed, so nothing was sent.', false],
  );
  const assigned = refused(409, 'session-assigned', { detail: 'ann has this session' });
  assert.equal(assigned.words, 'ann has this session.');
  assert.equal(refused(409, 'session-assigned').words, 'Somebody else has this conversation.');
});

test('a token that is good no more is a matter of signing in', () => {
  assert.equal(refused(401, 'unauthorized').kind, 'signed-out');
});

test('what passes may be tried again, after as long as was asked for', () => {
  const busy = refused(429, 'too-many-calls', { retryAfter: 7 });
  assert.deepEqual([busy.kind, busy.passing, busy.retryAfterMs], ['busy', true, 7000]);
  assert.equal(refused(503, 'unavailable').passing, true);
  assert.equal(refused(502, null, { detail: 'Bad Gateway' }).passing, true);
});

test('a broken line is told from a wrong call', () => {
  for (const name of ['ConnectionError', 'TimeoutError', 'TypeError']) {
    const { kind, passing } = problemOf(Object.assign(new Error('no'), { name }));
    assert.deepEqual([kind, passing], ['offline', true], name);
  }
  assert.equal(problemOf(new Error('no')).kind, 'other');
});

test('an invalid body says which field', () => {
  const errors = [{ pointer: '/tags/0', detail: 'Too long.' }];
  assert.equal(refused(422, 'invalid-body', { errors }).words, 'Too long.');
});

test('words of the daemon end as sentences, and there are always some', () => {
  assert.equal(refused(400, 'invalid-query', { detail: 'tag is unknown' }).words, 'tag is unknown.');
  assert.equal(problemOf({}).words, 'Something went wrong.');
});
