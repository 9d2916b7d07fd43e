// The composer is open exactly when the daemon would take the text.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { mayWrite } from '../may-write.js';

const customer = { phone_number: '+14155550101', confirmed_at: '2026-11-26T14:00:00.000Z', unsubscribed: false };
const held = (assignee = null) => ({ need_attention: true, attention: { assignee } });
const asked = (state) => mayWrite({ customer, session: held(), loading: false, missing: false, ...state }, 'me');

test('a held session that is nobody’s or one’s own is open', () => {
  assert.equal(asked({}).open, true);
  assert.equal(asked({ session: held('me') }).open, true);
});

test('the bot’s session asks to be taken over, another agent’s to be taken', () => {
  assert.deepEqual(
    [asked({ session: { need_attention: false } }).open, asked({ session: { need_attention: false } }).action],
    [false, 'takeOver'],
  );
  const other = asked({ session: held('Sam') });
  assert.deepEqual([other.open, other.action, other.words], [false, 'assign', 'Sam has this conversation.']);
});

test('nobody unsubscribed or unconfirmed is texted, whoever has the session', () => {
  assert.equal(asked({ customer: { ...customer, unsubscribed: true } }).kind, 'unsubscribed');
  assert.equal(asked({ customer: { ...customer, confirmed_at: null, phone_number: null } }).kind, 'unconfirmed');
});

test('with no session a text starts one', () => {
  assert.deepEqual([asked({ session: null }).open, asked({ session: null }).kind], [true, 'over']);
});

test('what is not known yet is shut', () => {
  assert.equal(asked({ customer: null }).open, false);
  assert.equal(asked({ missing: true }).kind, 'missing');
});
