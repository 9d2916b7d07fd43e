// The composer counts as the daemon does: both are held to the same fixture.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { plain } from '../plain-characters.js';
import { costly, count, septets } from '../segments.js';

const fixture = JSON.parse(readFileSync(new URL('../../tests/fixtures/segments.json', import.meta.url), 'utf8'));

function counted(text) {
  const { encoding, units, segments } = count(text);
  return [encoding, units, segments];
}

test('the alphabet is the calculator’s for every code point of the basic plane', () => {
  const [basic, extension] = [new Set(fixture.basic), new Set(fixture.extension)];
  for (let code = 0; code <= 0xffff; code += 1) {
    const expected = basic.has(code) ? 1 : extension.has(code) ? 2 : 0;
    assert.equal(septets(String.fromCharCode(code)), expected, `U+${code.toString(16)}`);
  }
});

test('every text of the fixture counts as it says', () => {
  assert.ok(fixture.texts.length >= 400, 'the fixture has lost rows');
  for (const { pieces, encoding, units, segments } of fixture.texts) {
    const text = pieces.map(([piece, times]) => piece.repeat(times)).join('');
    assert.deepEqual(counted(text), [encoding, units, segments], JSON.stringify(pieces));
  }
});

test('an escape pair is not split over parts', () => {
  assert.deepEqual(counted(`${'a'.repeat(152)}€${'a'.repeat(152)}`), ['GSM-7', 306, 3]);
});

test('a surrogate pair is not split over parts', () => {
  assert.deepEqual(counted(`${'中'.repeat(66)}😀${'中'.repeat(66)}`), ['UCS-2', 134, 3]);
});

test('what is left is the room in the last segment', () => {
  assert.equal(count('').left, 160);
  assert.equal(count('a'.repeat(160)).left, 0);
  assert.equal(count('a'.repeat(161)).left, 145);
  assert.equal(count('中'.repeat(69)).left, 1);
});

test('the characters that cost are named once each', () => {
  assert.deepEqual(costly('it’s “so” 😀😀 ok’'), ['’', '“', '”', '😀']);
  assert.deepEqual(costly('plain'), []);
});

test('plain characters bring a text back to the cheap alphabet', () => {
  assert.equal(plain('it’s “so” – well…'), 'it\'s "so" - well...');
  assert.equal(count(plain('it’s “so” – well…')).encoding, 'GSM-7');
  assert.equal(plain('naïve 😀'), 'naïve 😀');
});
