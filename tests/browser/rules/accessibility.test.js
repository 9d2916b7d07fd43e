// In every state and in both looks, axe finds nothing that would keep somebody from using the pages.

import { expect, HANDHELD, test } from '../fixture/test.js';
import { expectAccessibleInBothLooks as expectAccessible } from '../fixture/axe.js';
import { status } from '../fixture/guard.js';
import * as at from '../fixture/console.js';
import * as phone from '../fixture/phone.js';

const ADA = '+14155550101';
const KIM = '+14155550102';
const BOB = '+14155530003';

test.use({
  settings: {
    BOT__KIND: 'echo',
    BOT__OBSERVE: 'true',
    CONSOLE__CANNED_REPLIES__0__TITLE: 'Hours',
    CONSOLE__CANNED_REPLIES__0__CONTENT: 'We are here from 9 to 5.',
  },
});

// Somebody who waits, with tags and a suggestion; somebody whom another agent has; and one with the bot.
async function populate(people) {
  const ada = await people.writer(ADA, 'Ada Lovelace', 'hello');
  const kim = await people.writer(KIM, 'Kim Deal', 'hi');
  await people.writer(BOB, 'Bob Moog', 'good morning');
  for (const number of [ADA, KIM]) await people.received(number, 1);
  await people.update(ada, { need_attention: true, tags: ['vip', 'mobile'], topics: ['billing'] });
  await people.update(kim, { need_attention: true });
  await people.assign(kim, 'demo-admin');
  await people.text(ADA, 'My parcel is lost');
  await people.text(KIM, 'And mine');
  return { ada, kim };
}

test('axe finds nothing at the way in, refused or not, on a desk and on a phone', async ({ open, guard }) => {
  guard.allow(status(401));
  for (const [where, options] of Object.entries({ desk: {}, phone: HANDHELD })) {
    const page = await open('/console', options);
    await expectAccessible(page, `signing in, ${where}`);
    await page.getByLabel('Access token').fill('wrong');
    await page.keyboard.press('Enter');
    await expect(page.getByRole('alert')).toHaveText(/unknown/);
    await expectAccessible(page, `refused, ${where}`);
  }
});

test('axe finds nothing in the inbox: empty, full, filtered and searched', async ({ agentAt, people }) => {
  const page = await agentAt();
  await expect(page.getByText('Nobody is waiting')).toBeVisible();
  await expectAccessible(page, 'empty inbox');
  await populate(people);
  await expect(at.rows(page)).toHaveCount(2);
  await expectAccessible(page, 'inbox');
  await at.button(page, 'Filter by tag or topic').click();
  await page.getByLabel('Tag', { exact: true }).fill('vip');
  await page.keyboard.press('Enter');
  await expect(at.rows(page)).toHaveCount(1);
  await expectAccessible(page, 'filtered inbox');
  await page.getByRole('searchbox').fill('ada');
  await expect(page.locator('.search-results a.row')).toHaveCount(1);
  await expectAccessible(page, 'search results');
  await page.getByRole('searchbox').fill('zzz');
  await expect(page.getByText(/^Nobody found/)).toBeVisible();
  await expectAccessible(page, 'nobody found');
});

test('axe finds nothing in a conversation: held, another’s, the bot’s, failed, unsubscribed', async ({
  agentAt,
  people,
}) => {
  await populate(people);
  const page = await agentAt();
  await at.openRow(page, /Ada Lovelace/);
  await expect(page.getByRole('heading', { name: 'Suggested replies' })).toBeVisible();
  await at.reply(page, 'We look for it');
  await expect(at.message(page, 'We look for it').locator('.ticks-delivered')).toBeVisible();
  await at.composer(page).fill(`${'a'.repeat(100)} it’s`);
  await expectAccessible(page, 'conversation, with a text that is dear');
  await at.openRow(page, /Kim Deal/);
  await expect(at.notice(page)).toContainText('demo-admin has this conversation');
  await expectAccessible(page, 'another agent’s conversation');
  await at.button(page, 'With the bot').click();
  await at.openRow(page, /Bob Moog/);
  await expect(at.notice(page)).toContainText('The bot has this conversation');
  await expectAccessible(page, 'the bot’s conversation');
  await at.button(page, 'Take over').click();
  await at.reply(page, 'Sorry for the wait');
  await expect(at.message(page, 'Sorry for the wait').locator('.message-trouble')).toBeVisible();
  await expectAccessible(page, 'conversation with a text that failed');
  await people.text(BOB, 'STOP');
  await expect(at.notice(page)).toContainText('has unsubscribed');
  await expectAccessible(page, 'unsubscribed customer');
});

test('axe finds nothing in dialogs and settings', async ({ agentAt, people }) => {
  await populate(people);
  const page = await agentAt();
  await at.openRow(page, /Kim Deal/);
  await at.button(page, 'Take it from demo-admin').click();
  await expect(at.dialog(page, 'Take it from demo-admin?')).toBeVisible();
  await expectAccessible(page, 'question');
  await page.keyboard.press('Escape');
  await at.button(page, 'Settings').click();
  await expectAccessible(page, 'settings');
  await page.keyboard.press('Escape');
  await at.button(page, 'Keyboard shortcuts').click();
  await expectAccessible(page, 'help');
  await page.keyboard.press('Escape');
  await at.openRow(page, /Ada Lovelace/);
  await at.button(page, 'Canned replies').click();
  await expect(page.getByRole('option')).toHaveCount(1);
  await expectAccessible(page, 'canned replies');
});

test('axe finds nothing on a phone: the list, a conversation, its details, settings', async ({ agentAt, people }) => {
  await populate(people);
  const page = await agentAt(HANDHELD);
  await expect(at.rows(page)).toHaveCount(2);
  await expectAccessible(page, 'list on a phone');
  await at.row(page, /Ada Lovelace/).tap();
  await expect(at.composer(page)).toBeFocused();
  await expectAccessible(page, 'conversation on a phone');
  await at.button(page, 'Customer details').tap();
  await expect(at.dialog(page, 'Customer details')).toBeVisible();
  await expectAccessible(page, 'details on a phone');
  await page.keyboard.press('Escape');
  await at.button(page, 'Back to the inbox').tap();
  await at.button(page, 'Settings').tap();
  await expectAccessible(page, 'settings on a phone');
});

test('axe finds nothing while the line is broken', async ({ agentAt, people, line, guard }) => {
  guard.allow(/net::ERR_/);
  await populate(people);
  const page = await agentAt({ baseURL: line.url });
  await at.openRow(page, /Ada Lovelace/);
  line.cut();
  await expect(page.getByText('Reconnecting… What you type is kept.')).toBeVisible();
  await at.reply(page, 'Later');
  await expect(at.message(page, 'Later')).toContainText('It is tried again by itself.');
  await expectAccessible(page, 'no line');
});

test('axe finds nothing on the customer’s phone: texts, a refused number, the question', async ({
  open,
  phoneOf,
  people,
}) => {
  const fresh = await open('/simulator');
  await expect(fresh.getByText('No texts yet.')).toBeVisible();
  await expectAccessible(fresh, 'a new phone');
  await populate(people);
  for (const [where, options] of Object.entries({ desk: {}, phone: HANDHELD })) {
    const page = await phoneOf(ADA, options);
    await at.button(page, 'STOP').click();
    await expect(phone.received(page).last()).toContainText('You will get no more texts');
    await page.getByLabel('Another phone').fill('123');
    await at.button(page, 'Add').click();
    await expect(page.getByText(/Write \+ and the country code/)).toBeVisible();
    await expectAccessible(page, `texts, ${where}`);
    await at.button(page, 'Forget all texts and faults').click();
    await expectAccessible(page, `question, ${where}`);
    await at.button(page, 'Cancel').click();
  }
});
