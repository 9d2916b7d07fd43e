// One stream for the console: bursts are taken as one, and it comes back unless somebody is signed out.

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

import { createLive } from '../live.js';

const settled = () => new Promise((resolve) => setImmediate(resolve));

function liveWith(t) {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  const streams = [];
  const happened = [];
  const subscribe = (watch) => {
    const stream = { ...watch, closed: false, hurried: 0 };
    stream.opened = new Promise((resolve, reject) => Object.assign(stream, { open: resolve, fail: reject }));
    streams.push(stream);
    return {
      opened: stream.opened,
      close: () => (stream.closed = true),
      reconnect: () => (stream.hurried += 1),
    };
  };
  const live = createLive(subscribe, {
    events: (events) => happened.push(events.map(({ id }) => id).join('')),
    status: (status) => happened.push(status),
    started: () => happened.push('load'),
    signedOut: () => happened.push('signed out'),
  });
  live.start();
  return { live, streams, happened };
}

test('the lists are loaded once the stream stands', async (t) => {
  const { streams, happened } = liveWith(t);
  streams[0].onStatus({ state: 'connecting' });
  assert.deepEqual(happened, ['connecting']);
  streams[0].open();
  await settled();
  assert.deepEqual(happened, ['connecting', 'open', 'load']);
});

test('a burst is one batch, in order', (t) => {
  const { streams, happened } = liveWith(t);
  for (const id of 'abc') streams[0].onEvent({ id });
  assert.deepEqual(happened, []);
  mock.timers.tick(100);
  streams[0].onEvent({ id: 'd' });
  mock.timers.tick(100);
  assert.deepEqual(happened, ['abc', 'd']);
});

test('events that are forgotten mean loading anew', async (t) => {
  const { streams, happened } = liveWith(t);
  await streams[0].onForgotten();
  assert.deepEqual(happened, ['load']);
});

test('a stream that ends for good is begun again, later each time', async (t) => {
  const { streams, happened } = liveWith(t);
  streams[0].onStatus({ state: 'closed', error: { status: 503 } });
  assert.deepEqual(happened, ['reconnecting']);
  mock.timers.tick(2000);
  assert.equal(streams.length, 2);
  streams[1].onStatus({ state: 'closed', error: { status: 503 } });
  mock.timers.tick(2000);
  assert.equal(streams.length, 2);
  mock.timers.tick(2000);
  assert.equal(streams.length, 3);
});

test('who is signed out is told, and nothing is tried again', (t) => {
  const { streams, happened } = liveWith(t);
  streams[0].onStatus({ state: 'closed', error: { status: 401 } });
  mock.timers.tick(100_000);
  assert.deepEqual(happened, ['signed out']);
  assert.equal(streams.length, 1);
});

test('with the network back there is no waiting', (t) => {
  const { live, streams } = liveWith(t);
  live.hurry();
  assert.equal(streams[0].hurried, 1);
  streams[0].onStatus({ state: 'closed', error: { status: 503 } });
  live.hurry();
  assert.equal(streams.length, 2);
});

test('a stopped stream says nothing more', async (t) => {
  const { live, streams, happened } = liveWith(t);
  streams[0].onEvent({ id: 'a' });
  live.stop();
  streams[0].onStatus({ state: 'reconnecting' });
  streams[0].open();
  mock.timers.tick(1000);
  await settled();
  assert.deepEqual(happened, []);
  assert.equal(streams[0].closed, true);
});
