// Two agents look at one customer: each sees at once what the other does, and only one of them writes.

import { expect, test } from '../fixture/test.js';
import * as at from '../fixture/console.js';

const ADA = '+14155550101';

test.beforeEach(async ({ people }) => {
  await people.writer(ADA, 'Ada Lovelace', 'My parcel is lost');
});

test('another agent sees the new text, who types, who has it, and what was answered, as it happens', async ({
  agentAt,
  people,
}) => {
  const { secret } = await people.agent('kim');
  const [first, second] = [await agentAt(), await agentAt({ token: secret })];
  await at.openRow(first, /Ada Lovelace/);
  await at.openRow(second, /Ada Lovelace/);

  await people.text(ADA, 'Order 4711');
  for (const page of [first, second]) await expect(at.said(page)).toHaveText(['My parcel is lost', 'Order 4711']);

  await at.composer(first).pressSequentially('I am looking');
  await expect(second.getByText('demo-agent is typing…')).toBeVisible();
  await expect(first.getByText(/is typing…/)).toHaveCount(0);

  await at.button(first, 'Assign to me').click();
  await expect(at.standing(first)).toContainText('Assigned to you');
  await expect(at.standing(second)).toContainText('Assigned to demo-agent');

  await at.sendButton(first).click();
  await expect(at.message(second, 'I am looking').locator('.ticks-delivered')).toBeVisible();
  await expect(at.message(second, 'I am looking').locator('.message-author')).toHaveText('demo-agent');
  await expect(at.message(first, 'I am looking').locator('.message-author')).toHaveText('You');
  await expect(second.getByText(/is typing…/)).toHaveCount(0);
});

test('what is assigned to another cannot be written to, and is taken from them after a question', async ({
  agentAt,
  people,
}) => {
  const { secret } = await people.agent('kim');
  const [first, second] = [await agentAt(), await agentAt({ token: secret })];
  await at.openRow(first, /Ada Lovelace/);
  await at.openRow(second, /Ada Lovelace/);
  await at.composer(second).fill('half a thought');
  await at.button(first, 'Assign to me').click();

  await expect(at.notice(second)).toContainText('demo-agent has this conversation.');
  await expect(at.composer(second)).toBeHidden();

  await at.button(second, 'Take it from demo-agent').click();
  const question = at.dialog(second, 'Take it from demo-agent?');
  await question.getByRole('button', { name: 'Cancel' }).click();
  await expect(question).toBeHidden();
  await expect(at.notice(second)).toContainText('demo-agent has this conversation.');

  await at.button(second, 'Take it from demo-agent').click();
  await question.getByRole('button', { name: 'Take it' }).click();
  await expect(at.standing(second)).toContainText('Assigned to you');
  await expect(at.composer(second)).toHaveValue('half a thought');
  await expect(at.composer(second)).toBeFocused();
  await expect(at.notice(first)).toContainText('kim has this conversation.');
  await at.reply(second, 'Mine now');
  await expect(at.message(first, 'Mine now').locator('.ticks-delivered')).toBeVisible();
});

test('a conversation that nobody has any more says so to everybody', async ({ agentAt, people }) => {
  const { secret } = await people.agent('kim');
  const [first, second] = [await agentAt(), await agentAt({ token: secret })];
  await at.openRow(first, /Ada Lovelace/);
  await at.openRow(second, /Ada Lovelace/);
  await at.button(first, 'Assign to me').click();
  await expect(at.row(second, /Ada Lovelace.*Assigned to demo-agent/)).toBeVisible();
  await at.button(first, 'Unassign').click();
  await expect(at.standing(second)).toContainText('Unassigned');
  await expect(at.composer(second)).toBeEnabled();
});

test('the list says which agent had the last word, also after a reload', async ({ agentAt, people }) => {
  const ada = await people.find(ADA);
  const agent = await agentAt({ token: 'demo-agent' });
  await people.say(ada, 'Here I am', 'demo-admin');
  await expect(at.row(agent, /demo-admin: Here I am/)).toBeVisible();
  await agent.reload();
  await expect(at.row(agent, /demo-admin: Here I am/)).toBeVisible();
});
