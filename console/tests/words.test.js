// Times and waits read the way people say them.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as words from '../words.js';

const [S, MIN, H, DAY] = [1000, 60_000, 3_600_000, 86_400_000];

test('a wait grows from seconds to days, and never shows more than two units', () => {
  const said = [0, 59 * S, MIN, 59 * MIN, H, H + 20 * MIN, 23 * H + 59 * MIN, DAY, 3 * DAY + 5 * H];
  assert.deepEqual(said.map(words.duration), [
    '0 s',
    '59 s',
    '1 min',
    '59 min',
    '1 h',
    '1 h 20 min',
    '23 h 59 min',
    '1 day',
    '3 days',
  ]);
});

test('a wait that lies ahead of our clock is none', () => {
  assert.equal(words.duration(-5 * S), '0 s');
});

test('ears get whole words', () => {
  assert.equal(words.spokenDuration(S), '1 second');
  assert.equal(words.spokenDuration(H + MIN), '1 hour 1 minute');
  assert.equal(words.spokenDuration(2 * H + 20 * MIN), '2 hours 20 minutes');
  assert.equal(words.spokenDuration(2 * DAY), '2 days');
});

test('a wait becomes urgent after five minutes, and late after fifteen', () => {
  assert.deepEqual([0, 5 * MIN - 1, 5 * MIN, 15 * MIN].map(words.urgency), ['calm', 'calm', 'soon', 'late']);
});

test('a customer is called by name, else by number', () => {
  assert.equal(words.nameOf({ first_name: 'Ada', last_name: 'Lovelace' }), 'Ada Lovelace');
  assert.equal(words.nameOf({ first_name: null, last_name: null, phone_number: '+14155550101' }), '+1 415 555 0101');
  assert.equal(words.nameOf({ phone_number: null, unconfirmed_phone_number: '+4930123456' }), '+4930123456');
});

test('days are told by the calendar', () => {
  const now = new Date(2026, 10, 26, 1, 0);
  const at = (...date) => new Date(...date).toISOString();
  assert.equal(words.dayOf(at(2026, 10, 26, 0, 5), now, 'en-GB'), 'Today');
  assert.equal(words.dayOf(at(2026, 10, 25, 23, 0), now, 'en-GB'), 'Yesterday');
  assert.equal(words.dayOf(at(2026, 10, 21, 9, 0), now, 'en-GB'), 'Saturday');
  assert.equal(words.dayOf(at(2026, 9, 1, 9, 0), now, 'en-GB'), '1 October');
  assert.equal(words.dayOf(at(2025, 9, 1, 9, 0), now, 'en-GB'), '1 October 2025');
});

test('reasons of the daemon are put into words, and a bot’s own stand as they are', () => {
  assert.equal(words.reasonOf('bot_unavailable: connection refused'), 'The bot did not answer');
  assert.equal(words.reasonOf('bot_disabled: HTTP 410'), 'The bot is switched off');
  assert.equal(words.reasonOf('Wants to talk about a refund'), 'Wants to talk about a refund');
  assert.equal(words.reasonOf(null), '');
});

test('names are listed as in a sentence', () => {
  assert.equal(words.listed(['Ada', 'Sam', 'Kim']), 'Ada, Sam and Kim');
});
