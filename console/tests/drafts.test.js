// What was typed is kept for each customer.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createDrafts, memoryStorage } from '../drafts.js';

test('each customer has a draft, and an empty one is none', () => {
  const drafts = createDrafts(memoryStorage());
  drafts.write('a', 'Hello');
  assert.deepEqual([drafts.read('a'), drafts.read('b')], ['Hello', '']);
  drafts.write('a', '');
  assert.equal(drafts.read('a'), '');
});
