// Owns the replies that the bot suggests, above the text that is written.

import { fill, h } from './dom.js';
import { icon } from './icons.js';

/** `use(suggestion)` is told which one was chosen. */
export function createSuggestions(use) {
  const element = h('div', { class: 'suggestions', hidden: true });
  let shown = [];

  function draw(list) {
    if (list === shown) return;
    shown = list;
    element.hidden = list.length === 0;
    const title = h('h3', { class: 'suggestions-title' }, icon('spark'), 'Suggested replies');
    fill(element, title, h('ul', {}, list.map(item)));
  }

  function item(suggestion) {
    const onclick = () => use(suggestion);
    return h('li', {}, h('button', { class: 'suggestion', type: 'button', onclick }, suggestion.content));
  }

  return { element, draw, useFirst: () => shown.length > 0 && use(shown[0]) };
}
