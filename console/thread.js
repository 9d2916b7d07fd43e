// Owns the messages of the open conversation as they are seen: in their place while older ones load, and at the end
// while new ones come.

import { makeBubble, updateBubble } from './bubble.js';
import { fill, h, keyed, setText } from './dom.js';
import { icon } from './icons.js';
import { timeline } from './thread-log.js';
import { dayOf, listed, nameOf, timeOf } from './words.js';

const AT_THE_END_PX = 48;
const NEAR_THE_BEGINNING_PX = 200;

/** `act` as in `makeBubble`; `older()` is called when somebody has scrolled to the beginning. */
export function createThread({ me, act, older, reload }) {
  const beginning = h('div', { class: 'thread-beginning' });
  const list = h('ol', { class: 'messages', 'aria-label': 'Messages' });
  const typing = h('p', { class: 'typing', 'aria-live': 'polite' });
  const note = h('div', { class: 'thread-note' });
  const scroller = h(
    'div',
    { class: 'thread-scroll', tabindex: '0', role: 'region', 'aria-label': 'Messages' },
    beginning,
    note,
    list,
    typing,
  );
  const toEnd = h(
    'button',
    { class: 'to-end', type: 'button', hidden: true, onclick: () => scrollToEnd(true) },
    icon('down'),
    h('span', {}, 'New messages'),
  );
  const element = h('div', { class: 'thread' }, scroller, toEnd);
  let shown = null;
  let atEnd = true;
  let lastKey = null;
  let wantsOlder = false;

  scroller.addEventListener(
    'scroll',
    () => {
      atEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < AT_THE_END_PX;
      if (atEnd) toEnd.hidden = true;
      if (scroller.scrollTop < NEAR_THE_BEGINNING_PX && wantsOlder) older();
    },
    { passive: true },
  );
  // A keyboard that slides in, or a composer that grows, must not hide the end.
  new ResizeObserver(() => atEnd && scrollToEnd()).observe(scroller);

  function draw(state, pending) {
    const other = shown !== state.customerId;
    if (other) {
      shown = state.customerId;
      atEnd = true;
      lastKey = null;
      toEnd.hidden = true;
    }
    const name = nameOf(state.customer);
    const items = timeline(state.log, pending.map(asMessage));
    const anchor = atEnd ? null : anchorOf();
    keyed(list, items, {
      key: (item) => item.key,
      make: (item) => makeItem(item),
      update: (item, what) => updateItem(item, what, name),
    });
    drawTyping(state);
    drawNote(state, items.length);
    drawBeginning(state, items.length);
    if (atEnd) scrollToEnd();
    else restore(anchor);
    const key = items.at(-1)?.key ?? null;
    if (!atEnd && lastKey !== null && key !== lastKey) toEnd.hidden = false;
    lastKey = key;
    // What does not fill the screen cannot be scrolled.
    wantsOlder = state.older === 'some';
    if (wantsOlder && scroller.scrollTop < NEAR_THE_BEGINNING_PX) older();
  }

  function makeItem(item) {
    if (item.kind === 'message') return makeBubble(act);
    return h('li', { class: `divider divider-${item.kind}` }, h('span', {}));
  }

  function updateItem(element, item, name) {
    if (item.kind === 'message') updateBubble(element, item, { name, me });
    else if (item.kind === 'day') setText(element.firstChild, dayOf(item.at, Date.now()));
    else setText(element.firstChild, `A new conversation began · ${timeOf(item.at)}`);
  }

  function drawTyping(state) {
    const names = [...state.typing.keys()];
    setText(typing, names.length > 0 ? `${listed(names)} ${names.length === 1 ? 'is' : 'are'} typing…` : '');
  }

  function drawNote(state, length) {
    const kind = state.missing
      ? 'missing'
      : state.loading && length === 0
        ? 'loading'
        : state.problem
          ? 'problem'
          : length === 0
            ? 'empty'
            : '';
    if (note.dataset.kind === kind) return;
    note.dataset.kind = kind;
    if (kind === 'loading') fill(note, h('p', { class: 'spoken' }, 'Loading the messages…'), skeleton());
    else if (kind === 'missing')
      fill(
        note,
        h('p', { class: 'empty-title' }, 'There is no such customer'),
        h('p', {}, 'They were erased, or the address is wrong.'),
      );
    else if (kind === 'problem')
      fill(
        note,
        h('p', { class: 'empty-title' }, 'The messages could not be loaded'),
        h('p', {}, state.problem.words),
        h('button', { type: 'button', onclick: reload }, 'Try again'),
      );
    else if (kind === 'empty')
      fill(
        note,
        h('p', { class: 'empty-title' }, 'No messages yet'),
        h('p', {}, 'What you write starts the conversation.'),
      );
    else fill(note);
  }

  function drawBeginning(state, length) {
    if (beginning.dataset.older === state.older && state.older === 'failed') return;
    beginning.dataset.older = state.older;
    if (state.older === 'failed')
      fill(
        beginning,
        'Older messages could not be loaded. ',
        h('button', { class: 'small', type: 'button', onclick: older }, 'Try again'),
      );
    else
      setText(
        beginning,
        { loading: 'Loading older messages…', none: length > 0 ? 'No earlier messages' : '' }[state.older] ?? '',
      );
  }

  // The first message in sight keeps its place while others come in above it.
  function anchorOf() {
    const top = scroller.getBoundingClientRect().top;
    const element = [...list.children].find((child) => child.getBoundingClientRect().bottom > top);
    return element && { element, y: element.getBoundingClientRect().top };
  }

  function restore(anchor) {
    if (anchor?.element.isConnected) scroller.scrollTop += anchor.element.getBoundingClientRect().top - anchor.y;
  }

  function scrollToEnd(smoothly = false) {
    const calm = !smoothly || matchMedia('(prefers-reduced-motion: reduce)').matches;
    scroller.scrollTo({ top: scroller.scrollHeight, behavior: calm ? 'instant' : 'smooth' });
  }

  return { element, draw };
}

function asMessage(entry) {
  return { ...entry, sender_role: 'agent', session_id: null, media: [] };
}

function skeleton() {
  return h(
    'div',
    { class: 'skeleton-thread', 'aria-hidden': 'true' },
    ['left', 'left short', 'right', 'left', 'right short'].map((kind) => h('span', { class: `bone ${kind}` })),
  );
}
