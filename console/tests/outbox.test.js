// A text that was sent from here is tried again with its own key, in order, and is never lost or doubled.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { memoryStorage } from '../drafts.js';
import { createOutbox } from '../outbox.js';

const settled = () => new Promise((resolve) => setImmediate(resolve));

function outboxWith(
  answers,
  { storage = memoryStorage(), now = () => 0, keys = ['k1', 'k2', 'k3'], author = 'me' } = {},
) {
  const calls = [];
  const happened = [];
  const timers = [];
  const send = async (customerId, content, key) => {
    calls.push([customerId, content, key]);
    const answer = answers.shift() ?? { id: 'm' };
    if (answer.kind) throw answer;
    return answer;
  };
  const events = {
    changed: () => {},
    sent: (entry) => happened.push(['sent', entry.content]),
    refused: (entry) => happened.push(['refused', entry.content]),
    signedOut: () => happened.push(['signed out']),
  };
  const outbox = createOutbox({
    author,
    send,
    events,
    storage,
    now,
    later: (work, ms) => timers.push([work, ms]),
    newKey: () => keys.shift(),
  });
  return { outbox, calls, happened, timers, storage };
}

test('a broken line is tried again with the same key', async () => {
  const { outbox, calls, happened, timers } = outboxWith([{ kind: 'offline', passing: true, retryAfterMs: null }]);
  outbox.add('c', 'Hey');
  await settled();
  assert.equal(outbox.of('c')[0].state, 'waiting');
  timers[0][0]();
  await settled();
  assert.deepEqual(
    calls.map(([, , key]) => key),
    ['k1', 'k1'],
  );
  assert.deepEqual(happened, [['sent', 'Hey']]);
  assert.deepEqual(outbox.of('c'), []);
});

test('Retry-After is waited for', async () => {
  const { outbox, timers } = outboxWith([{ kind: 'busy', passing: true, retryAfterMs: 7000 }]);
  outbox.add('c', 'Hey');
  await settled();
  assert.equal(timers[0][1], 7000);
});

test('what was written first is sent first, also when the first has to wait', async () => {
  const { outbox, calls, timers } = outboxWith([{ kind: 'offline', passing: true, retryAfterMs: null }]);
  outbox.add('c', 'one');
  outbox.add('c', 'two');
  await settled();
  assert.equal(calls.length, 1);
  timers[0][0]();
  await settled();
  assert.deepEqual(
    calls.map(([, content]) => content),
    ['one', 'one', 'two'],
  );
});

test('a refusal is told once, and the next one goes', async () => {
  const { outbox, happened } = outboxWith([{ kind: 'conflict', passing: false }]);
  outbox.add('c', 'one');
  outbox.add('c', 'two');
  await settled();
  assert.deepEqual(happened, [
    ['refused', 'one'],
    ['sent', 'two'],
  ]);
});

test('signed out, a text waits for the next sign-in', async () => {
  const { outbox, happened, calls } = outboxWith([{ kind: 'signed-out', passing: false }]);
  outbox.add('c', 'Hey');
  await settled();
  assert.deepEqual(happened, [['signed out']]);
  outbox.tryNow();
  await settled();
  assert.equal(calls.length, 2);
  assert.deepEqual(happened.at(-1), ['sent', 'Hey']);
});

test('a reload keeps texts and keys', async () => {
  const { outbox, storage } = outboxWith([{ kind: 'offline', passing: true, retryAfterMs: null }]);
  outbox.add('c', 'Hey');
  await settled();
  const soon = outboxWith([], { storage, now: () => 60_000 });
  soon.outbox.tryNow();
  await settled();
  assert.deepEqual(soon.calls, [['c', 'Hey', 'k1']]);
});

test('who has left sends nothing more, and finds it when they come back', async () => {
  const { outbox, calls, timers, storage } = outboxWith([{ kind: 'offline', passing: true, retryAfterMs: null }]);
  outbox.add('c', 'Hey');
  outbox.add('c', 'Still there?');
  await settled();
  outbox.stop();
  timers[0][0]();
  outbox.tryNow();
  await settled();
  assert.equal(calls.length, 1);
  const back = outboxWith([], { storage });
  back.outbox.tryNow();
  await settled();
  assert.deepEqual(
    back.calls.map(([, content]) => content),
    ['Hey', 'Still there?'],
  );
});

test('the next day a text is not sent on a guess', async () => {
  const { outbox, storage } = outboxWith([{ kind: 'offline', passing: true, retryAfterMs: null }]);
  outbox.add('c', 'Hey');
  await settled();
  const late = outboxWith([], { storage, now: () => 86_400_000 });
  late.outbox.tryNow();
  await settled();
  assert.deepEqual(late.calls, []);
  const [entry] = late.outbox.of('c');
  assert.equal(entry.state, 'stale');
  assert.equal(late.outbox.takeBack(entry.id), 'Hey');
  assert.deepEqual(late.outbox.of('c'), []);
});

test('what somebody else left is not sent in another name', async () => {
  const { outbox, storage } = outboxWith([{ kind: 'offline', passing: true, retryAfterMs: null }]);
  outbox.add('c', 'Hey');
  await settled();
  const next = outboxWith([], { storage, author: 'other' });
  next.outbox.tryNow();
  await settled();
  assert.deepEqual([next.calls, next.outbox.of('c')[0].state], [[], 'stale']);
});
