// Owns a switch: on or off, with its label and a hint.

import { freshId, h } from './dom.js';

/** A switch with its label and a hint. `change(on, {input, hint})`. */
export function switchFor({ label, hint: words, on, change }) {
  const id = freshId('switch');
  const hint = h('span', { class: 'hint', id: `${id}-hint` }, words);
  const input = h('input', {
    type: 'checkbox',
    role: 'switch',
    id,
    checked: on,
    'aria-describedby': `${id}-hint`,
    onchange: () => change(input.checked, { input, hint }),
  });
  return h('div', { class: 'switch' }, h('label', { for: id }, label), hint, input);
}
