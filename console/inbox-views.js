// Owns the line above the inbox: whose sessions are shown, how many wait in each view, and the filter by tag and topic.

import { fill, freshId, h, setAttribute, spoken } from './dom.js';
import { iconButton } from './icons.js';

const VIEWS = [
  { who: 'all', label: 'All' },
  { who: 'mine', label: 'Mine' },
  { who: 'unassigned', label: 'Unassigned' },
  { who: 'bot', label: 'Bot', name: 'With the bot' },
];

/** `choose(changes)` is told what to show instead: `who`, `tag`, `topic`. */
export function createViews(choose) {
  const views = VIEWS.map((view) => viewButton(view, () => choose({ who: view.who })));
  const tag = filterField('Tag', (value) => choose({ tag: value }));
  const topic = filterField('Topic', (value) => choose({ topic: value }));
  const clear = h('button', { class: 'plain small', type: 'button', onclick: clearFilters }, 'Clear');
  const filters = h(
    'div',
    { class: 'filters', id: freshId('filters'), hidden: true },
    tag.element,
    topic.element,
    clear,
  );
  const words = 'Filter by tag or topic';
  const opener = iconButton('filter', words, {
    title: words,
    'aria-expanded': 'false',
    'aria-controls': filters.id,
    onclick: toggleFilters,
  });
  const buttons = views.map(({ button }) => button);
  const group = h('div', { class: 'view-group', role: 'group', 'aria-label': 'Show' }, buttons);

  function toggleFilters() {
    filters.hidden = !filters.hidden;
    opener.setAttribute('aria-expanded', String(!filters.hidden));
    if (!filters.hidden) tag.input.focus();
  }

  function clearFilters() {
    tag.input.value = '';
    topic.input.value = '';
    choose({ tag: '', topic: '' });
    tag.input.focus();
  }

  /** `counts` as `waitingCounts` has them; `known` are the `tags` and `topics` that may be meant. */
  function draw(view, counts, known) {
    for (const { who, button, number } of views) {
      setAttribute(button, 'aria-pressed', String(who === view.who));
      drawCount(number, counts[who], counts.more);
    }
    opener.classList.toggle('is-on', Boolean(view.tag || view.topic));
    tag.suggest(known.tags);
    topic.suggest(known.topics);
  }

  return { elements: [h('div', { class: 'views' }, group, opener), filters], draw, focus: () => buttons[0].focus() };
}

function viewButton({ who, label, name }, onclick) {
  const number = h('span', { class: 'view-count' });
  const button = h(
    'button',
    { class: 'view', type: 'button', 'aria-label': name, title: name, onclick },
    label,
    number,
  );
  return { who, button, number };
}

function drawCount(element, number, more) {
  element.hidden = !number;
  if (!number) return;
  const words = number > 99 || more ? `${Math.min(number, 99)}+` : String(number);
  fill(element, words, spoken(' waiting'));
}

function filterField(label, changed) {
  const id = freshId('filter');
  const names = h('datalist', { id: `${id}-names` });
  const input = h('input', {
    type: 'text',
    id,
    list: names.id,
    autocomplete: 'off',
    placeholder: 'Any',
    maxlength: 100,
  });
  input.addEventListener('change', () => changed(input.value.trim()));
  let known = '';
  const suggest = (all) => {
    if (known === all.join('\n')) return;
    known = all.join('\n');
    const options = all.map((name) => h('option', { value: name }));
    fill(names, options);
  };
  return { element: h('div', { class: 'filter' }, h('label', { for: id }, label), input, names), input, suggest };
}
