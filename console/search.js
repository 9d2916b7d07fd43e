// Owns the search: a field over the inbox, and the customers that it finds in the place of the list.

import * as api from './api.js';
import { fill, h, setText } from './dom.js';
import { icon } from './icons.js';
import { drawPicture } from './inbox-row.js';
import { hashOf } from './route.js';
import { nameOf, numberOf } from './words.js';

const PAUSE_MS = 180;

/** `changed(active)` is told when results take the place of the inbox, and when they leave it again. */
export function createSearch({ changed, failed }) {
  const input = h('input', {
    type: 'search',
    id: 'search',
    placeholder: 'Search name or number',
    'aria-label': 'Search customers by name or number',
    autocomplete: 'off',
    spellcheck: 'false',
    enterkeyhint: 'search',
  });
  const status = h('p', { class: 'search-status', role: 'status' });
  const list = h('ul', { class: 'rows' });
  const results = h('div', { class: 'search-results', hidden: true }, status, list);
  const field = h(
    'search',
    { class: 'search', role: 'search' },
    icon('search'),
    input,
    h('kbd', { class: 'search-key', 'aria-hidden': 'true' }, '/'),
  );
  let timer = null;
  let generation = 0;

  input.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(find, PAUSE_MS);
  });
  field.addEventListener('keydown', onKey);
  results.addEventListener('keydown', onKey);
  list.addEventListener('click', (event) => {
    if (event.target.closest('a')) close();
  });

  async function find() {
    generation += 1;
    const mine = generation;
    const text = input.value.trim();
    show(text.length > 0);
    if (text.length < 2) return tell(text ? 'Type one more character.' : '', []);
    setText(status, 'Searching…');
    try {
      const found = await api.customersLike(text);
      if (mine === generation) tell(wordsFor(found.length), found);
    } catch (problem) {
      if (mine === generation) tell(problem.words, []);
      failed(problem);
    }
  }

  function tell(words, customers) {
    setText(status, words);
    fill(list, customers.map(resultRow));
  }

  function show(active) {
    if (results.hidden === !active) return;
    results.hidden = !active;
    changed(active);
  }

  function onKey(event) {
    const links = [...list.querySelectorAll('a')];
    const at = links.indexOf(document.activeElement);
    if (event.key === 'Escape') {
      event.preventDefault();
      event.stopPropagation();
      close();
    } else if (event.key === 'ArrowDown' && links.length > 0) {
      event.preventDefault();
      links[Math.min(at + 1, links.length - 1)].focus();
    } else if (event.key === 'ArrowUp' && at >= 0) {
      event.preventDefault();
      (links[at - 1] ?? input).focus();
    } else if (event.key === 'Enter' && event.target === input && links.length > 0) {
      links[0].click();
    }
  }

  function close() {
    clearTimeout(timer);
    generation += 1;
    input.value = '';
    tell('', []);
    show(false);
  }

  return { field, results, focus: () => input.focus() };
}

function resultRow(customer) {
  const picture = h('span', { class: 'picture', 'aria-hidden': 'true' });
  drawPicture(picture, customer);
  const number = numberOf(customer);
  const name = nameOf(customer);
  return h(
    'li',
    {},
    h(
      'a',
      { class: 'row', href: hashOf(customer.id) },
      picture,
      h('span', { class: 'row-line' }, h('span', { class: 'row-name' }, name)),
      h(
        'span',
        { class: 'row-line' },
        h('span', { class: 'row-preview' }, name === number ? standing(customer) : number),
      ),
    ),
  );
}

function standing({ unsubscribed, confirmed_at: confirmed }) {
  if (unsubscribed) return 'Unsubscribed';
  return confirmed ? 'No name yet' : 'Not confirmed';
}

function wordsFor(number) {
  if (number === 0) return 'Nobody found. Try the beginning of a name, or either end of a number.';
  return number === 1 ? '1 customer' : `${number} customers`;
}
