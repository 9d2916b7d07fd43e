// What a text costs before it is sent, and what became of it afterwards, in words.

import { expect, test } from '../fixture/test.js';
import * as at from '../fixture/console.js';
import * as phone from '../fixture/phone.js';

const ADA = '+14155550101';

test('a text that cannot be delivered says so in plain words, with the code', async ({ agentAt, people }) => {
  const ends = {
    '+14155530003': /unreachable|cannot be reached|switched off/i,
    '+14155530006': /landline/i,
    '+14155530007': /filter/i,
  };
  const agent = await agentAt();
  for (const [number, words] of Object.entries(ends)) {
    await people.writer(number, `Number ${number.slice(-5)}`, 'Hello?');
    await at.openRow(agent, new RegExp(`Number ${number.slice(-5)}`));
    await at.reply(agent, 'Good morning');
    const sent = at.message(agent, 'Good morning');
    await expect(sent.locator('.ticks-warning')).toContainText('Not delivered');
    await expect(sent.locator('.message-trouble')).toContainText(words);
    await expect(sent.locator('.message-trouble')).toContainText(`(Code ${number.slice(-5)})`);
  }
});

test('a text of which no receipt comes stays at one tick', async ({ agentAt, people }) => {
  await people.writer('+14155590001', 'Silent', 'Hello?');
  const agent = await agentAt();
  await at.openRow(agent, /Silent/);
  await at.reply(agent, 'Good morning');
  await expect(at.message(agent, 'Good morning').locator('.ticks-sent')).toHaveText(/Sent/);
});

test('a text that the provider answered with an error, and took all the same, arrives once', async ({
  agentAt,
  phoneOf,
  people,
}) => {
  await people.writer(ADA, 'Ada Lovelace', 'Hello?');
  const [agent, customer] = [await agentAt(), await phoneOf(ADA)];
  await at.openRow(agent, /Ada Lovelace/);
  await customer.getByLabel('What happens to the next text that is sent').selectOption({ label: 'Error, but taken' });
  await at.button(customer, 'Queue').click();
  await expect(customer.getByText('Next: Error, but taken.')).toBeVisible();
  await at.reply(agent, 'Good morning');
  await expect(at.message(agent, 'Good morning').locator('.ticks-delivered')).toBeVisible();
  await expect(phone.received(customer)).toHaveText(['Good morning']);
});

test('while one writes, the segments and the alphabet of the text are shown', async ({ agentAt, people }) => {
  await people.writer(ADA, 'Ada Lovelace', 'Hello?');
  const agent = await agentAt();
  await at.openRow(agent, /Ada Lovelace/);
  const count = agent.locator('.count');
  await expect(count).toBeEmpty();
  await at.composer(agent).fill('a'.repeat(160));
  await expect(count).toHaveText('0 left · 1 segment · GSM-7');
  await at.composer(agent).press('End');
  await agent.keyboard.type('a');
  await expect(count).toHaveText('145 left · 2 segments · GSM-7');
  await at.composer(agent).fill('Hello 👋');
  await expect(count).toHaveText('62 left · 1 segment · UCS-2');
  await at.composer(agent).fill('a'.repeat(1601));
  await expect(count).toHaveText('1 character too long; 1,600 fit');
  await expect(at.composer(agent)).toHaveAttribute('aria-invalid', 'true');
  await expect(at.sendButton(agent)).toHaveAttribute('aria-disabled', 'true');
});

test('curly quotes that make a text dear can be made plain', async ({ agentAt, people }) => {
  await people.writer(ADA, 'Ada Lovelace', 'Hello?');
  const agent = await agentAt();
  await at.openRow(agent, /Ada Lovelace/);
  await at.composer(agent).fill(`${'a'.repeat(100)} it’s “here”`);
  await expect(agent.locator('.count')).toContainText('2 segments · UCS-2');
  await at.button(agent, 'Use plain characters: 1 segment').click();
  await expect(at.composer(agent)).toHaveValue(`${'a'.repeat(100)} it's "here"`);
  await expect(agent.locator('.count')).toContainText('1 segment · GSM-7');
});

test.describe('at a slow pace', () => {
  test.use({ settings: { SENDING__PACE__NUMBER: '1/s' } });

  test('a text that still waits for its turn can be canceled', async ({ agentAt, people }) => {
    await people.writer(ADA, 'Ada Lovelace', 'Hello?');
    const agent = await agentAt();
    await at.openRow(agent, /Ada Lovelace/);
    // Ten segments: the number has to rest for ten seconds.
    const long = `the first goes ${'a'.repeat(1450)}`;
    await at.reply(agent, long);
    await at.reply(agent, 'the second waits');
    const waiting = at.message(agent, 'the second waits');
    await expect(waiting.locator('.ticks-clock')).toContainText('Waiting to leave');
    await waiting.getByRole('button', { name: 'Cancel it' }).click();
    await expect(waiting.locator('.ticks-close')).toContainText('Canceled before it left');
    await expect(at.message(agent, 'the first goes').locator('.ticks-delivered')).toBeVisible();
    expect(await people.received(ADA, 1)).toEqual([long]);
  });
});
