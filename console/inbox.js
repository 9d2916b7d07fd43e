// Owns the list of sessions as it is seen: the views, the filters, and only as many rows in the page as fit on the screen.

import { fill, freshId, h, keyed, setAttribute, setText } from './dom.js';
import { icon } from './icons.js';
import { groupOf, ordered, waitingCounts } from './inbox-list.js';
import { makeRow, updateRow } from './inbox-row.js';

const VIEWS = [
  { who: 'all', label: 'All' },
  { who: 'mine', label: 'Mine' },
  { who: 'unassigned', label: 'Unassigned' },
  { who: 'bot', label: 'Bot', name: 'With the bot' },
];
const HEADINGS = { waiting: 'Waiting', answered: 'Answered', bot: 'With the bot' };
const EMPTY = {
  all: ['Nobody is waiting', 'When the bot needs help, or you take over, the conversation appears here by itself.'],
  mine: ['Nothing is assigned to you', 'Open a conversation and choose “Assign to me”.'],
  unassigned: ['Everybody has somebody', 'Conversations that nobody has taken appear here by themselves.'],
  bot: ['The bot has no conversations', 'They appear here when a customer writes.'],
};
const SPARE_ROWS = 8;

/** `feed` has the lists; `drafts` says who has an unsent text; `me` is who looks. */
export function createInbox({ feed, drafts, me }) {
  let openCustomer = null;
  let cursor = null;

  const views = VIEWS.map(({ who, label, name }) => {
    const number = h('span', { class: 'view-count' });
    const button = h('button', { class: 'view', type: 'button', 'aria-label': name, title: name, onclick: () => choose({ who }) }, label, number);
    return { who, button, number };
  });
  const tag = filterField('Tag', (value) => choose({ tag: value }));
  const topic = filterField('Topic', (value) => choose({ topic: value }));
  const filters = h('div', { class: 'filters', id: freshId('filters'), hidden: true }, tag.element, topic.element,
    h('button', { class: 'plain small', type: 'button', onclick: clearFilters }, 'Clear'));
  const filterButton = h('button', { class: 'plain icon-button', type: 'button', 'aria-label': 'Filter by tag or topic', title: 'Filter by tag or topic',
    'aria-expanded': 'false', 'aria-controls': filters.id, onclick: toggleFilters }, icon('filter'));
  const rows = h('ol', { class: 'rows' });
  const note = h('div', { class: 'list-note' });
  const scroller = h('div', { class: 'rows-scroll' }, rows, note);
  const element = h('section', { class: 'inbox', 'aria-label': 'Inbox' },
    h('h2', { class: 'spoken' }, 'Inbox'),
    h('div', { class: 'views' },
      h('div', { class: 'view-group', role: 'group', 'aria-label': 'Show' }, views.map(({ button }) => button)), filterButton),
    filters, scroller);

  scroller.addEventListener('scroll', () => requestAnimationFrame(drawRows), { passive: true });
  new ResizeObserver(() => drawRows()).observe(scroller);
  rows.addEventListener('focusin', (event) => {
    cursor = event.target.closest('li')?.dataset.session ?? cursor;
  });

  function choose(changes) {
    scroller.scrollTop = 0;
    cursor = null;
    feed.setView({ ...feed.view(), ...changes });
  }

  function toggleFilters() {
    filters.hidden = !filters.hidden;
    filterButton.setAttribute('aria-expanded', String(!filters.hidden));
    if (!filters.hidden) tag.input.focus();
  }

  function clearFilters() {
    tag.input.value = '';
    topic.input.value = '';
    choose({ tag: '', topic: '' });
    tag.input.focus();
  }

  let flat = [];

  function draw() {
    const list = feed.shown();
    flat = withHeadings(ordered(list));
    const { who, tag: byTag, topic: byTopic } = feed.view();
    const counts = waitingCounts(feed.all());
    for (const view of views) {
      setAttribute(view.button, 'aria-pressed', String(view.who === who));
      drawCount(view.number, counts[view.who], counts.more);
    }
    filterButton.classList.toggle('is-on', Boolean(byTag || byTopic));
    tag.suggest(namesIn(feed, 'tags'));
    topic.suggest(namesIn(feed, 'topics'));
    drawRows();
    drawNote(list, who, Boolean(byTag || byTopic));
  }

  // Those in sight, some more, and the one that has the focus; gaps of the right height stand for all others.
  function drawRows() {
    const { row, heading } = heightsOf(rows);
    const heights = flat.map((item) => (item.heading ? heading : row));
    const top = scroller.scrollTop - SPARE_ROWS * row;
    const bottom = scroller.scrollTop + scroller.clientHeight + SPARE_ROWS * row;
    const focused = rows.contains(document.activeElement) ? cursor : null;
    const items = [];
    let y = 0;
    let gap = 0;
    flat.forEach((item, at) => {
      const inSight = y + heights[at] > top && y < bottom;
      if (inSight || (item.row && item.row.id === focused)) {
        if (gap > 0) items.push({ key: `gap before ${item.key}`, gap });
        gap = 0;
        items.push(item);
      } else {
        gap += heights[at];
      }
      y += heights[at];
    });
    if (gap > 0) items.push({ key: 'gap at the end', gap });
    keyed(rows, items, { key: (item) => item.key, make: makeItem, update: updateItem });
    if (feed.shown().next && y < bottom + scroller.clientHeight) feed.more();
  }

  function makeItem(item) {
    if (item.row) return makeRow();
    return h('li', item.heading ? { class: 'rows-heading' } : { class: 'rows-gap', role: 'presentation', 'aria-hidden': 'true' });
  }

  function updateItem(element, item) {
    if (item.row) updateRow(element, item.row, { me, open: item.row.customer_id === openCustomer, draft: draftOf(item.row) });
    else if (item.heading) setText(element, item.heading);
    else element.style.height = `${item.gap}px`;
  }

  function draftOf(row) {
    return row.customer_id === openCustomer ? '' : drafts.read(row.customer_id);
  }

  function drawNote(list, who, filtered) {
    const kind = list.state === 'loading' ? 'loading' : list.state === 'failed' ? 'failed' : list.rows.size === 0 ? `empty ${who} ${filtered}` : list.state;
    if (note.dataset.kind === kind) return;
    note.dataset.kind = kind;
    if (kind === 'loading') fill(note, skeleton());
    else if (kind === 'more') fill(note, h('p', { class: 'list-more' }, 'Loading more…'));
    else if (kind === 'failed') fill(note, failure(list.problem));
    else if (list.rows.size > 0) fill(note);
    else if (filtered) fill(note, emptiness('Nothing with this tag or topic', 'Try another one, or clear the filter.'));
    else fill(note, emptiness(...EMPTY[who]));
  }

  function failure(problem) {
    return [
      h('p', { class: 'empty-title' }, 'The inbox could not be loaded'),
      h('p', {}, problem.words),
      h('button', { type: 'button', onclick: () => feed.reload() }, 'Try again'),
    ];
  }

  /** Moves the focus so many rows down (or, with less than 0, up). */
  function move(by) {
    const places = flat.filter(({ row }) => row);
    if (places.length === 0) return;
    const current = places.findIndex(({ row }) => row.id === cursor);
    const opened = places.findIndex(({ row }) => row.customer_id === openCustomer);
    const from = current >= 0 ? current : opened;
    const to = from < 0 ? 0 : Math.min(places.length - 1, Math.max(0, from + by));
    focusRow(places[to].row.id);
  }

  function focusRow(sessionId) {
    cursor = sessionId;
    const at = flat.findIndex(({ row }) => row?.id === sessionId);
    if (at < 0) return;
    const { row, heading } = heightsOf(rows);
    const y = flat.slice(0, at).reduce((sum, item) => sum + (item.heading ? heading : row), 0);
    if (y < scroller.scrollTop) scroller.scrollTop = y;
    const end = y + row;
    if (end > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = end - scroller.clientHeight;
    drawRows();
    rows.querySelector(`li[data-session="${CSS.escape(sessionId)}"] a`)?.focus({ preventScroll: true });
  }

  /** Gives the focus to where it was last, else to the open conversation, else to the first. */
  function focus() {
    const places = flat.filter(({ row }) => row);
    const place = places.find(({ row }) => row.id === cursor) ?? places.find(({ row }) => row.customer_id === openCustomer) ?? places[0];
    if (place) focusRow(place.row.id);
    else views[0].button.focus();
  }

  function setOpen(customerId) {
    openCustomer = customerId;
    const row = flat.find(({ row: one }) => one?.customer_id === customerId);
    if (row) cursor = row.row.id;
    draw();
  }

  /** The session of a customer as the inbox knows it, if it does. */
  function rowOf(customerId) {
    return [feed.shown(), feed.all()].flatMap((list) => [...list.rows.values()]).find((row) => row.customer_id === customerId) ?? null;
  }

  return { element, draw, move, focus, setOpen, rowOf, choose: (who) => choose({ who }) };
}

// As the style sheet has them, in pixels: what is not drawn has its height all the same.
function heightsOf(element) {
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  const styles = getComputedStyle(element);
  const height = (name) => parseFloat(styles.getPropertyValue(name)) * rem;
  return { row: height('--row'), heading: height('--heading') };
}

function withHeadings(rows) {
  const flat = [];
  let group = null;
  for (const row of rows) {
    if (groupOf(row) !== group) {
      group = groupOf(row);
      flat.push({ key: `heading ${group}`, heading: HEADINGS[group] });
    }
    flat.push({ key: row.id, row });
  }
  return flat;
}

function drawCount(element, number, more) {
  element.hidden = !number;
  if (number) fill(element, number > 99 || more ? `${Math.min(number, 99)}+` : String(number), h('span', { class: 'spoken' }, ' waiting'));
}

function filterField(label, changed) {
  const listId = freshId('names');
  const names = h('datalist', { id: listId });
  const input = h('input', { type: 'text', id: freshId('filter'), list: listId, autocomplete: 'off', placeholder: 'Any', maxlength: 100 });
  input.addEventListener('change', () => changed(input.value.trim()));
  const element = h('div', { class: 'filter' }, h('label', { for: input.id }, label), input, names);
  let known = '';
  const suggest = (all) => {
    if (known === all.join('\n')) return;
    known = all.join('\n');
    fill(names, all.map((name) => h('option', { value: name })));
  };
  return { element, input, suggest };
}

function namesIn(feed, which) {
  const rows = [feed.shown(), feed.all()].flatMap((list) => [...list.rows.values()]);
  return [...new Set(rows.flatMap((row) => row[which]))].sort();
}

function emptiness(title, words) {
  return [h('p', { class: 'empty-title' }, title), h('p', {}, words)];
}

function skeleton() {
  return [
    h('p', { class: 'spoken' }, 'Loading the inbox…'),
    Array.from({ length: 7 }, () => h('div', { class: 'skeleton-row', 'aria-hidden': 'true' }, h('span', { class: 'picture' }), h('span', { class: 'bone' }), h('span', { class: 'bone bone-long' }))),
  ];
}
