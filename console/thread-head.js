// Owns the line above the messages: who the customer is, who has the conversation, and handing it over.

import { setWaitingSince, waitingSince } from './clock.js';
import { fill, h, setAttribute, setText } from './dom.js';
import { iconButton } from './icons.js';
import { drawPicture } from './inbox-row.js';
import { nameOf, numberOf, reasonOf } from './words.js';

/** `act(name)` is told `back`, `details`, `giveBack`, `assign` or `unassign`. */
export function createThreadHead({ me, act }) {
  const picture = h('span', { class: 'picture', 'aria-hidden': 'true' });
  const name = h('h2', { class: 'thread-name', tabindex: '-1' });
  const number = h('span', { class: 'thread-number' });
  const wait = h('span', { class: 'thread-wait' });
  const standing = h('span', { class: 'thread-standing' });
  const actions = h('div', { class: 'thread-actions' });
  const back = iconButton('back', 'Back to the inbox', { class: 'plain icon-button back', onclick: () => act('back') });
  const details = iconButton('details', 'Customer details', {
    title: 'Customer details (i)',
    onclick: () => act('details'),
  });
  const element = h(
    'header',
    { class: 'thread-head' },
    back,
    picture,
    h('div', { class: 'thread-who' }, name, h('p', { class: 'thread-sub' }, number, wait, standing)),
    actions,
    details,
  );
  let shown = '';

  function draw({ customer, session, loading, missing }) {
    drawPicture(picture, customer);
    setText(name, customer ? nameOf(customer) : loading ? 'Loading…' : 'Nobody');
    const digits = numberOf(customer);
    setText(number, digits === nameOf(customer) ? '' : digits);
    drawWait(session);
    setText(standing, standingOf({ session, loading, missing }, me));
    drawActions(session);
  }

  function drawWait(session) {
    const since = session?.need_attention ? session.attention?.waiting_since : null;
    const element = wait.firstElementChild;
    if (!since) fill(wait);
    else if (element) setWaitingSince(element, since);
    else fill(wait, waitingSince(since));
  }

  // Made anew only when there is something else to do: a button that is pressed keeps the focus.
  function drawActions(session) {
    const kind = kindOf(session, me);
    if (kind === shown) return;
    shown = kind;
    const focused = actions.contains(document.activeElement);
    fill(actions, buttonsOf(kind, act));
    if (focused) (actions.querySelector('button') ?? name).focus();
  }

  function setDetails(open) {
    setAttribute(details, 'aria-expanded', open === null ? null : String(open));
  }

  return { element, draw, setDetails, focus: () => name.focus() };
}

function kindOf(session, me) {
  if (!session) return 'over';
  if (!session.need_attention) return 'bot';
  const assignee = session.attention?.assignee ?? null;
  if (assignee === null) return 'free';
  return assignee === me.name ? 'mine' : `of ${assignee}`;
}

function buttonsOf(kind, act) {
  const button = (words, name, style, key) =>
    h(
      'button',
      { class: style, type: 'button', title: key ? `${words} (${key})` : null, onclick: () => act(name) },
      words,
    );
  const giveBack = button('Give back to the bot', 'giveBack', 'quiet', 'b');
  // Where the composer is shut, what opens it stands there.
  if (kind === 'over' || kind === 'bot') return [];
  if (kind === 'free') return [button('Assign to me', 'assign', '', 'a'), giveBack];
  if (kind === 'mine') return [button('Unassign', 'unassign', 'quiet', 'a'), giveBack];
  return [giveBack];
}

function standingOf({ session, loading, missing }, me) {
  if (!session) return loading || missing ? '' : 'No conversation now';
  if (!session.need_attention) return 'The bot has this conversation';
  const { assignee = null, reason = null } = session.attention ?? {};
  const who = assignee === null ? 'Unassigned' : assignee === me.name ? 'Assigned to you' : `Assigned to ${assignee}`;
  return [reasonOf(reason), who].filter(Boolean).join(' · ');
}
