// The line to the daemon breaks, or the daemon dies: the page says so, keeps what is typed, and misses nothing.

import { expect, test } from '../fixture/test.js';
import { BROKEN_LINE } from '../fixture/guard.js';
import * as at from '../fixture/console.js';
import * as phone from '../fixture/phone.js';

const ADA = '+14155550101';
const KIM = '+14155550102';

// Each way to lose the line: how it breaks, whether customers and others can go on meanwhile, and how it comes back.
const BREAKS = {
  'the line is cut': {
    breaks: ({ line }) => line.cut(),
    meanwhile: () => {},
    returns: ({ line }) => line.restore(),
  },
  'the daemon dies': {
    breaks: ({ daemon }) => daemon.kill(),
    meanwhile: ({ line, daemon }) => (line.cut(), daemon.start()),
    returns: ({ line }) => line.restore(),
  },
};

for (const [name, { breaks, meanwhile, returns }] of Object.entries(BREAKS)) {
  test(`when ${name}, the page says so, keeps what is typed, and shows once what happened meanwhile`, async ({
    daemon,
    line,
    agentAt,
    people,
    guard,
  }) => {
    guard.allow(BROKEN_LINE);
    const ada = await people.writer(ADA, 'Ada Lovelace', 'one', 'two');
    const agent = await agentAt({ baseURL: line.url });
    await at.openRow(agent, /Ada Lovelace/);
    await at.composer(agent).fill('A long answer');
    await expect(at.said(agent)).toHaveText(['one', 'two']);

    await breaks({ line, daemon });
    await expect(agent.getByText('Reconnecting… What you type is kept.')).toBeVisible();
    await at.composer(agent).press('End');
    await at.composer(agent).pressSequentially(', written on');
    await meanwhile({ line, daemon });
    await people.text(ADA, 'three');
    await people.text(ADA, 'four');
    await people.say(ada, 'five', 'demo-admin');
    await people.writer(KIM, 'Kim Deal', 'I wait, too');
    await expect(at.said(agent)).toHaveText(['one', 'two']);
    await returns({ line, daemon });

    await expect(agent.getByText('Connected again.')).toBeVisible();
    await expect(agent.getByText('Reconnecting…')).toBeHidden();
    await expect(at.said(agent)).toHaveText(['one', 'two', 'three', 'four', 'five']);
    await expect(at.row(agent, /Kim Deal/)).toBeVisible();
    await expect(at.rows(agent)).toHaveCount(2);
    await expect(at.composer(agent)).toHaveValue('A long answer, written on');

    // And it goes on live, from both sides.
    await people.text(ADA, 'six');
    await expect(at.said(agent)).toHaveText(['one', 'two', 'three', 'four', 'five', 'six']);
    await at.sendButton(agent).click();
    await expect(at.message(agent, 'A long answer').locator('.ticks-delivered')).toBeVisible();
  });
}

test('what is sent while the line is down leaves by itself when it is back, once and in order', async ({
  agentAt,
  people,
  guard,
}) => {
  guard.allow(BROKEN_LINE);
  await people.writer(ADA, 'Ada Lovelace', 'Hello?');
  const agent = await agentAt();
  await at.openRow(agent, /Ada Lovelace/);
  await agent.context().setOffline(true);
  await at.reply(agent, 'first');
  await at.reply(agent, 'second');
  await expect(at.message(agent, 'first').locator('.ticks-clock')).toBeVisible();
  await expect(at.message(agent, 'first')).toContainText('It is tried again by itself.');

  await agent.context().setOffline(false);
  await expect(agent.locator('.ticks-delivered')).toHaveCount(2);
  await expect(at.said(agent)).toHaveText(['Hello?', 'first', 'second']);
  await expect(agent.locator('.is-pending')).toHaveCount(0);
  expect(await people.received(ADA, 2)).toEqual(['first', 'second']);
});

test('what could not be loaded while there was no network is there when it is back', async ({
  agentAt,
  people,
  guard,
}) => {
  guard.allow(BROKEN_LINE);
  await people.writer(ADA, 'Ada Lovelace', 'Hello?');
  const agent = await agentAt();
  await at.row(agent, /Ada Lovelace/).waitFor();
  await agent.context().setOffline(true);
  await at.openRow(agent, /Ada Lovelace/);
  await expect(agent.getByText('The messages could not be loaded')).toBeVisible();

  await agent.context().setOffline(false);
  await expect(at.said(agent)).toHaveText(['Hello?']);
  await expect(agent.getByText('The messages could not be loaded')).toBeHidden();
});

test('a reload while a text is on its way sends it once', async ({ agentAt, people, guard }) => {
  guard.allow(BROKEN_LINE);
  await people.writer(ADA, 'Ada Lovelace', 'Hello?');
  const agent = await agentAt();
  await at.openRow(agent, /Ada Lovelace/);
  await at.reply(agent, 'answered before');
  await expect(at.message(agent, 'answered before').locator('.ticks-delivered')).toBeVisible();
  await agent.context().setOffline(true);
  await at.reply(agent, 'only once');
  await expect(at.message(agent, 'only once')).toContainText('It is tried again by itself.');
  await agent.context().setOffline(false);
  await agent.reload();
  await expect(at.message(agent, 'only once').locator('.ticks-delivered')).toBeVisible();
  await expect(at.said(agent)).toHaveText(['Hello?', 'answered before', 'only once']);
  expect(await people.received(ADA, 2)).toEqual(['answered before', 'only once']);
});

test('the phone says when the simulator is away, and shows what came meanwhile when it is back', async ({
  phoneOf,
  people,
  guard,
}) => {
  guard.allow(BROKEN_LINE);
  const ada = await people.writer(ADA, 'Ada Lovelace', 'Hello?');
  const customer = await phoneOf(ADA);
  await customer.context().setOffline(true);
  await expect(customer.getByText('The simulator cannot be reached. Trying again…')).toBeVisible();
  await people.say(ada, 'We are here');
  await people.received(ADA, 1);
  await customer.context().setOffline(false);
  await expect(phone.texts(customer)).toHaveText(['Hello?', 'We are here']);
  await expect(customer.getByText('The simulator cannot be reached. Trying again…')).toBeHidden();
});
