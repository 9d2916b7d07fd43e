// A link to a conversation opens it; anything else is the inbox.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { customerOf, hashOf } from '../route.js';

const ID = '01a2183b-49bc-72e2-99fd-2b21ea2dab24';

test('an address names its customer, and a customer has an address', () => {
  assert.equal(customerOf(`#/c/${ID}`), ID);
  assert.equal(customerOf(hashOf(ID.toUpperCase())), ID);
  for (const hash of ['', '#/', '#/c/', `#/c/${ID}/x`, '#/c/../../etc', hashOf(null)])
    assert.equal(customerOf(hash), null);
});
