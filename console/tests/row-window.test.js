// However long a list is, what is drawn of it is short, and takes as much room as all of it would.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { windowed } from '../row-window.js';

const items = Array.from({ length: 1000 }, (_, at) => ({ key: `row ${at}` }));
const seen = (options) => windowed(items, { heightOf: () => 10, keep: null, ...options });
const room = (drawn) => drawn.reduce((sum, { gap }) => sum + (gap ?? 10), 0);

test('only what is in sight is drawn, and the gaps keep the height', () => {
  const { items: drawn, height } = seen({ top: 500, bottom: 600 });
  assert.deepEqual(
    drawn.filter(({ gap }) => !gap).map(({ key }) => key),
    Array.from({ length: 10 }, (_, at) => `row ${50 + at}`),
  );
  assert.equal(height, 10_000);
  assert.equal(room(drawn), 10_000);
});

test('at the beginning there is no gap before, at the end none after', () => {
  assert.equal(seen({ top: -100, bottom: 50 }).items[0].key, 'row 0');
  assert.equal(seen({ top: 9_950, bottom: 10_100 }).items.at(-1).key, 'row 999');
});

test('what has the focus stays, wherever it is', () => {
  const { items: drawn } = seen({ top: 5_000, bottom: 5_050, keep: 'row 3' });
  assert.deepEqual(
    drawn.slice(0, 3).map(({ key, gap }) => gap ?? key),
    [30, 'row 3', 4_960],
  );
  assert.equal(room(drawn), 10_000);
});

test('of nothing, nothing is drawn', () => {
  assert.deepEqual(windowed([], { heightOf: () => 10, top: 0, bottom: 100, keep: null }), { items: [], height: 0 });
});
