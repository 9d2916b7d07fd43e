// What an agent sets up for this browser, and the help.

import { expect, test } from '../fixture/test.js';
import * as at from '../fixture/console.js';

const ADA = '+14155550101';

test('the help lists the keys, opens with ?, and gives the focus back', async ({ agentAt }) => {
  const page = await agentAt();
  await page.keyboard.press('?');
  const help = at.dialog(page, 'Keyboard shortcuts');
  await expect(help).toBeVisible();
  for (const words of ['Next conversation in the list', 'Take over from the bot', 'Reply', 'Send'])
    await expect(help.getByText(words, { exact: true })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(help).toBeHidden();
  await at.button(page, 'Keyboard shortcuts').click();
  await expect(help).toBeVisible();
  await help.getByRole('button', { name: 'Close' }).click();
  await expect(at.button(page, 'Keyboard shortcuts')).toBeFocused();
});

test('the look follows the system until one is chosen, and stays chosen over a reload', async ({ agentAt }) => {
  const page = await agentAt({ colorScheme: 'dark' });
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await background();
  await at.button(page, 'Settings').click();
  await page.getByRole('radio', { name: 'Light' }).check({ force: true });
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'light');
  await expect.poll(background).not.toBe(dark);
  const light = await background();
  await page.reload();
  await expect(page.locator('.desk')).toBeVisible();
  expect(await background()).toBe(light);
  await at.button(page, 'Settings').click();
  await page.getByRole('radio', { name: 'As the system' }).check({ force: true });
  await expect(page.locator('html')).not.toHaveAttribute('data-theme');
  await expect.poll(background).toBe(dark);
});

test('settings are kept, and do what they say: Enter sends, and single keys are silent', async ({
  agentAt,
  people,
}) => {
  await people.writer(ADA, 'Ada Lovelace', 'Hello?');
  const page = await agentAt();
  await at.button(page, 'Settings').click();
  await page.getByRole('switch', { name: 'Enter sends' }).click();
  await page.getByRole('switch', { name: 'Single-key shortcuts' }).click();
  await page.keyboard.press('Escape');
  await page.reload();
  await at.openRow(page, /Ada Lovelace/);
  await expect(at.composer(page)).toBeFocused();
  await page.keyboard.type('first line');
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('second line');
  await page.keyboard.press('Enter');
  await expect(at.message(page, 'first line').locator('.ticks-delivered')).toBeVisible();
  expect(await people.received(ADA, 1)).toEqual(['first line\nsecond line']);

  await page.keyboard.press('Escape');
  await expect(at.row(page, /Ada Lovelace/)).toBeFocused();
  await page.keyboard.press('r');
  await expect(at.row(page, /Ada Lovelace/)).toBeFocused();
  await at.button(page, 'Settings').click();
  await expect(page.getByRole('switch', { name: 'Enter sends' })).toBeChecked();
  await expect(page.getByRole('switch', { name: 'Single-key shortcuts' })).not.toBeChecked();
});
