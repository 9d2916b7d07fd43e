// A new agent finds a waiting customer and answers within three clicks, or without any.

import { expect, HANDHELD, signIn, test } from '../fixture/test.js';
import * as at from '../fixture/console.js';

const ADA = '+14155550101';

test.beforeEach(async ({ people }) => {
  await people.writer(ADA, 'Ada Lovelace', 'Is anybody there?');
});

for (const [name, options] of Object.entries({ 'on a desk': {}, 'on a phone': HANDHELD })) {
  test(`a waiting customer is answered in at most three clicks ${name}`, async ({ agentAt, people }) => {
    const page = await agentAt(options);
    await countClicks(page);
    const press = (target) => (options.hasTouch ? target.tap() : target.click());

    await press(at.row(page, /Ada Lovelace/));
    await expect(at.composer(page)).toBeFocused();
    await page.keyboard.type('Yes. How can I help?');
    await press(at.sendButton(page));

    await expect(at.message(page, 'Yes. How can I help?').locator('.ticks-delivered')).toBeVisible();
    expect(await people.received(ADA, 1)).toEqual(['Yes. How can I help?']);
    expect(await clicks(page)).toBeLessThanOrEqual(3);
  });
}

test('a waiting customer is answered with the keyboard alone, from signing in to delivered', async ({
  open,
  people,
}) => {
  const page = await open('/console');
  await countClicks(page);
  await expect(page.getByLabel('Access token')).toBeFocused();
  await page.keyboard.type('demo-agent');
  await page.keyboard.press('Enter');
  await expect(at.row(page, /Ada Lovelace/)).toBeVisible();

  await tabTo(page, at.row(page, /Ada Lovelace/));
  await page.keyboard.press('Enter');
  await expect(at.composer(page)).toBeFocused();
  await page.keyboard.type('Yes.');
  await tabTo(page, at.sendButton(page));
  await page.keyboard.press('Enter');

  await expect(at.message(page, 'Yes.').locator('.ticks-delivered')).toBeVisible();
  expect(await people.received(ADA, 1)).toEqual(['Yes.']);
  expect(await clicks(page)).toBe(0);
});

test('shortcuts find, open, answer and leave a conversation', async ({ open, people }) => {
  await people.writer('+14155550102', 'Kim Deal', 'Me, too');
  const page = await open('/console');
  await signIn(page, 'demo-agent');
  await expect(at.rows(page)).toHaveCount(2);

  await page.keyboard.press('j');
  await expect(at.row(page, /Ada Lovelace/)).toBeFocused();
  await page.keyboard.press('j');
  await expect(at.row(page, /Kim Deal/)).toBeFocused();
  await page.keyboard.press('k');
  await page.keyboard.press('Enter');
  await expect(at.composer(page)).toBeFocused();

  // Letters are letters where one writes.
  await page.keyboard.type('back at once');
  await expect(at.composer(page)).toHaveValue('back at once');
  await page.keyboard.press('Control+Enter');
  await expect(at.message(page, 'back at once').locator('.ticks-delivered')).toBeVisible();

  await page.keyboard.press('Escape');
  await expect(at.row(page, /Ada Lovelace/)).toBeFocused();
  await page.keyboard.press('r');
  await expect(at.composer(page)).toBeFocused();
  await page.keyboard.press('Escape');
  await page.keyboard.press('a');
  await expect(at.standing(page)).toContainText('Assigned to you');
  await expect(at.composer(page)).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(at.row(page, /Ada Lovelace/)).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('heading', { name: 'Choose a conversation' })).toBeVisible();
});

// Of a button that is pressed by a key, browsers tell a click, too: it has no place on the screen.
async function countClicks(page) {
  await page.evaluate(() => {
    globalThis.clicksSeen = 0;
    addEventListener('pointerup', () => (globalThis.clicksSeen += 1), true);
  });
}

const clicks = (page) => page.evaluate(() => globalThis.clicksSeen);

// As far as there is a way by the Tab key.
async function tabTo(page, target) {
  for (let presses = 0; presses < 40; presses += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  await expect(target).toBeFocused({ timeout: 1 });
}
