// Owns the writing of a text: the draft, its count, what may be put into it, and why it is shut when it is.

import { announce } from './announcer.js';
import { fill, freshId, h, setAttribute, setText } from './dom.js';
import { icon } from './icons.js';
import { mayWrite } from './may-write.js';
import { pick } from './picker.js';
import { plain } from './plain-characters.js';
import { preference } from './preferences.js';
import { costly, count, MOST_UNITS } from './segments.js';
import { counted, nameOf } from './words.js';

const MOD = /Mac|iPhone|iPad/.test(navigator.platform) ? '⌘' : 'Ctrl';

/**
 * `send(customerId, text)`, `typed(customerId)`, `stopped()`, `act(name)` as in the thread's head, `used(suggestion)`, and `cannedReplies()`,
 * which promises them.
 */
export function createComposer({ me, drafts, send, typed, stopped, act, used, cannedReplies }) {
  const fieldId = freshId('composer');
  const notice = h('div', { class: 'notice', role: 'status', tabindex: '-1' });
  const suggestions = h('div', { class: 'suggestions' });
  const text = h('textarea', { id: fieldId, rows: 1, dir: 'auto', enterkeyhint: 'enter', 'aria-describedby': `${fieldId}-count ${fieldId}-costly` });
  const label = h('label', { class: 'spoken', for: fieldId });
  const number = h('p', { class: 'count', id: `${fieldId}-count` });
  const costs = h('p', { class: 'costly', id: `${fieldId}-costly` });
  const canned = h('button', { class: 'plain small', type: 'button', title: 'Canned replies (/)', onclick: () => insertCanned(false) }, icon('replies'), 'Canned replies');
  const button = h('button', { class: 'primary send', type: 'submit', title: `Send (${MOD} Enter)` }, icon('send'), h('span', {}, 'Send'));
  const box = h('div', { class: 'composer-box' }, label, text, costs, h('div', { class: 'composer-foot' }, canned, number, button));
  const form = h('form', { class: 'composer', onsubmit: submit, 'aria-label': 'Write' }, notice, suggestions, box);
  let customerId = null;
  let gate = { open: false };
  let segments = 1;

  text.addEventListener('input', () => {
    changed();
    if (text.value) typed(customerId);
    else stopped();
  });
  text.addEventListener('blur', stopped);
  text.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && !event.isComposing && (event.ctrlKey || event.metaKey || (preference('enterSends') && !event.shiftKey))) submit(event);
    else if (event.key === '/' && atLineStart() && !event.isComposing) {
      event.preventDefault();
      insertCanned(true);
    }
  });

  function draw(state) {
    if (customerId !== state.customerId) {
      stopped();
      customerId = state.customerId;
      text.value = drafts.read(customerId);
      changed();
    }
    const before = gate;
    const writing = document.activeElement === text;
    gate = mayWrite(state, me.name);
    setText(label, `Message to ${nameOf(state.customer)}`);
    text.placeholder = gate.open ? 'Write a text…' : '';
    text.disabled = !gate.open;
    canned.disabled = !gate.open;
    box.hidden = gate.kind === 'missing';
    form.classList.toggle('is-shut', !gate.open && gate.kind !== 'loading');
    if (before.kind !== gate.kind || before.words !== gate.words) drawNotice();
    drawSuggestions(state);
    drawButton();
    // What shuts under somebody's hands says why, and keeps the focus near.
    if (writing && !gate.open && gate.words) (notice.querySelector('button') ?? notice).focus();
  }

  function drawNotice() {
    const words = { takeOver: 'Take over', assign: gate.words.replace(/ has this conversation\.$/, '') }[gate.action];
    notice.hidden = !gate.words;
    notice.className = `notice notice-${gate.kind}`;
    fill(notice,
      icon({ unsubscribed: 'stop', unconfirmed: 'warning', bot: 'bot', assigned: 'person' }[gate.kind] ?? 'clock'),
      h('p', {}, gate.words),
      gate.action ? h('button', { class: gate.action === 'takeOver' ? 'primary' : '', type: 'button', onclick: () => act(gate.action) }, gate.action === 'assign' ? `Take it from ${words}` : words) : null);
  }

  let shownSuggestions = null;

  function drawSuggestions(state) {
    const list = gate.open ? state.suggestions : [];
    if (list === shownSuggestions) return;
    shownSuggestions = list;
    suggestions.hidden = list.length === 0;
    fill(suggestions, list.length > 0 ? [
      h('h3', { class: 'suggestions-title' }, icon('spark'), 'Suggested replies'),
      h('ul', {}, list.map((one) => h('li', {}, h('button', { class: 'suggestion', type: 'button', onclick: () => useSuggestion(one) }, one.content)))),
    ] : null);
  }

  function useSuggestion(suggestion) {
    insert(suggestion.content);
    used(suggestion);
  }

  /** Puts words where the cursor is; into an empty field they come as they are. */
  function insert(words) {
    const { value, selectionStart: from, selectionEnd: to } = text;
    const [before, after] = [value.slice(0, from), value.slice(to)];
    const gap = before && !/\s$/.test(before) ? ' ' : '';
    text.value = before + gap + words + after;
    const end = (before + gap + words).length;
    text.focus();
    text.setSelectionRange(end, end);
    changed();
  }

  async function insertCanned(typedSlash) {
    const reply = await pick({ title: 'Canned replies', label: 'Search canned replies', items: await cannedReplies(), empty: 'There are none. They are written in the configuration.' });
    if (reply) insert(reply.content);
    else if (typedSlash) insert('/');
    text.focus();
  }

  function atLineStart() {
    const before = text.value.slice(0, text.selectionStart);
    return before === '' || before.endsWith('\n');
  }

  function changed() {
    drafts.write(customerId, text.value);
    fit();
    drawCount();
    drawButton();
  }

  // As high as its text, up to what the style sheet allows.
  function fit() {
    text.style.height = 'auto';
    text.style.height = `${text.scrollHeight}px`;
  }

  function drawCount() {
    const { value } = text;
    const counts = count(value);
    const over = value.length - MOST_UNITS;
    number.classList.toggle('is-over', over > 0);
    setAttribute(text, 'aria-invalid', over > 0 ? 'true' : null);
    if (over > 0) setText(number, `${counted(over, 'character')} too long; ${MOST_UNITS.toLocaleString()} fit`);
    else setText(number, value ? `${counts.left} left · ${counted(counts.segments, 'segment')} · ${counts.encoding}` : '');
    drawCostly(value, counts);
    if (value && counts.segments !== segments) announce(counted(counts.segments, 'segment'));
    segments = counts.segments;
  }

  // Most who write a curly quote did not mean to pay for it.
  function drawCostly(value, counts) {
    const simpler = plain(value);
    const worth = counts.encoding === 'UCS-2' && simpler !== value && count(simpler).segments < counts.segments;
    costs.hidden = !worth;
    if (!worth) return;
    const names = costly(value).filter((character) => plain(character) !== character).slice(0, 3).join(' ');
    fill(costs, `${names} make this ${counted(counts.segments, 'segment')} long. `,
      h('button', { class: 'plain small', type: 'button', onclick: () => simplify(simpler) }, `Use plain characters: ${counted(count(simpler).segments, 'segment')}`));
  }

  function simplify(simpler) {
    text.value = simpler;
    changed();
    text.focus();
  }

  function sendable() {
    return gate.open && text.value.trim() !== '' && text.value.length <= MOST_UNITS;
  }

  // It stays in reach of the keyboard: a button that vanishes takes the focus with it.
  function drawButton() {
    setAttribute(button, 'aria-disabled', sendable() ? null : 'true');
  }

  function submit(event) {
    event.preventDefault();
    if (!sendable()) return gate.open && text.focus();
    const words = text.value.trim();
    text.value = '';
    changed();
    stopped();
    send(customerId, words);
    text.focus();
  }

  /** Puts back what could not be sent, before what has been typed since. */
  function putBack(id, words) {
    const kept = drafts.read(id);
    const joined = kept ? `${words}\n${kept}` : words;
    drafts.write(id, joined);
    if (id !== customerId) return;
    text.value = joined;
    changed();
  }

  /** Whether the focus could be taken: a shut composer takes none. */
  function focus() {
    if (!gate.open) return false;
    text.focus();
    text.setSelectionRange(text.value.length, text.value.length);
    return true;
  }

  return { element: form, draw, focus, putBack, openCanned: () => gate.open && insertCanned(false), firstSuggestion: () => suggestions.querySelector('button')?.click() };
}
