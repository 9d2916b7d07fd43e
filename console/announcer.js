// Owns what screen readers are told that nobody asked for: new messages and what became of an action.

import { h } from './dom.js';

const polite = h('div', { class: 'spoken', role: 'status', 'aria-live': 'polite' });
const SETTLED_MS = 250;
const MOST_AT_ONCE = 3;
let waiting = [];
let timer = null;

/** The element to put into the page, once. */
export function announcerElement() {
  return polite;
}

/** Says something when the reader has finished. What comes in a burst is said as one, and not all of it. */
export function announce(words) {
  waiting.push(words);
  clearTimeout(timer);
  timer = setTimeout(say, SETTLED_MS);
}

function say() {
  const left = waiting.length - MOST_AT_ONCE;
  const words = waiting.slice(-MOST_AT_ONCE).join(' ');
  polite.textContent = left > 0 ? `${words} And ${left} more.` : words;
  waiting = [];
}
