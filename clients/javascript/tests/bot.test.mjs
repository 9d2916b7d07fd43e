// What is for bots and for those who look after them: turns that failed, and answers that come later.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { bot } from './fixture/bot.mjs';
import { Daemon } from './fixture/daemon.mjs';

const PHONE = '+14155550101';

describe('a daemon with a bot', { concurrency: true }, () => {
  test('a turn that failed is found, retrieved, and told again once the bot has the session', async (t) => {
    let works = false;
    const answer = () => (works ? { body: { messages: [{ content: 'At your service.' }] } } : { status: 400 });
    const daemon = await Daemon.start(t, { bot: await bot(t, answer) });
    const [agent, admin] = [daemon.client('agent'), daemon.client('admin')];
    const failures = agent.events.subscribe({ types: ['bot.failed'] });
    await failures.opened;
    await daemon.text(PHONE, 'Hey');
    const { value } = await failures[Symbol.asyncIterator]().next();
    failures.close();

    const [turn] = await agent.bot.turns().toArray();
    assert.deepEqual([turn.id, turn.status, turn.type], [value.data.turn_id, 'failed', 'message.received']);
    assert.deepEqual(await agent.bot.turn(turn.id), turn);
    await assert.rejects(agent.bot.replay(turn.id), { name: 'ForbiddenError' });
    await assert.rejects(admin.bot.replay(turn.id), { name: 'SessionHeldError' });

    works = true;
    await agent.sessions.update(turn.customer_id, 'current', { need_attention: false });
    const again = await admin.bot.replay(turn.id);
    assert.notEqual(again.id, turn.id);
    await daemon.arrived(PHONE, 'At your service.');
  });

  test('a bot that answered that it is gone is called again once it is enabled', async (t) => {
    let gone = true;
    const answer = () => (gone ? { status: 410 } : { body: { messages: [{ content: 'Here I am.' }] } });
    const daemon = await Daemon.start(t, { bot: await bot(t, answer) });
    const admin = daemon.client('admin');
    const events = admin.events.subscribe({ types: ['bot.disabled', 'bot.enabled'] });
    t.after(() => events.close());
    const iterator = events[Symbol.asyncIterator]();
    await events.opened;
    await daemon.text(PHONE, 'Hey');
    assert.equal((await iterator.next()).value.name, 'bot.disabled');
    const { disabled, name, breaker } = await admin.bot.status();
    assert.deepEqual([typeof disabled.reason, name, breaker], ['string', 'bot', 'closed']);

    gone = false;
    await admin.bot.enable();
    assert.equal((await iterator.next()).value.name, 'bot.enabled');
    assert.equal((await admin.bot.status()).disabled, null);
    const { id } = await daemon.customer(PHONE);
    await admin.sessions.update(id, 'current', { need_attention: false });
    await daemon.text(PHONE, 'Hey again');
    await daemon.arrived(PHONE, 'Here I am.');
  });

  test('a bot answers a turn later, once, and not after agents have taken the session', async (t) => {
    let told;
    const turns = [];
    const turn = () => (turns.length > 0 ? Promise.resolve(turns.shift()) : new Promise((resolve) => (told = resolve)));
    const answer = (said) => {
      if (told) told(said);
      else turns.push(said);
      told = undefined;
      return { status: 202 };
    };
    const daemon = await Daemon.start(t, { bot: await bot(t, answer) });
    const [robot, agent] = [daemon.client('bot'), daemon.client('agent')];
    await daemon.text(PHONE, 'Hey');
    const first = await turn();
    const reply = { messages: [{ content: 'I had to think.', content_type: 'text' }] };
    const replied = await robot.bot.reply(first.id, first.data.reply_token, reply);
    assert.equal(replied.turn_id, first.id);
    assert.deepEqual(
      replied.messages.map(({ content }) => content),
      ['I had to think.'],
    );
    await daemon.arrived(PHONE, 'I had to think.');
    await assert.rejects(robot.bot.reply(first.id, 'another', reply), { name: 'UnauthorizedError' });

    await daemon.text(PHONE, 'And now?');
    const second = await turn();
    const { id } = await daemon.customer(PHONE);
    await agent.sessions.update(id, 'current', { need_attention: true });
    await assert.rejects(robot.bot.reply(second.id, second.data.reply_token, reply), { name: 'StaleTurnError' });
  });

  test('what a bot proposes while agents have the session is seen, and counted when it is used', async (t) => {
    const answer = () => ({ body: { messages: [{ content: 'Try it off and on.', content_type: 'text' }] } });
    const daemon = await Daemon.start(t, { bot: `${await bot(t, answer)}\nobserve = true` });
    const agent = daemon.client('agent');
    await daemon.text(PHONE, 'Hey');
    const { id } = await daemon.customer(PHONE);
    await agent.sessions.update(id, 'current', { need_attention: true });
    const proposals = agent.events.subscribe({ types: ['bot.suggested'] });
    t.after(() => proposals.close());
    await proposals.opened;
    await daemon.text(PHONE, 'It does not work');
    const { value } = await proposals[Symbol.asyncIterator]().next();
    const [proposed] = value.data.suggested_messages;
    assert.deepEqual([proposed.content, proposed.selected_count], ['Try it off and on.', 0]);
    const { suggested_messages: listed } = await agent.sessions.retrieve(id, 'current', {
      expand: ['suggested_messages'],
    });
    assert.deepEqual(listed, [proposed]);
    assert.deepEqual(await agent.suggestedMessages.use(proposed.id), { ...proposed, selected_count: 1 });
  });
});
