// What refusals and failures become: an exception of its class, whoever refused.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';

import { entries } from './fixture/entries.mjs';
import { hangUp, refusal, scripted } from './fixture/scripted.mjs';

/** Every slug that the daemon has, with the class to catch it by and the classes above. */
const CLASSES = [
  [409, 'already-confirmed', 'AlreadySoError', 'ConflictError'],
  [409, 'already-subscribed', 'AlreadySoError', 'ConflictError'],
  [409, 'already-unsubscribed', 'AlreadySoError', 'ConflictError'],
  [413, 'body-too-large', 'InvalidRequestError'],
  [422, 'confirmation-invalid', 'ConfirmationInvalidError'],
  [409, 'customer-unconfirmed', 'CustomerUnconfirmedError', 'CustomerNotTextedError', 'ConflictError'],
  [409, 'customer-unreachable', 'CustomerUnreachableError', 'CustomerNotTextedError', 'ConflictError'],
  [409, 'customer-unsubscribed', 'CustomerUnsubscribedError', 'CustomerNotTextedError', 'ConflictError'],
  [410, 'events-forgotten', 'EventsForgottenError'],
  [409, 'export-under-way', 'ConflictError'],
  [403, 'forbidden', 'ForbiddenError'],
  [422, 'idempotency-mismatch', 'IdempotencyMismatchError', 'InvalidRequestError'],
  [422, 'invalid-body', 'InvalidBodyError', 'InvalidRequestError'],
  [400, 'invalid-body', 'InvalidBodyError', 'InvalidRequestError'],
  [400, 'invalid-header', 'InvalidRequestError'],
  [400, 'invalid-query', 'InvalidRequestError'],
  [422, 'invalid-webhook', 'ProblemError'],
  [409, 'loop-guard', 'ConflictError'],
  [405, 'method-not-allowed', 'InvalidRequestError'],
  [404, 'no-current-session', 'NoCurrentSessionError', 'NotFoundError'],
  [409, 'no-lane', 'ConflictError'],
  [404, 'not-found', 'NotFoundError'],
  [409, 'not-held', 'ConflictError'],
  [409, 'not-queued', 'ConflictError'],
  [409, 'number-taken', 'NumberTakenError', 'ConflictError'],
  [503, 'provider-unavailable', 'UnavailableError'],
  [409, 'session-assigned', 'SessionAssignedError', 'ConflictError'],
  [409, 'session-held', 'SessionHeldError', 'ConflictError'],
  [409, 'session-not-held', 'SessionNotHeldError', 'ConflictError'],
  [403, 'signature-mismatch', 'ForbiddenError'],
  [403, 'signature-missing', 'ForbiddenError'],
  [409, 'stale-turn', 'StaleTurnError', 'ConflictError'],
  [429, 'too-many-calls', 'TooManyCallsError'],
  [409, 'turn-not-over', 'ConflictError'],
  [401, 'unauthorized', 'UnauthorizedError'],
  [503, 'unavailable', 'UnavailableError'],
  [404, 'unknown-channel', 'NotFoundError'],
  [422, 'unsupported-event', 'ProblemError'],
  [415, 'unsupported-media-type', 'InvalidRequestError'],
];

test('no slug of the daemon is without its class', () => {
  const table = readFileSync(new URL('../../../src/http/problem/kind.rs', import.meta.url), 'utf8');
  const slugs = [...table.matchAll(/^ {4}[A-Z]\w+ [A-Z_]+ "([a-z-]+)" "/gm)].map(([, slug]) => slug);
  assert.ok(slugs.length > 30, 'the table is read');
  assert.deepEqual(
    slugs.filter((slug) => !CLASSES.some(([, known]) => known === slug)),
    [],
  );
});

for (const [entry, { Client, ...named }] of entries) {
  describe(entry, () => {
    /** What a call throws when it is answered like that. */
    async function thrown(t, answer, options = {}) {
      const { url } = await scripted(t, [answer]);
      const client = new Client({ url, token: 'secret', retries: 0, ...options });
      return client.me().then(
        () => assert.fail('nothing was thrown'),
        (error) => error,
      );
    }

    test('a refusal is of the class of its slug, and of the classes above', async (t) => {
      for (const [status, slug, name, ...above] of CLASSES) {
        const error = await thrown(t, refusal(status, slug));
        assert.equal(error.name, name, slug);
        for (const each of [name, ...above, 'ProblemError', 'SwitchboardError'])
          assert.ok(error instanceof named[each], slug);
        assert.deepEqual([error.slug, error.status, error.type], [slug, status, `/problems/${slug}`]);
      }
    });

    test('a refusal has all that the daemon says', async (t) => {
      const errors = [{ pointer: '/content', detail: 'must not be empty' }];
      const headers = { 'x-request-id': '0193', 'retry-after': '7' };
      const error = await thrown(t, refusal(422, 'invalid-body', { title: 'The body is not valid', errors, headers }));
      assert.deepEqual(
        { ...error },
        {
          type: '/problems/invalid-body',
          slug: 'invalid-body',
          title: 'The body is not valid',
          detail: 'In words.',
          errors,
          status: 422,
          requestId: '0193',
          retryAfter: 7,
        },
      );
      assert.equal(error.message, '422 invalid-body: In words. /content: must not be empty');
      assert.match(error.stack, /^InvalidBodyError: 422/);
    });

    test('a slug from the future is of the class of its status', async (t) => {
      assert.equal((await thrown(t, refusal(409, 'moon-is-full'))).name, 'ConflictError');
      assert.equal((await thrown(t, refusal(418, 'teapot'))).name, 'ProblemError');
    });

    test('a proxy that answers in its own way is quoted in short', async (t) => {
      const page = `<html><head><title>502 Bad Gateway</title></head>\n<body>nginx ${'x'.repeat(1000)}</body></html>`;
      const error = await thrown(t, { status: 502, headers: { 'content-type': 'text/html' }, body: page });
      assert.equal(error.name, 'UnavailableError');
      assert.deepEqual([error.type, error.slug, error.title], ['about:blank', null, 'Bad Gateway']);
      assert.match(error.message, /^502 Bad Gateway: 502 Bad Gateway nginx x+$/);
      assert.ok(error.message.length < 300);
      const silent = await thrown(t, { status: 500, body: '' });
      assert.equal(silent.message, '500 Internal Server Error: The answer says nothing more.');
      assert.equal((await thrown(t, { status: 401, body: { message: 'no' } })).name, 'UnauthorizedError');
    });

    test('Retry-After may be a date', async (t) => {
      const at = new Date(Date.now() + 90_000).toUTCString();
      const error = await thrown(t, refusal(503, 'unavailable', { headers: { 'retry-after': at } }));
      assert.ok(error.retryAfter > 80 && error.retryAfter <= 90, String(error.retryAfter));
      const wrong = await thrown(t, refusal(503, 'unavailable', { headers: { 'retry-after': 'soon' } }));
      assert.equal(wrong.retryAfter, null);
    });

    test('a broken line is a ConnectionError with its cause', async (t) => {
      const error = await thrown(t, hangUp);
      assert.equal(error.name, 'ConnectionError');
      assert.ok(error.cause instanceof TypeError);
    });

    test('an answer that breaks off is a ConnectionError, too', async (t) => {
      const error = await thrown(t, (request, response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('{"name":', () => request.socket.destroy());
      });
      assert.equal(error.name, 'ConnectionError');
    });

    test('an answer that does not come is a TimeoutError, which is a ConnectionError', async (t) => {
      const error = await thrown(t, () => {}, { timeoutMs: 20 });
      assert.ok(error instanceof named.TimeoutError && error instanceof named.ConnectionError);
      assert.match(error.message, /within 20 ms/);
    });

    test('a body that does not come in time is a TimeoutError', async (t) => {
      const begun = (request, response) => response.writeHead(200).write('{');
      assert.equal((await thrown(t, begun, { timeoutMs: 50 })).name, 'TimeoutError');
    });

    test('a good answer that is not the daemon’s is said to be unexpected', async (t) => {
      const page = { headers: { 'content-type': 'text/html' }, body: '<h1>Welcome</h1>' };
      assert.equal((await thrown(t, page)).name, 'UnexpectedAnswerError');
      const moved = await thrown(t, { status: 301, headers: { location: '/elsewhere' } });
      assert.equal(moved.name, 'UnexpectedAnswerError');
      assert.match(moved.message, /redirect/);
    });

    test('an aborted call rejects with the reason of its signal', async (t) => {
      const controller = new AbortController();
      const { url } = await scripted(t, [() => controller.abort(new Error('enough'))]);
      const client = new Client({ url });
      await assert.rejects(client.me({ signal: controller.signal }), { message: 'enough' });
      await assert.rejects(client.me({ signal: AbortSignal.abort() }), { name: 'AbortError' });
    });

    test('neither an error nor a client shows its token', async (t) => {
      const { inspect } = await import('node:util');
      const error = await thrown(t, refusal(401, 'unauthorized'), { token: 'top-secret' });
      const client = new Client({ url: 'http://h', token: 'top-secret' });
      for (const shown of [
        inspect(error, { depth: 9, showHidden: true }),
        inspect(client, { depth: 9, showHidden: true }),
      ]) {
        assert.ok(!shown.includes('top-secret'));
      }
    });
  });
}
