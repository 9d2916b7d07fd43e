// Owns the writing of a text: the draft, what is put into it, and its leaving. Shut, it takes nothing, and keeps what
// it has.

import { createCountLine, fits } from './count-line.js';
import { freshId, h, setAttribute, setText } from './dom.js';
import { createGateNotice } from './gate-notice.js';
import { icon } from './icons.js';
import { mayWrite } from './may-write.js';
import { pick } from './picker.js';
import { preference } from './preferences.js';
import { createSuggestions } from './suggestions.js';
import { nameOf } from './words.js';

const MOD = /Mac|iPhone|iPad/.test(navigator.platform) ? '⌘' : 'Ctrl';
const NOTHING = [];

/**
 * `send(customerId, text)`; `typed(customerId)` and `stopped()` tell that somebody writes; `act(name)` as in the
 * thread's head; `used(suggestion)`; `cannedReplies()` promises them.
 */
export function createComposer({ me, drafts, send, typed, stopped, act, used, cannedReplies }) {
  const id = freshId('composer');
  const notice = createGateNotice(act);
  const suggestions = createSuggestions(useSuggestion);
  const size = createCountLine(`${id}-count`, rewrite);
  const label = h('label', { class: 'spoken', for: id });
  const text = h('textarea', {
    id,
    rows: 1,
    dir: 'auto',
    enterkeyhint: 'enter',
    'aria-describedby': `${id}-count ${id}-count-costly`,
  });
  const canned = h(
    'button',
    { class: 'plain small', type: 'button', title: 'Canned replies (/)', onclick: () => insertCanned(false) },
    icon('replies'),
    'Canned replies',
  );
  const button = h(
    'button',
    { class: 'primary send', type: 'submit', title: `Send (${MOD} Enter)` },
    icon('send'),
    h('span', {}, 'Send'),
  );
  const foot = h('div', { class: 'composer-foot' }, canned, size.number, button);
  const box = h('div', { class: 'composer-box' }, label, text, size.costs, foot);
  const form = h(
    'form',
    { class: 'composer', onsubmit: submit, 'aria-label': 'Write' },
    notice.element,
    suggestions.element,
    box,
  );
  let customerId = null;
  let gate = { open: false };

  text.addEventListener('input', () => {
    changed();
    if (text.value) typed(customerId);
    else stopped();
  });
  text.addEventListener('blur', stopped);
  text.addEventListener('keydown', (event) => {
    if (event.isComposing) return;
    if (event.key === 'Enter' && sends(event)) submit(event);
    else if (event.key === '/' && atLineStart()) {
      event.preventDefault();
      insertCanned(true);
    }
  });

  function draw(state) {
    if (customerId !== state.customerId) {
      stopped();
      customerId = state.customerId;
      text.value = drafts.read(customerId);
    }
    const writing = document.activeElement === text;
    gate = mayWrite(state, me.name);
    setText(label, `Message to ${nameOf(state.customer)}`);
    text.placeholder = gate.open ? 'Write a text…' : '';
    text.disabled = !gate.open;
    canned.disabled = !gate.open;
    form.classList.toggle('is-shut', !gate.open && gate.kind !== 'loading');
    notice.draw(gate);
    // What was proposed is for the customer who waits, not for one who has been answered since.
    suggestions.draw(gate.open && state.session?.attention?.waiting_since ? state.suggestions : NOTHING);
    drawText();
    // What shuts under somebody's hands says why, and keeps the focus near.
    if (writing && !gate.open && gate.words) notice.focus();
  }

  let drawn = null;

  function drawText() {
    const { value } = text;
    // The button stays in reach of the keyboard also when it does nothing: one that vanishes takes the focus with it.
    setAttribute(button, 'aria-disabled', sendable() ? null : 'true');
    if (drawn?.value === value && drawn.open === gate.open) return;
    drawn = { value, open: gate.open };
    setAttribute(text, 'aria-invalid', fits(value) ? null : 'true');
    size.draw(value);
    // As high as its text, up to what the style sheet allows.
    text.style.height = 'auto';
    if (text.scrollHeight > 0) text.style.height = `${text.scrollHeight}px`;
  }

  function changed() {
    drafts.write(customerId, text.value);
    drawText();
  }

  function rewrite(words) {
    text.value = words;
    changed();
    text.focus();
  }

  /** Puts words where the cursor is. */
  function insert(words) {
    const { value, selectionStart: from, selectionEnd: to } = text;
    const before = value.slice(0, from);
    const gap = before && !/\s$/.test(before) ? ' ' : '';
    const end = (before + gap + words).length;
    rewrite(before + gap + words + value.slice(to));
    text.setSelectionRange(end, end);
  }

  function useSuggestion(suggestion) {
    insert(suggestion.content);
    used(suggestion);
  }

  async function insertCanned(typedSlash) {
    const reply = await pick({
      title: 'Canned replies',
      label: 'Search canned replies',
      items: await cannedReplies(),
      empty: 'There are none. They are written in the configuration.',
    });
    if (reply) insert(reply.content);
    else if (typedSlash) insert('/');
    text.focus();
  }

  function atLineStart() {
    const before = text.value.slice(0, text.selectionStart);
    return before === '' || before.endsWith('\n');
  }

  function sendable() {
    return gate.open && text.value.trim() !== '' && fits(text.value);
  }

  function submit(event) {
    event.preventDefault();
    if (!gate.open) return;
    if (sendable()) {
      const words = text.value.trim();
      text.value = '';
      changed();
      stopped();
      send(customerId, words);
    }
    text.focus();
  }

  /** Puts back what could not be sent, before what has been typed since. */
  function putBack(id, words) {
    const kept = drafts.read(id);
    drafts.write(id, kept ? `${words}\n${kept}` : words);
    if (id !== customerId) return;
    text.value = drafts.read(id);
    drawText();
  }

  /** Whether the focus could be taken: a shut composer takes none. */
  function focus() {
    if (!gate.open) return false;
    text.focus();
    text.setSelectionRange(text.value.length, text.value.length);
    return true;
  }

  return { element: form, draw, focus, putBack, firstSuggestion: suggestions.useFirst };
}

function sends({ ctrlKey, metaKey, shiftKey }) {
  return ctrlKey || metaKey || (preference('enterSends') && !shiftKey);
}
