// Owns how one message looks: the bubble of its role, its author, what came with it, and how far it got.

import { fill, h, setText, spoken } from './dom.js';
import { icon } from './icons.js';
import { progress } from './thread-log.js';
import { counted, momentOf, timeOf } from './words.js';

const ROLES = { 'end-user': 'customer', agent: 'agent', init: 'bot' };

/** An element for a message; `act(name, message)` is told `resend`, `cancel`, `retry` or `takeBack`. */
export function makeBubble(act) {
  const parts = {
    author: h('p', { class: 'message-author' }),
    text: h('p', { class: 'message-text', dir: 'auto' }),
    media: h('ul', { class: 'message-media' }),
    meta: h('p', { class: 'message-meta' }),
    trouble: h('div', { class: 'message-trouble' }),
  };
  const bubble = h('div', { class: 'bubble' }, parts.text, parts.media);
  const element = h('li', { class: 'message' }, parts.author, bubble, parts.meta, parts.trouble);
  element.parts = { ...parts, bubble };
  element.act = act;
  return element;
}

/** `context`: the customer's `name`, and `me`. */
export function updateBubble(element, { message, first, last }, { name, me }) {
  const { parts, act } = element;
  if (
    element.shown === message &&
    element.shownState === message.state &&
    element.first === first &&
    element.last === last &&
    element.name === name
  )
    return;
  Object.assign(element, { shown: message, shownState: message.state, first, last, name });
  const side = ROLES[message.sender_role] ?? 'bot';
  element.className = `message from-${side}${first ? ' is-first' : ''}${last ? ' is-last' : ''}${message.state ? ' is-pending' : ''}`;
  const author = authorOf(message, name, me);
  // Each message says whose it is; eyes see that from where it stands.
  parts.author.classList.toggle('spoken', !first || side === 'customer');
  fill(parts.author, side === 'bot' && first ? icon('bot') : null, h('span', {}, author));
  setText(parts.text, message.content);
  parts.text.hidden = !message.content;
  drawMedia(parts.media, message.media ?? []);
  drawMeta(parts.meta, message, side, last, act);
  drawTrouble(parts.trouble, message, act);
}

function authorOf(message, name, me) {
  if (message.sender_role === 'end-user') return name;
  if (message.sender_role === 'init')
    return message.author && message.author !== 'bot' ? `Bot (${message.author})` : 'Bot';
  if (message.author === 'gateway') return 'Automatic reply';
  return !message.author || message.author === me.name ? 'You' : message.author;
}

function drawMedia(list, media) {
  list.hidden = media.length === 0;
  fill(
    list,
    media.map((one, at) => h('li', {}, attachment(one, at, media.length))),
  );
}

function attachment({ url, content_type: type }, at, of) {
  const words = [kindOf(type), of > 1 ? ` ${at + 1} of ${of}` : ''];
  // A link of any other kind would run something.
  if (!/^https?:\/\//i.test(url)) return h('span', { class: 'attachment' }, icon('attachment'), words);
  return h(
    'a',
    { class: 'attachment', href: url, target: '_blank', rel: 'noopener noreferrer' },
    icon('attachment'),
    h('span', {}, words),
    spoken(' (opens in a new tab)'),
  );
}

function kindOf(type = '') {
  const [kind, what] = type.split('/');
  const known = { image: 'Picture', video: 'Video', audio: 'Sound' }[kind];
  if (known) return known;
  if (what === 'vcard' || what === 'x-vcard') return 'Contact';
  return what === 'pdf' ? 'PDF' : 'Attachment';
}

function drawMeta(element, message, side, last, act) {
  const time = h(
    'time',
    { datetime: message.created_at, title: momentOf(message.created_at) },
    timeOf(message.created_at),
  );
  if (side === 'customer') {
    element.hidden = !last;
    fill(element, time);
    return;
  }
  const [drawing, words, title] = stageOf(message);
  element.hidden = false;
  element.classList.toggle('is-quiet', !last && drawing === 'delivered');
  fill(
    element,
    last ? time : spoken(time),
    h(
      'span',
      { class: `ticks ticks-${drawing}`, title },
      icon(drawing),
      h('span', { class: last || drawing === 'warning' ? '' : 'spoken' }, words),
    ),
    // Most leave at once: the style sheet shows this for those that have to wait.
    !message.state && progress(message) === 'queued'
      ? h('button', { class: 'plain cancel', type: 'button', onclick: () => act('cancel', message) }, 'Cancel it')
      : null,
  );
}

// The drawing, the words, and all that is known for who points at it.
function stageOf(message) {
  if (message.state === 'sending') return ['clock', 'Sending…', 'On its way to switchboard'];
  if (message.state) return ['clock', 'Not sent yet', 'It has not reached switchboard'];
  const sent = message.sentOn ? `Sent ${momentOf(message.sentOn)}` : '';
  const size = message.segments ? counted(message.segments, 'segment') : '';
  const all = (...more) => [sent, ...more, size].filter(Boolean).join('\n');
  switch (progress(message)) {
    case 'queued':
    case 'sending':
      return ['clock', 'Waiting to leave', all('Waits for its turn at the number’s pace')];
    case 'sent':
      return ['sent', `Sent${unlessSame(message.sentOn ?? message.updated_at, message)}`, all()];
    case 'delivered':
      return [
        'delivered',
        `Delivered${unlessSame(message.delivered_at, message)}`,
        all(`Delivered ${momentOf(message.delivered_at)}`),
      ];
    case 'canceled':
      return ['close', 'Canceled before it left', all()];
    case 'expired':
      return ['warning', 'Expired', all('It could not leave in time')];
    case 'unknown':
    case 'held':
      return ['warning', 'May not have arrived', all()];
    default:
      return ['warning', 'Not delivered', all()];
  }
}

// The minute stands before it already.
function unlessSame(iso, message) {
  const time = timeOf(iso);
  return time === timeOf(message.created_at) ? '' : ` ${time}`;
}

function drawTrouble(element, message, act) {
  const trouble = message.state ? pendingTrouble(message, act) : troubleOf(message, act);
  element.hidden = !trouble;
  fill(element, trouble);
}

function pendingTrouble(message, act) {
  if (message.state === 'stale') {
    return [
      h(
        'p',
        {},
        'This was not confirmed when the page was closed. Look whether it stands above before you send it again.',
      ),
      button('Put it back to write', () => act('takeBack', message)),
    ];
  }
  if (message.state !== 'waiting') return null;
  return [
    h(
      'p',
      {},
      message.problem ? `${message.problem.words} It is tried again by itself.` : 'It is tried again by itself.',
    ),
    button('Try now', () => act('retry', message)),
  ];
}

function troubleOf(message, act) {
  switch (progress(message)) {
    case 'held':
      return [
        h('p', {}, 'Nobody can tell whether this arrived. Sent again, it may arrive twice.'),
        button('Send again', () => act('resend', message)),
      ];
    case 'unknown':
      return h('p', {}, 'The provider did not say whether it took this. It is being looked up.');
    case 'failed':
    case 'undelivered':
      return h('p', {}, failure(message.error));
    case 'expired':
      return h('p', {}, 'This could not leave in time, and was not sent.');
    default:
      return null;
  }
}

/** The daemon's words for what went wrong; its text is written for people. */
function failure(error) {
  if (!error?.text) return 'The provider did not say why.';
  const words = error.text.charAt(0).toLocaleUpperCase() + error.text.slice(1);
  return `${words.replace(/[.]$/, '')}.${error.code ? ` (Code ${error.code})` : ''}`;
}

function button(words, onclick) {
  return h('button', { class: 'small', type: 'button', onclick }, words);
}
