// What events told is known without asking, but not for ever, and not of whom is erased.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createHeard } from '../heard.js';

const customer = (id) => ({ name: 'customer.created', data: { id } });
const message = (session_id, id) => ({ name: 'message.created', data: { session_id, id } });
const row = (id) => ({ id, customer_id: `c${id}` });

test('a customer and the last word are remembered', () => {
  const heard = createHeard();
  heard.take([customer('c1'), message('1', 'a'), message('1', 'b')]);
  assert.deepEqual(heard.about(row('1')), { customer: { id: 'c1' }, last_message: { session_id: '1', id: 'b' } });
  assert.deepEqual(heard.about(row('2')), { customer: null, last_message: null });
});

test('the oldest are forgotten first', () => {
  const heard = createHeard(2);
  heard.take([customer('c1'), customer('c2'), customer('c1'), customer('c3')]);
  assert.deepEqual(
    ['1', '2', '3'].map((id) => heard.about(row(id)).customer !== null),
    [true, false, true],
  );
});

test('of whom is erased nothing is known', () => {
  const heard = createHeard();
  heard.take([customer('c1'), { name: 'customer.erased', data: { id: 'c1' } }]);
  assert.equal(heard.about(row('1')).customer, null);
});
