// The outgoing webhooks, as an admin looks after them.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { bot as endpoint } from './fixture/bot.mjs';
import { Daemon } from './fixture/daemon.mjs';

test('what an endpoint was told in vain is listed, told again, and no more once it works', async (t) => {
  let works = false;
  let failed, delivered;
  const inVain = new Promise((resolve) => (failed = resolve));
  const again = new Promise((resolve) => (delivered = resolve));
  const more = await endpoint(t, (event) => {
    (works ? delivered : failed)(event);
    return { status: works ? 204 : 500 };
  });
  const daemon = await Daemon.start(t, {
    more: more.replace('kind = "webhook"', '[[webhooks]]\nname = "crm"\nevents = ["message.*"]'),
  });
  const admin = daemon.client('admin');
  await assert.rejects(daemon.client('agent').webhooks.list().page(), { name: 'ForbiddenError' });

  await daemon.text('+14155550101', 'Hey');
  await inVain;
  let delivery;
  while (!delivery) [delivery] = await admin.webhooks.deliveries('crm', { dead: false }).toArray();
  assert.deepEqual([delivery.event_name, delivery.dead], ['message.created', false]);
  assert.deepEqual(await admin.webhooks.deliveries('crm', { dead: true }).toArray(), []);
  const [webhook] = await admin.webhooks.list().toArray();
  assert.deepEqual(
    [webhook.name, webhook.kind, webhook.events, webhook.disabled],
    ['crm', 'standard', ['message.*'], null],
  );
  assert.ok(webhook.failing_since);

  works = true;
  assert.equal(await admin.webhooks.replay('crm', delivery.event_id), undefined);
  const event = await again;
  assert.equal(event.name, 'message.created');
  assert.equal(await admin.webhooks.enable('crm'), undefined);
  await assert.rejects(admin.webhooks.enable('erp'), { name: 'NotFoundError' });
});
