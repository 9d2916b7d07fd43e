// Owns the short notices at the edge of the page: what was done, and what did not work.

import { h } from './dom.js';
import { icon, iconButton } from './icons.js';

const STAYS_MS = 5000;
const region = h('div', { class: 'toasts', role: 'region', 'aria-label': 'Notices' });

/** The element to put into the page, once. */
export function toastsElement() {
  return region;
}

/** Says that something was done. It goes by itself. */
export function toast(words) {
  show(words, 'status');
}

/** Says that something did not work. It stays until it is closed. */
export function toastProblem(words) {
  show(words, 'alert');
}

function show(words, role) {
  for (const other of region.children) if (other.dataset.words === words) other.remove();
  const close = iconButton('close', 'Dismiss notice', { onclick: () => box.remove() });
  const box = h(
    'div',
    { class: `toast toast-${role}`, role, 'data-words': words },
    role === 'alert' ? icon('warning') : null,
    h('p', {}, words),
    close,
  );
  region.append(box);
  if (role === 'status') setTimeout(() => box.remove(), STAYS_MS);
}
