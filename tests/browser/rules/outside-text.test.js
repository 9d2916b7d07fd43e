// What others wrote is text: in no place of no page does it become anything else.

import { expect, test } from '../fixture/test.js';
import * as at from '../fixture/console.js';
import * as phone from '../fixture/phone.js';

const ADA = '+14155550101';
const EVIL = [
  '<img src=x onerror="alert(1)">',
  '<script>alert(2)</script>',
  '"><svg/onload=alert(3)>',
  'javascript:alert(4)',
  '<b>bold</b> &amp; {{7*7}} ${7*7}',
];

test.describe('with suggestions', () => {
  test.use({ settings: { BOT__KIND: 'echo', BOT__OBSERVE: 'true' } });

  test('markup in texts, names, tags and suggestions is shown as it was written, and does nothing', async ({
    agentAt,
    phoneOf,
    people,
  }) => {
    const name = '<img/src=x/onerror=alert(5)> <script>alert(6)</script>';
    const ada = await people.writer(ADA, name, 'hello');
    await people.received(ADA, 1);
    await people.update(ada, { need_attention: true, tags: ['<u>tag</u>'], topics: ['<i>topic</i>'] });
    for (const words of EVIL) await people.text(ADA, words);

    const [agent, customer] = [await agentAt(), await phoneOf(ADA)];
    await expect(at.rows(agent)).toContainText([name]);
    await expect(at.rows(agent)).toContainText([EVIL.at(-1)]);
    await at.rows(agent).first().click();
    await expect(at.heading(agent)).toHaveText(name);
    await expect(at.said(agent)).toHaveText(['hello', 'hello', ...EVIL]);
    await expect(agent.getByRole('button', { name: EVIL.at(-1) })).toBeVisible();
    await expect(agent.getByRole('complementary').getByText('<u>tag</u>')).toBeVisible();
    await expect(agent.getByRole('complementary').getByText('<i>topic</i>')).toBeVisible();
    await expect(phone.texts(customer)).toHaveText(['hello', 'hello', ...EVIL]);

    // Also what arrives while the pages are open, and what is searched for.
    await phone.write(customer, '<iframe src=javascript:alert(8)>');
    await expect(at.said(agent).last()).toHaveText('<iframe src=javascript:alert(8)>');
    await at.reply(agent, '<em>no</em>');
    await expect(phone.received(customer).last()).toHaveText('<em>no</em>');
    await agent.getByRole('searchbox').fill('<img');
    await expect(agent.locator('.search-results a.row')).toContainText(name);
    const made = 'li.message img, li.message script, li.message svg[onload], iframe, .row-name *, .thread-name *';
    await expect(agent.locator(made)).toHaveCount(0);
    await expect(customer.locator('.text img, .text script, .text svg, iframe')).toHaveCount(0);
  });
});

test('an attachment is a link that leads to it in a tab of its own, and nothing is loaded from there', async ({
  agentAt,
  people,
}) => {
  await people.customer(ADA, 'Ada Lovelace');
  await people.text(ADA, 'Look', { media_urls: ['https://media.example/1.jpg', 'https://media.example/2.jpg'] });
  const agent = await agentAt();
  await at.openRow(agent, /Ada Lovelace/);
  const link = at.message(agent, 'Look').getByRole('link').first();
  await expect(link).toHaveAttribute('target', '_blank');
  await expect(link).toHaveAttribute('rel', /noopener/);
  await expect(link).toHaveAttribute('href', /^https?:\/\//);
  await expect(at.message(agent, 'Look').getByRole('link')).toHaveCount(2);
});
