// Lists: page after page by their links, and no page before it is needed.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { entries } from './fixture/entries.mjs';
import { scripted } from './fixture/scripted.mjs';

const page = (ids, link) => ({ headers: link ? { link } : {}, body: ids.map((id) => ({ id })) });
const next = (path) => `<${path}>; rel="next"`;

for (const [entry, { Client }] of entries) {
  describe(entry, () => {
    test('a list follows its links to the end', async (t) => {
      const { url, calls } = await scripted(t, [
        page(['1', '2'], next('/v1/customers?limit=2&cursor=a')),
        page([], next('/v1/customers?limit=2&cursor=b')),
        page(['3']),
      ]);
      const ids = [];
      for await (const { id } of new Client({ url }).customers.list({ limit: 2 })) ids.push(id);
      assert.deepEqual(ids, ['1', '2', '3']);
      assert.deepEqual(
        calls.map((call) => call.path),
        ['/v1/customers?limit=2', '/v1/customers?limit=2&cursor=a', '/v1/customers?limit=2&cursor=b'],
      );
    });

    test('nothing is asked for before it is needed', async (t) => {
      const { url, calls } = await scripted(t, [page(['1', '2'], next('/v1/sessions?cursor=a'))]);
      const list = new Client({ url }).sessions.inbox();
      assert.equal(calls.length, 0);
      for await (const { id } of list) if (id === '2') break;
      assert.equal(calls.length, 1);
      const again = await scripted(t, [page(['1', '2'], next('/v1/sessions?cursor=a'))]);
      assert.deepEqual(await new Client({ url: again.url }).sessions.inbox().toArray(2), [{ id: '1' }, { id: '2' }]);
      assert.equal(again.calls.length, 1);
    });

    test('a page says how to go on, now and another time', async (t) => {
      const { url, calls } = await scripted(t, [
        page(
          ['1'],
          '</before>; rel="prev", </v1/customers/c/sessions/s/messages?cursor=a%2Bb&limit=1>; title="x"; rel=next',
        ),
        page(['2']),
      ]);
      const first = await new Client({ url }).messages.list('c', 'current', { limit: 1 }).page();
      assert.deepEqual([first.items, first.cursor, first.hasNext], [[{ id: '1' }], 'a+b', true]);
      const second = await first.next();
      assert.deepEqual([[...second], second.cursor, second.hasNext], [[{ id: '2' }], null, false]);
      assert.equal(await second.next(), null);
      assert.equal(calls[1].path, '/v1/customers/c/sessions/s/messages?cursor=a%2Bb&limit=1');
    });

    test('a list can be gone through page by page', async (t) => {
      const { url } = await scripted(t, [page(['1'], next('?cursor=a')), page(['2'])]);
      const sizes = [];
      for await (const each of new Client({ url }).customers.list().pages()) sizes.push(each.items.length);
      assert.deepEqual(sizes, [1, 1]);
    });

    test('below a path of a proxy, links are followed there', async (t) => {
      const { url, calls } = await scripted(t, [
        page(['1'], next('/v1/customers?cursor=a')),
        page(['2'], next('/sms/v1/customers?cursor=b')),
        page([]),
      ]);
      await new Client({ url: `${url}/sms` }).customers.list().toArray();
      assert.deepEqual(
        calls.map((call) => call.path),
        ['/sms/v1/customers', '/sms/v1/customers?cursor=a', '/sms/v1/customers?cursor=b'],
      );
    });

    test('the token is not carried to another host', async (t) => {
      const other = await scripted(t, []);
      const { url } = await scripted(t, [page(['1'], next(`${other.url}/v1/customers?cursor=a`))]);
      const list = new Client({ url, token: 'secret' }).customers.list();
      await assert.rejects(list.toArray(), { name: 'UnexpectedAnswerError' });
      assert.equal(other.calls.length, 0);
    });

    test('what is no list is said to be unexpected', async (t) => {
      const { url } = await scripted(t, [{ body: { items: [] } }]);
      await assert.rejects(new Client({ url }).customers.list().page(), { name: 'UnexpectedAnswerError' });
    });

    test('a link for something else is no next page', async (t) => {
      const { url } = await scripted(t, [page(['1'], '</x>; rel="prev", </y>; rel="nextish"')]);
      assert.equal((await new Client({ url }).customers.list().page()).hasNext, false);
    });
  });
}
