// The bot and the agents: who has a conversation, and what the bot proposes while it has none.

import { expect, test } from '../fixture/test.js';
import { handsOver, says } from '../fixture/bot.js';
import * as at from '../fixture/console.js';

const ADA = '+14155550101';

test.describe('a bot that echoes', () => {
  test.use({ settings: { BOT__KIND: 'echo' } });

  test('given back, a conversation is answered by the bot again, and agents cannot write', async ({
    agentAt,
    people,
  }) => {
    const ada = await people.writer(ADA, 'Ada Lovelace', 'hello');
    await people.received(ADA, 1);
    await people.update(ada, { need_attention: true });
    const agent = await agentAt();
    await at.openRow(agent, /Ada Lovelace/);
    await expect(at.composer(agent)).toBeEnabled();

    await at.button(agent, 'Give back to the bot').click();
    await expect(at.standing(agent)).toHaveText('The bot has this conversation');
    await expect(at.notice(agent)).toContainText('The bot has this conversation, and answers by itself.');
    await expect(at.composer(agent)).toBeHidden();
    await expect(agent.getByText('Nobody is waiting')).toBeVisible();

    await people.text(ADA, 'and now?');
    await expect(at.said(agent)).toHaveText(['hello', 'hello', 'and now?', 'and now?']);
    await expect(agent.locator('.message.from-bot .ticks-delivered')).toHaveCount(2);
  });
});

test.describe('a bot that only watches', () => {
  test.use({ settings: { BOT__KIND: 'echo', BOT__OBSERVE: 'true' } });

  test('what was proposed is gone once the customer was answered, also after a reload', async ({ agentAt, people }) => {
    const ada = await people.writer(ADA, 'Ada Lovelace', 'hello');
    await people.received(ADA, 1);
    await people.update(ada, { need_attention: true });
    const agent = await agentAt();
    const proposed = agent.getByRole('heading', { name: 'Suggested replies' });
    await at.openRow(agent, /Ada Lovelace/);
    await people.text(ADA, 'where is it?');
    await expect(proposed).toBeVisible();
    await at.reply(agent, 'here');
    await expect(at.message(agent, 'here').last().locator('.ticks-delivered')).toBeVisible();
    await expect(proposed).toBeHidden();
    await agent.reload();
    await expect(at.message(agent, 'here').last()).toBeVisible();
    await expect(proposed).toBeHidden();
  });

  test('a suggested reply appears, is put into the text, changed and sent, and is counted', async ({
    agentAt,
    people,
    daemon,
  }) => {
    const ada = await people.writer(ADA, 'Ada Lovelace', 'hello');
    await people.received(ADA, 1);
    await people.update(ada, { need_attention: true });
    const agent = await agentAt();
    await at.openRow(agent, /Ada Lovelace/);
    await people.text(ADA, 'where is it?');

    await expect(agent.getByRole('heading', { name: 'Suggested replies' })).toBeVisible();
    await agent.getByRole('button', { name: 'where is it?' }).click();
    await expect(at.composer(agent)).toBeFocused();
    await expect(at.composer(agent)).toHaveValue('where is it?');
    await agent.keyboard.type(' I look.');
    await at.sendButton(agent).click();
    await expect(at.message(agent, 'where is it? I look.').locator('.ticks-delivered')).toBeVisible();

    const path = `/v1/customers/${ada.id}/sessions/current?expand=suggested_messages`;
    const counted = async () => (await daemon.call('GET', path)).suggested_messages.map((one) => one.selected_count);
    await expect.poll(counted).toEqual([1]);
  });
});

test.describe('a bot that asks for help', () => {
  const answer = ({ message: { content } }) =>
    content.includes('refund') ? handsOver('wants a refund', 'A colleague will answer.') : says('Hello!');
  test.use({ bot: { answer } });

  test('a conversation that the bot hands over appears with its reason, and can be answered at once', async ({
    agentAt,
    people,
  }) => {
    const agent = await agentAt();
    await people.writer(ADA, 'Ada Lovelace', 'hi');
    await people.received(ADA, 1);
    await expect(agent.getByText('Nobody is waiting')).toBeVisible();
    await people.text(ADA, 'I want a refund');
    await expect(at.row(agent, /Ada Lovelace.*wants a refund/)).toBeVisible();
    await expect(agent).toHaveTitle(/^\(1\) /);
    await at.openRow(agent, /Ada Lovelace/);
    await expect(at.standing(agent)).toContainText('wants a refund');
    await at.reply(agent, 'Of course');
    await expect(at.message(agent, 'Of course').locator('.ticks-delivered')).toBeVisible();
    await expect(agent).toHaveTitle(/^Ada Lovelace/);
  });
});

test.describe('canned replies', () => {
  test.use({
    settings: {
      CONSOLE__CANNED_REPLIES__0__TITLE: 'Hours',
      CONSOLE__CANNED_REPLIES__0__CONTENT: 'We are here from 9 to 5.',
      CONSOLE__CANNED_REPLIES__1__TITLE: 'Thanks',
      CONSOLE__CANNED_REPLIES__1__CONTENT: 'Thank you for waiting.',
    },
  });

  test('a canned reply is found by a few letters after a slash, and only put where one writes', async ({
    agentAt,
    people,
  }) => {
    await people.writer(ADA, 'Ada Lovelace', 'When are you there?');
    const agent = await agentAt();
    await at.openRow(agent, /Ada Lovelace/);
    await expect(at.composer(agent)).toBeFocused();
    await agent.keyboard.press('/');
    await expect(agent.getByRole('combobox', { name: 'Search canned replies' })).toBeFocused();
    await expect(agent.getByRole('option')).toHaveCount(2);
    await agent.keyboard.type('hou');
    await expect(agent.getByRole('option')).toHaveCount(1);
    await agent.keyboard.press('Enter');
    await expect(at.composer(agent)).toHaveValue('We are here from 9 to 5.');
    await expect(at.composer(agent)).toBeFocused();
    await expect(at.said(agent)).toHaveText(['When are you there?']);
  });
});
