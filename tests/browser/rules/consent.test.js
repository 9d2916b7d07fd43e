// Who asked not to be texted is not texted, and everybody sees why.

import { expect, test } from '../fixture/test.js';
import { NO_CONVERSATION } from '../fixture/guard.js';
import * as at from '../fixture/console.js';
import * as phone from '../fixture/phone.js';

const ADA = '+14155550101';

test('STOP from the phone shuts the composer and says so, and START opens it again', async ({
  agentAt,
  phoneOf,
  people,
}) => {
  await people.writer(ADA, 'Ada Lovelace', 'Hello?');
  const [agent, customer] = [await agentAt(), await phoneOf(ADA)];
  await at.openRow(agent, /Ada Lovelace/);
  await at.composer(agent).fill('not finished');

  await at.button(customer, 'STOP').click();
  await expect(phone.received(customer)).toHaveText([/^You will get no more texts/]);
  await expect(at.notice(agent)).toContainText('This customer has unsubscribed and must not be texted.');
  await expect(at.composer(agent)).toBeHidden();
  await expect(at.sendButton(agent)).toBeHidden();
  await expect(at.row(agent, /Ada Lovelace.*Opted out/)).toBeVisible();

  await at.button(customer, 'START').click();
  await expect(at.notice(agent)).toBeHidden();
  await expect(at.composer(agent)).toHaveValue('not finished');
  await expect(at.row(agent, /Opted out/)).toHaveCount(0);
  await at.sendButton(agent).click();
  await expect(at.message(agent, 'not finished').locator('.ticks-delivered')).toBeVisible();
});

test('a number that nobody has confirmed cannot be written to, and it says why', async ({ agentAt, people, guard }) => {
  guard.allow(NO_CONVERSATION);
  const ada = await people.customer(ADA, 'Ada Lovelace', { confirmation: true });
  const agent = await agentAt({ path: `/console#/c/${ada.id}` });
  await expect(at.notice(agent)).toContainText('This number is not confirmed yet.');
  await expect(at.composer(agent)).toBeHidden();
});

test('who only texted STOP does not wait for an answer', async ({ agentAt, people }) => {
  const ada = await people.writer(ADA, 'Ada Lovelace', 'Hello?');
  await people.say(ada, 'Yes?');
  const agent = await agentAt();
  await expect(agent.getByRole('region', { name: 'Inbox' }).getByText('Answered', { exact: true })).toBeVisible();
  await people.text(ADA, 'STOP');
  await expect(at.row(agent, /Opted out/)).toBeVisible();
  await expect(agent.getByRole('region', { name: 'Inbox' }).getByText('Waiting', { exact: true })).toHaveCount(0);
  await expect(agent).toHaveTitle(/^Switchboard/);
});
