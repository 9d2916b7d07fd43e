// Finding somebody: by name, by number, by whose they are, by tag and topic.

import { expect, test } from '../fixture/test.js';
import { NO_CONVERSATION, status } from '../fixture/guard.js';
import * as at from '../fixture/console.js';

const ADA = '+14155550101';
const KIM = '+14155550102';
const BOB = '+14155550177';

test('customers are found by the beginning of a name and by either end of a number', async ({
  agentAt,
  people,
  guard,
}) => {
  guard.allow(NO_CONVERSATION);
  await people.writer(ADA, 'Ada Lovelace', 'Hello?');
  await people.customer(BOB, 'Bob Moog');
  const agent = await agentAt();
  const found = agent.locator('.search-results a.row');
  const search = agent.getByRole('searchbox', { name: 'Search customers by name or number' });

  await agent.keyboard.press('/');
  await expect(search).toBeFocused();
  await agent.keyboard.type('love');
  await expect(found).toHaveText([/Ada Lovelace/]);
  await expect(agent.getByText('1 customer', { exact: true })).toBeVisible();
  await search.fill('BO');
  await expect(found).toHaveText([/Bob Moog/]);
  await search.fill('0177');
  await expect(found).toHaveText([/Bob Moog/]);
  await search.fill('+1 415 555 01');
  await expect(found).toHaveCount(2);
  await search.fill('nobody');
  await expect(agent.getByText(/^Nobody found\./)).toBeVisible();

  await search.fill('bob');
  await expect(found).toHaveText([/Bob Moog/]);
  await agent.keyboard.press('ArrowDown');
  await agent.keyboard.press('Enter');
  await expect(at.heading(agent)).toHaveText('Bob Moog');
  await expect(search).toHaveValue('');
});

test('Escape leaves the search, and the inbox is there again', async ({ agentAt, people }) => {
  await people.writer(ADA, 'Ada Lovelace', 'Hello?');
  const agent = await agentAt();
  await agent.getByRole('searchbox').fill('zz');
  await expect(at.row(agent, /Ada/)).toBeHidden();
  await agent.keyboard.press('Escape');
  await expect(at.row(agent, /Ada/)).toBeVisible();
});

test('views show whose conversations they say: all, mine, nobody’s, the bot’s', async ({ agentAt, people }) => {
  await people.writer(ADA, 'Ada Lovelace', 'Hello?');
  const kim = await people.writer(KIM, 'Kim Deal', 'Hi');
  const bob = await people.writer(BOB, 'Bob Moog', 'Good morning');
  await people.assign(kim, 'demo-agent');
  await people.update(bob, { need_attention: false });
  const agent = await agentAt();
  const show = (name) => agent.getByRole('group', { name: 'Show' }).getByRole('button', { name });

  await expect(at.rows(agent)).toHaveText([/Ada Lovelace/, /Kim Deal/]);
  await expect(show(/^All/)).toHaveAttribute('aria-pressed', 'true');
  await show(/^Mine/).click();
  await expect(at.rows(agent)).toHaveText([/Kim Deal/]);
  await show(/^Unassigned/).click();
  await expect(at.rows(agent)).toHaveText([/Ada Lovelace/]);
  await show('With the bot').click();
  await expect(at.rows(agent)).toHaveText([/Bob Moog/]);
  await agent.keyboard.press('1');
  await expect(at.rows(agent)).toHaveCount(2);

  // What changes meanwhile moves by itself.
  await show(/^Mine/).click();
  await expect(at.rows(agent)).toHaveCount(1);
  await people.assign(kim, null);
  await expect(agent.getByText('Nothing is assigned to you')).toBeVisible();
});

test('the inbox is filtered by tag and by topic, and cleared again', async ({ agentAt, people }) => {
  const ada = await people.writer(ADA, 'Ada Lovelace', 'Hello?');
  const kim = await people.writer(KIM, 'Kim Deal', 'Hi');
  await people.update(ada, { tags: ['vip'], topics: ['billing'] });
  await people.update(kim, { tags: ['mobile'], topics: ['billing'] });
  const agent = await agentAt();
  await expect(at.rows(agent)).toHaveCount(2);

  await at.button(agent, 'Filter by tag or topic').click();
  await agent.getByLabel('Tag', { exact: true }).fill('vip');
  await agent.keyboard.press('Enter');
  await expect(at.rows(agent)).toHaveText([/Ada Lovelace/]);
  await agent.getByLabel('Topic', { exact: true }).fill('sleep');
  await agent.keyboard.press('Enter');
  await expect(agent.getByText('Nothing with this tag or topic')).toBeVisible();
  await at.button(agent, 'Clear').click();
  await agent.getByLabel('Topic', { exact: true }).fill('billing');
  await agent.keyboard.press('Enter');
  await expect(at.rows(agent)).toHaveCount(2);
});

test('tags and topics are added and removed beside the conversation', async ({ agentAt, people, daemon }) => {
  const ada = await people.writer(ADA, 'Ada Lovelace', 'Hello?');
  const agent = await agentAt();
  await at.openRow(agent, /Ada Lovelace/);
  await agent.getByLabel('Add a tag').fill('vip');
  await agent.keyboard.press('Enter');
  await agent.getByLabel('Add a topic').fill('billing');
  await agent.keyboard.press('Enter');
  await expect(at.row(agent, /Ada Lovelace.*vip/)).toBeVisible();
  const stored = async () => {
    const { tags, topics } = await daemon.call('GET', `/v1/customers/${ada.id}/sessions/current`);
    return [tags, topics];
  };
  await expect.poll(stored).toEqual([['vip'], ['billing']]);
  await at.button(agent, 'Remove tag vip').click();
  await expect.poll(stored).toEqual([[], ['billing']]);
});

test('older messages come as one scrolls up, each once, and new ones do not push the page', async ({
  agentAt,
  people,
}) => {
  const ada = await people.writer(ADA, 'Ada Lovelace');
  const all = Array.from({ length: 130 }, (_, at) => `text ${at + 1}`);
  for (const words of all) await people.text(ADA, words);
  const agent = await agentAt({ path: `/console#/c/${ada.id}` });
  await expect(at.said(agent).last()).toHaveText('text 130');
  const scroller = agent.getByRole('region', { name: 'Messages' });
  await expect(async () => {
    await scroller.evaluate((element) => (element.scrollTop = 0));
    await expect(at.said(agent)).toHaveCount(130, { timeout: 500 });
  }).toPass({ timeout: 15_000 });
  await expect(at.said(agent)).toHaveText(all);

  const top = await scroller.evaluate((element) => (element.scrollTop = 40));
  await people.text(ADA, 'text 131');
  await expect(at.button(agent, 'New messages')).toBeVisible();
  expect(await scroller.evaluate((element) => element.scrollTop)).toBe(top);
  await at.button(agent, 'New messages').click();
  await expect(at.said(agent).last()).toBeInViewport();
});

test('of a customer who is erased nothing stays on the screen', async ({ agentAt, people, daemon, guard }) => {
  guard.allow(status(404));
  const ada = await people.writer(ADA, 'Ada Lovelace', 'my address is here');
  const page = await agentAt();
  await at.openRow(page, /Ada Lovelace/);
  await daemon.call('DELETE', `/v1/customers/${ada.id}`);
  await expect(page.getByText('There is no such customer')).toBeVisible();
  await expect(page.getByText(/Lovelace|my address/)).toHaveCount(0);
  await expect(at.rows(page)).toHaveCount(0);
});
