// Which calls are made again, when, and that nothing is done twice by it.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';

import { entries } from './fixture/entries.mjs';
import { hangUp, refusal, scripted } from './fixture/scripted.mjs';

const MESSAGE = { content: 'Hey', content_type: 'text' };
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

for (const [entry, { Client }] of entries) {
  describe(entry, { concurrency: true }, () => {
    const clientOf = (url, more = {}) => new Client({ url, token: 'secret', backoffMs: 1, ...more });

    test('what passes is tried again: 408, 429, 502, 503, 504, a broken line', async (t) => {
      for (const answer of [
        { status: 408 },
        { status: 429 },
        { status: 502 },
        { status: 503 },
        { status: 504 },
        hangUp,
      ]) {
        const { url, calls } = await scripted(t, [answer, { body: { name: 'desk' } }]);
        assert.deepEqual(await clientOf(url).me(), { name: 'desk' });
        assert.equal(calls.length, 2);
      }
    });

    test('what does not pass is not tried again', async (t) => {
      for (const status of [400, 401, 403, 404, 409, 413, 422, 500, 501]) {
        const { url, calls } = await scripted(t, [{ status }]);
        await assert.rejects(clientOf(url).me(), { status });
        assert.equal(calls.length, 1);
      }
    });

    test('a time-out is tried again', async (t) => {
      const { url, calls } = await scripted(t, [() => {}, { body: { name: 'desk' } }]);
      assert.deepEqual(await clientOf(url, { timeoutMs: 300 }).me(), { name: 'desk' });
      assert.equal(calls.length, 2);
    });

    test('the last failure is thrown once the retries are used up', async (t) => {
      const { url, calls } = await scripted(t, [{ status: 502 }, { status: 503 }, { status: 504 }]);
      await assert.rejects(clientOf(url, { retries: 2 }).me(), { name: 'UnavailableError', status: 504 });
      assert.equal(calls.length, 3);
      const once = await scripted(t, [{ status: 503 }]);
      await assert.rejects(clientOf(once.url).me({ retries: 0 }), { status: 503 });
    });

    test('a retry carries the same key, and another call another one', async (t) => {
      const { url, calls } = await scripted(t, [
        hangUp,
        { status: 502 },
        { status: 201, body: {} },
        { status: 201, body: {} },
      ]);
      const client = clientOf(url);
      await client.messages.create('c', 'current', MESSAGE);
      await client.customers.create({ unconfirmed_phone_number: '+14155550101' });
      const keys = calls.map((call) => call.headers['idempotency-key']);
      assert.match(keys[0], UUID);
      assert.deepEqual([keys[1], keys[2]], [keys[0], keys[0]]);
      assert.match(keys[3], UUID);
      assert.notEqual(keys[3], keys[0]);
      assert.deepEqual(
        calls.slice(0, 3).map((call) => call.body),
        [MESSAGE, MESSAGE, MESSAGE],
      );
    });

    test('a key of the caller’s own is used', async (t) => {
      const { url, calls } = await scripted(t, [{ status: 201, body: {} }]);
      await clientOf(url).messages.create('c', 'current', MESSAGE, { idempotencyKey: 'order-7' });
      assert.equal(calls[0].headers['idempotency-key'], 'order-7');
    });

    test('where the daemon looks at no key, none can be given, as the call would be repeated for it', async (t) => {
      const { url, calls } = await scripted(t, [hangUp, { body: {} }]);
      const key = { idempotencyKey: 'order-7' };
      await assert.rejects(clientOf(url).messages.resend('m', key), { name: 'TypeError' });
      assert.equal(calls.length, 0);
      await clientOf(url).request('POST', '/v1/receive/init', { body: {} }, key);
      assert.deepEqual(
        calls.map((call) => call.headers['idempotency-key']),
        ['order-7', 'order-7'],
      );
    });

    test('a call that may have been taken and has no key is not made again', async (t) => {
      for (const answer of [hangUp, { status: 408 }, { status: 502 }, { status: 504 }]) {
        const { url, calls } = await scripted(t, [answer]);
        const client = clientOf(url);
        await assert.rejects(client.tokens.mint({ name: 'desk', role: 'agent' }), { name: /Error$/ });
        assert.equal(calls.length, 1);
        assert.equal(calls[0].headers['idempotency-key'], undefined);
      }
      const { url, calls } = await scripted(t, [hangUp]);
      await assert.rejects(clientOf(url).suggestedMessages.use('s'), { name: 'ConnectionError' });
      assert.equal(calls.length, 1, 'a count is not counted twice');
    });

    test('a call without a key is made again where nothing was taken', async (t) => {
      const { url, calls } = await scripted(t, [
        refusal(429, 'too-many-calls'),
        refusal(503, 'unavailable'),
        { body: {} },
      ]);
      await clientOf(url).messages.resend('m');
      assert.equal(calls.length, 3);
    });

    test('a call without a key is not made again where nobody knows whether it was taken', async (t) => {
      const detail = 'The store failed while it wrote, and nobody knows whether this was taken.';
      const { url, calls } = await scripted(t, [refusal(503, 'unavailable', { detail })]);
      await assert.rejects(clientOf(url).messages.resend('m'), { name: 'UnavailableError' });
      assert.equal(calls.length, 1);
    });

    test('a call without a key is made again where no connection came about', async () => {
      const server = createServer();
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const url = `http://127.0.0.1:${server.address().port}`;
      server.close();
      await once(server, 'close');
      let attempts = 0;
      const counting = (...request) => fetch(...request, (attempts += 1));
      const client = clientOf(url, { fetch: counting, retries: 2 });
      await assert.rejects(client.messages.resend('m'), { name: 'ConnectionError' });
      assert.equal(attempts, 3);
    });

    test('Retry-After is honoured', async (t) => {
      const { url } = await scripted(t, [
        refusal(503, 'unavailable', { headers: { 'retry-after': '1' } }),
        { body: {} },
      ]);
      const began = performance.now();
      await clientOf(url).me();
      assert.ok(performance.now() - began >= 999);
    });

    test('who is to wait for very long hears of it instead', async (t) => {
      const { url, calls } = await scripted(t, [
        refusal(429, 'too-many-calls', { headers: { 'retry-after': '3600' } }),
      ]);
      await assert.rejects(clientOf(url).me(), { name: 'TooManyCallsError', retryAfter: 3600 });
      assert.equal(calls.length, 1);
    });

    test('a signal cuts the wait for a retry short', async (t) => {
      const controller = new AbortController();
      const { url } = await scripted(t, [
        (request, response) => {
          response.writeHead(503, { 'retry-after': '30' }).end();
          response.on('close', () => controller.abort(new Error('enough')));
        },
      ]);
      await assert.rejects(clientOf(url).me({ signal: controller.signal }), { message: 'enough' });
    });

    test('what a lost answer had removed already is removed', async (t) => {
      const { url, calls } = await scripted(t, [hangUp, refusal(404, 'not-found'), refusal(404, 'not-found')]);
      const client = clientOf(url);
      assert.equal(await client.customers.erase('c'), undefined);
      assert.equal(calls.length, 2);
      await assert.rejects(client.customers.erase('c'), { name: 'NotFoundError' });
      const certain = await scripted(t, [refusal(429, 'too-many-calls'), refusal(404, 'not-found')]);
      await assert.rejects(clientOf(certain.url).customers.erase('c'), { name: 'NotFoundError' });
    });

    test('a pause doubles, has chance in it, and has an end', async () => {
      const { default: waiting } = await import('../src/waiting.js');
      for (const [attempt, whole] of [
        [0, 100],
        [1, 200],
        [3, 800],
        [9, 1000],
      ]) {
        const pauses = Array.from({ length: 200 }, () => waiting.backoff(attempt, 100, 1000));
        assert.ok(pauses.every((pause) => pause >= whole / 2 && pause <= whole));
        assert.ok(new Set(pauses).size > 100);
      }
    });
  });
}
