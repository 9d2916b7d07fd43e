// The README's pictures: made at every run, and written to docs/images with UPDATE_SCREENSHOTS=1.

import { execFileSync } from 'node:child_process';
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, HANDHELD, holdPhone, signIn, test } from '../fixture/test.js';
import { handsOver, says } from '../fixture/bot.js';
import { standStill } from '../fixture/picture-clock.js';
import * as at from '../fixture/console.js';
import * as phone from '../fixture/phone.js';

const IMAGES = new URL('../../../docs/images', import.meta.url).pathname;
const MOST_BYTES = 250_000;

const ROSA = '+14155550101';
const MISSING = 'Hi! My order says delivered, but there is nothing at my door.';
const THANKS = 'They have it. Thank you so much, Maya!';
const ANSWERS = {
  [MISSING]: handsOver(
    'A parcel is missing',
    'I am sorry to hear that, Rosa. A colleague will look into it right away.',
  ),
  [THANKS]: says('Glad to hear it! Is there anything else we can do for you?'),
  'I was charged twice this month': handsOver(
    'Charged twice',
    'That should not happen. Somebody will check it for you.',
  ),
  'Can I talk to a person?': handsOver('Asks for a person', 'Of course. One moment, please.'),
  'Does it have gluten in it?': handsOver('Does not know', 'Let me ask somebody who knows.'),
  'Where can I change my address?': handsOver('Change of address', 'I will hand you over to somebody who can do that.'),
};

test.use({ settings: { BOT__OBSERVE: 'true' }, bot: { answer: ({ message }) => ANSWERS[message.content] ?? null } });

// An afternoon at a shop's desk. Gives what was said how many minutes ago.
async function afternoon(people) {
  const said = {};
  const waiting = {};
  const [maya, sam] = [await people.agent('maya'), await people.agent('sam')];
  const customer = async (number, name, words, minutes, waited) => {
    const who = await people.writer(number, name, words);
    said[words] = minutes;
    waiting[who.id] = waited ?? minutes;
    for (const { content } of ANSWERS[words]?.messages ?? []) said[content] = minutes;
    if (ANSWERS[words]) await people.received(number, 1);
    return who;
  };
  const reply = async (who, token, words, minutes) => {
    await people.say(who, words, token);
    said[words] = minutes;
    await expect.poll(async () => (await people.received(who.number, 2)).includes(words)).toBe(true);
  };

  await customer('+14155550102', 'Tom Becker', 'I was charged twice this month', 19);
  const rosa = await customer(ROSA, 'Rosa Alvarez', MISSING, 11, 1);
  const priya = await customer('+14155550103', 'Priya Nair', 'Can I talk to a person?', 7);
  const joon = await customer('+14155550104', 'Joon Park', 'Does it have gluten in it?', 9);
  await customer('+447700900123', '', 'Where can I change my address?', 3);

  await people.update(rosa, { tags: ['delivery'], topics: ['order 4711'] });
  await people.assign(rosa, 'maya', maya.secret);
  await reply(
    rosa,
    maya.secret,
    'Hi Rosa, Maya here. The driver left it with a neighbour, at number 12. Could you ask there?',
    4,
  );
  await people.text(ROSA, 'Oh! I will ring their bell.');
  await people.text(ROSA, THANKS);
  Object.assign(said, { 'Oh! I will ring their bell.': 3, [THANKS]: 1 });
  await reply(joon, maya.secret, 'No gluten and no nuts, Joon. Enjoy!', 6);
  await people.assign(priya, 'sam', sam.secret);
  return { said, waiting, maya };
}

test('the console on a desk, in the light and in the dark', async ({ open, people }, info) => {
  const { maya, ...times } = await afternoon(people);
  const page = await open('about:blank', { deviceScaleFactor: 2 });
  await standStill(page.context(), times);
  await page.goto('/console');
  await signIn(page, maya.secret);
  await at.openRow(page, /Rosa Alvarez/);
  await expect(page.getByRole('heading', { name: 'Suggested replies' })).toBeVisible();
  await expect(page.locator('.ticks-delivered')).toHaveCount(2);
  await at.composer(page).fill('You are very welcome, Rosa. Enjoy!');
  await picture(page, 'console-desktop', info);
  await page.emulateMedia({ colorScheme: 'dark' });
  await picture(page, 'console-dark', info);
});

test('the console on a phone', async ({ open, people }, info) => {
  const { maya, ...times } = await afternoon(people);
  const page = await open('about:blank', { ...HANDHELD, deviceScaleFactor: 2 });
  await standStill(page.context(), times);
  await page.goto('/console');
  await signIn(page, maya.secret);
  await expect(at.rows(page)).toHaveCount(5);
  const list = await page.screenshot({ animations: 'disabled' });
  await at.row(page, /Rosa Alvarez/).tap();
  await expect(page.getByRole('heading', { name: 'Suggested replies' })).toBeVisible();
  await page.locator('.thread-scroll').focus();
  const thread = await page.screenshot({ animations: 'disabled' });
  const both = await sideBySide(open, [list, thread]);
  await picture(both, 'console-phone', info);
});

test('the customer’s phone beside the console', async ({ open, people }, info) => {
  const { maya, ...times } = await afternoon(people);
  const customer = await open('about:blank', { deviceScaleFactor: 2, viewport: { width: 420, height: 800 } });
  await standStill(customer.context(), times);
  await customer.goto('/simulator');
  await holdPhone(customer, ROSA);
  await expect(phone.texts(customer).last()).toHaveText(THANKS);
  const agent = await open('about:blank', { deviceScaleFactor: 2, viewport: { width: 1000, height: 800 } });
  await standStill(agent.context(), times);
  await agent.goto('/console');
  await signIn(agent, maya.secret);
  await at.openRow(agent, /Rosa Alvarez/);
  await expect(agent.getByRole('heading', { name: 'Suggested replies' })).toBeVisible();
  const both = [];
  for (const page of [customer, agent]) both.push(await page.screenshot({ animations: 'disabled' }));
  await picture(await sideBySide(open, both), 'two-pages', info);
});

// A page that shows pictures in a row, as they lie on a desk.
async function sideBySide(open, pictures) {
  const page = await open('about:blank', { deviceScaleFactor: 2, viewport: { width: 1600, height: 1000 } });
  await page.evaluate(
    async (sources) => {
      Object.assign(document.documentElement.style, { background: '#e9e7e2' });
      Object.assign(document.body.style, { display: 'inline-flex', gap: '24px', padding: '24px', margin: '0' });
      for (const source of sources) {
        const image = new Image();
        image.src = `data:image/png;base64,${source}`;
        await image.decode();
        Object.assign(image.style, { width: `${image.naturalWidth / 2}px`, borderRadius: '12px' });
        image.style.boxShadow = '0 1px 2px #0002, 0 8px 24px #0002';
        document.body.append(image);
      }
    },
    pictures.map((one) => one.toString('base64')),
  );
  const { width, height } = await page.locator('body').boundingBox();
  await page.setViewportSize({ width: Math.ceil(width), height: Math.ceil(height) });
  return page;
}

async function picture(page, name, info) {
  const update = process.env.UPDATE_SCREENSHOTS === '1';
  const path = update ? join(IMAGES, `${name}.png`) : info.outputPath(`${name}.png`);
  mkdirSync(IMAGES, { recursive: true });
  await page.screenshot({ path, animations: 'disabled', caret: 'hide' });
  if (!update) return;
  // A README should open quickly.
  execFileSync('pngquant', ['--force', '--skip-if-larger', '--speed', '1', '--strip', '--output', path, '128', path]);
  expect(statSync(path).size, `${name}.png is small`).toBeLessThan(MOST_BYTES);
}
