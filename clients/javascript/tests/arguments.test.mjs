// What a client takes: ids, settings, parameters. What is wrong is said before anything is sent.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { entries } from './fixture/entries.mjs';
import { scripted } from './fixture/scripted.mjs';

for (const [entry, { Client }] of entries) {
  describe(entry, () => {
    test('an id is a string, or an object with one string, and is written into the path as it is', async (t) => {
      const { url, calls } = await scripted(t, [{ body: {} }, { body: {} }]);
      const client = new Client({ url, token: 'secret' });
      const CUSTOMER_ID = 'c/1?';
      const SESSION_ID = 'current';
      await client.messages.create({ CUSTOMER_ID }, { SESSION_ID }, { content: 'Hey', content_type: 'text' });
      await client.customers.retrieve('ä b');
      assert.deepEqual(
        calls.map((call) => `${call.method} ${call.path}`),
        ['POST /v1/customers/c%2F1%3F/sessions/current/messages', 'GET /v1/customers/%C3%A4%20b'],
      );
      assert.deepEqual(calls[0].body, { content: 'Hey', content_type: 'text' });
      assert.equal(calls[0].headers.authorization, 'Bearer secret');
    });

    test('anything else is no id, and the error says what to pass', async () => {
      const client = new Client({ url: 'http://127.0.0.1:8080', token: 'secret' });
      const objects = [{}, { a: 'x', b: 'y' }, { a: 7 }, { a: '' }, ['x'], new Map([['a', 'x']]), () => 'x'];
      const wrong = [undefined, null, '', '.', '..', 7, ...objects];
      for (const id of wrong) {
        await assert.rejects(client.customers.retrieve(id), {
          name: 'TypeError',
          message: /^customerId must be an id: a string, or an object with exactly one property/,
        });
      }
      assert.throws(() => client.messages.list('c', undefined), { name: 'TypeError', message: /^sessionId / });
    });

    test('a forgotten body is said to be missing', async () => {
      const client = new Client({ url: 'http://127.0.0.1:8080', token: 'secret' });
      await assert.rejects(client.messages.create('c', 'current'), { name: 'TypeError', message: /comes an object/ });
      await assert.rejects(client.sessions.update('c', 'current', 'true'), { name: 'TypeError' });
    });

    test('parameters are written as on the wire: lists with commas, what is undefined not at all', async (t) => {
      const { url, calls } = await scripted(t, [{ body: [] }, { body: [] }]);
      const client = new Client({ url });
      const expand = ['customer', 'last_message'];
      await client.sessions
        .inbox({ need_attention: true, tag: undefined, topic: 'skin+hair', assignee: null, expand })
        .page();
      await client.customers.search('ad & co', { limit: 5 }).page();
      assert.deepEqual(
        calls.map((call) => call.path),
        [
          '/v1/sessions?need_attention=true&topic=skin%2Bhair&assignee=none&expand=customer%2Clast_message',
          '/v1/customers?limit=5&query=ad+%26+co',
        ],
      );
      await assert.rejects(client.customers.list({ phone_number: null }).page(), { name: 'TypeError' });
    });

    test('a client without a token sends none, but the headers that it was given', async (t) => {
      const { url, calls } = await scripted(t, [{ body: {} }]);
      const headers = { 'X-Requested-With': 'switchboard-console' };
      const seen = [];
      const watching = (address, init) => {
        seen.push(init.credentials);
        return fetch(address, init);
      };
      await new Client({ url, headers, credentials: 'same-origin', fetch: watching }).me();
      assert.equal(calls[0].headers.authorization, undefined);
      assert.equal(calls[0].headers['x-requested-with'], 'switchboard-console');
      assert.deepEqual(seen, ['same-origin']);
    });

    test('the daemon may be below a path of a proxy', async (t) => {
      const { url, calls } = await scripted(t, [{ body: {} }]);
      await new Client({ url: `${url}/sms/`, token: 'secret' }).me();
      assert.equal(calls[0].path, '/sms/v1/me');
    });

    test('settings that cannot be are refused at once, without the token being told', () => {
      const wrong = [
        [{ token: 'x' }, /url must say/],
        [{ url: 'example.com', token: 'x' }, /url must be a URL/],
        [{ url: 'ftp://example.com' }, /begin with http/],
        [{ url: 'http://me:secret@example.com' }, /without a password/],
        [{ url: 'http://h', token: 'top\nsecret' }, /^token must be a string of visible ASCII characters\.$/],
        [{ url: 'http://h', token: '' }, /token must/],
        [{ url: 'http://h', timeoutMs: '5' }, /timeoutMs must be a number/],
        [{ url: 'http://h', retries: -1 }, /retries must be a number/],
        [{ url: 'http://h', baseURL: 'x' }, /baseURL is no option/],
      ];
      for (const [options, message] of wrong) assert.throws(() => new Client(options), { name: 'TypeError', message });
    });

    test('a token from a file may end with its line', async (t) => {
      const { url, calls } = await scripted(t, [{ body: {} }]);
      await new Client({ url, token: 'secret\n' }).me();
      assert.equal(calls[0].headers.authorization, 'Bearer secret');
    });

    test('any call can be made by its path', async (t) => {
      const { url, calls } = await scripted(t, [{ body: { name: 'desk' } }, { status: 204 }]);
      const client = new Client({ url });
      assert.deepEqual(await client.request('post', '/console/session', { body: { token: 'x' } }), { name: 'desk' });
      assert.equal(await client.request('DELETE', '/console/session', { query: { all: true } }), undefined);
      assert.deepEqual(
        calls.map((call) => `${call.method} ${call.path}`),
        ['POST /console/session', 'DELETE /console/session?all=true'],
      );
    });
  });
}
