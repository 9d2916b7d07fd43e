// Owns who has the open conversation: taking it over from the bot, giving it back, and having it assigned.

import { announce } from './announcer.js';
import { confirmed } from './dialogs.js';

/** `current()` is the open conversation, or null; `taken()` is told when the agent may write from now on. */
export function createHandover({ me, current, taken }) {
  const session = () => current()?.state.session ?? null;
  const assignee = () => session()?.attention?.assignee ?? null;

  async function takeOver() {
    if (!session() || session().need_attention) return;
    if (
      await done(
        current().update({ need_attention: true }),
        'You took over. The bot is silent until you give the conversation back.',
      )
    )
      taken();
  }

  async function giveBack() {
    if (!session()?.need_attention) return;
    const conversation = current();
    const from = assignee();
    if (from !== null && from !== me.name && !(await agreesToGiveAway(from))) return;
    await done(conversation.update({ need_attention: false }), 'The bot has the conversation again.');
  }

  async function assign() {
    if (!session()?.need_attention) return;
    const conversation = current();
    const from = assignee();
    const another = from !== null && from !== me.name;
    if (another && !(await agreesToTakeFrom(from))) return;
    if (await done(conversation.assign(me.name, another), 'You have this conversation.')) taken();
  }

  async function unassign() {
    if (!session()?.need_attention) return;
    await done(current().assign(null), 'Nobody has this conversation now.');
  }

  return {
    takeOver,
    giveBack,
    assign,
    unassign,
    assignOrUnassign: () => (assignee() === me.name ? unassign() : assign()),
  };
}

function agreesToTakeFrom(name) {
  return confirmed({
    title: `Take it from ${name}?`,
    words: `${name} has this conversation and may be writing an answer.`,
    yes: 'Take it',
  });
}

function agreesToGiveAway(name) {
  return confirmed({
    title: `Give ${name}’s conversation to the bot?`,
    words: `${name} has this conversation and may be writing an answer.`,
    yes: 'Give it back',
  });
}

async function done(work, words) {
  const worked = await work;
  if (worked) announce(words);
  return worked;
}
