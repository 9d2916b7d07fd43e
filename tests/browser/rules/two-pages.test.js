// A customer and an agent, each on their page, side by side.

import { expect, test } from '../fixture/test.js';
import * as at from '../fixture/console.js';
import * as phone from '../fixture/phone.js';

const ADA = '+14155550101';

test.describe('with a bot', () => {
  // Late enough that one tick is seen before two are.
  test.use({ settings: { BOT__KIND: 'echo', SIMULATOR__DELAYS__DELIVERED: '1500ms' } });

  test('a text comes in, an agent takes over and answers, and the ticks say how far it got', async ({
    agentAt,
    phoneOf,
    people,
  }) => {
    await people.customer(ADA, 'Ada Lovelace');
    const [agent, customer] = [await agentAt(), await phoneOf(ADA)];
    await at.button(agent, 'With the bot').click();
    await expect(agent.getByText('The bot has no conversations')).toBeVisible();

    await phone.write(customer, 'Is anybody there?');
    await expect(phone.received(customer)).toHaveText(['Is anybody there?']);
    await at.openRow(agent, /Ada Lovelace/);
    await expect(at.composer(agent)).toBeHidden();
    await at.button(agent, 'Take over').click();
    await expect(at.standing(agent)).toContainText('Unassigned');

    await phone.write(customer, 'A human, please');
    await expect(at.message(agent, 'A human, please')).toBeVisible();

    await recordTicks(agent);
    await at.reply(agent, 'Hey Ho!');
    await expect(at.message(agent, 'Hey Ho!').locator('.ticks-delivered')).toContainText('Delivered');
    expect(await ticksSeen(agent)).toEqual(['clock', 'sent', 'delivered']);
    await expect(phone.received(customer)).toHaveText(['Is anybody there?', 'Hey Ho!']);
  });
});

// What the last message shows, each time that it shows something else.
async function recordTicks(page) {
  await page.evaluate(() => {
    globalThis.ticksSeen = [];
    const look = () => {
      const ticks = document.querySelector('.messages li.message.from-agent:last-child .ticks');
      const kind = ticks && /ticks-(\w+)/.exec(ticks.className)[1];
      if (kind && kind !== globalThis.ticksSeen.at(-1)) globalThis.ticksSeen.push(kind);
    };
    new MutationObserver(look).observe(document.querySelector('main'), {
      subtree: true,
      childList: true,
      attributes: true,
    });
  });
}

const ticksSeen = (page) => page.evaluate(() => globalThis.ticksSeen);
