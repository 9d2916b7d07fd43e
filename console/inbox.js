// Owns the list of sessions as it is seen: under its headings, only as many rows in the page as fit on the screen,
// and the focus that moves among them.

import { fill, h, keyed, setText } from './dom.js';
import { groupOf, ordered, waitingCounts } from './inbox-list.js';
import { makeRow, updateRow } from './inbox-row.js';
import { createViews } from './inbox-views.js';
import { windowed } from './row-window.js';

const HEADINGS = { waiting: 'Waiting', answered: 'Answered', bot: 'With the bot' };
const EMPTY = {
  all: ['Nobody is waiting', 'When the bot needs help, or you take over, the conversation appears here by itself.'],
  mine: ['Nothing is assigned to you', 'Open a conversation and choose “Assign to me”.'],
  unassigned: ['Everybody has somebody', 'Conversations that nobody has taken appear here by themselves.'],
  bot: ['The bot has no conversations', 'They appear here when a customer writes.'],
  filtered: ['Nothing with this tag or topic', 'Try another one, or clear the filter.'],
};
const SPARE_ROWS = 8;

/** `feed` has the lists; `drafts` says who has an unsent text; `me` is who looks. */
export function createInbox({ feed, drafts, me }) {
  const views = createViews(choose);
  const rows = h('ol', { class: 'rows' });
  const note = h('div', { class: 'list-note' });
  const scroller = h('div', { class: 'rows-scroll' }, rows, note);
  const title = h('h2', { class: 'spoken' }, 'Inbox');
  const element = h('section', { class: 'inbox', 'aria-label': 'Inbox' }, title, views.elements, scroller);
  let items = [];
  let openCustomer = null;
  /** The session whose row has the focus, or had it last. */
  let cursor = null;

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

  function draw() {
    items = withHeadings(ordered(feed.shown()));
    views.draw(feed.view(), waitingCounts(feed.all()), {
      tags: namesIn(feed, 'tags'),
      topics: namesIn(feed, 'topics'),
    });
    drawRows();
    drawNote(feed.shown());
  }

  function drawRows() {
    const heights = heightsOf(rows);
    const spare = SPARE_ROWS * heights.row;
    const bottom = scroller.scrollTop + scroller.clientHeight + spare;
    const { items: drawn, height } = windowed(items, {
      heightOf: (item) => (item.heading ? heights.heading : heights.row),
      top: scroller.scrollTop - spare,
      bottom,
      keep: rows.contains(document.activeElement) ? cursor : null,
    });
    keyed(rows, drawn, { key: (item) => item.key, make: makeItem, update: updateItem });
    if (feed.shown().next && height < bottom + scroller.clientHeight) feed.more();
  }

  function makeItem(item) {
    if (item.row) return makeRow();
    if (item.heading) return h('li', { class: 'rows-heading' });
    return h('li', { class: 'rows-gap', role: 'presentation', 'aria-hidden': 'true' });
  }

  function updateItem(element, { row, heading, gap }) {
    if (heading) setText(element, heading);
    else if (gap) element.style.height = `${gap}px`;
    else updateRow(element, row, { me, open: row.customer_id === openCustomer, draft: draftOf(row) });
  }

  // The open one is being written: that is seen there.
  function draftOf(row) {
    return row.customer_id === openCustomer ? '' : drafts.read(row.customer_id);
  }

  function drawNote(list) {
    const kind = noteKind(list);
    if (note.dataset.kind === kind) return;
    note.dataset.kind = kind;
    if (kind === 'loading') fill(note, skeleton());
    else if (kind === 'more') fill(note, h('p', {}, 'Loading more…'));
    else if (kind === 'failed') fill(note, failure(list.problem));
    else if (kind === 'ready') fill(note);
    else fill(note, emptiness(EMPTY[kind]));
  }

  function failure(problem) {
    const again = h('button', { type: 'button', onclick: () => feed.reload() }, 'Try again');
    return [...emptiness(['The inbox could not be loaded', problem.words]), again];
  }

  /** Moves the focus so many rows down (or, with less than 0, up). */
  function move(by) {
    const places = items.filter(({ row }) => row);
    if (places.length === 0) return;
    const from = places.indexOf(placeIn(places));
    const to = from < 0 ? 0 : Math.min(places.length - 1, Math.max(0, from + by));
    focusRow(places[to].row);
  }

  function placeIn(places) {
    return places.find(({ row }) => row.id === cursor) ?? places.find(({ row }) => row.customer_id === openCustomer);
  }

  function focusRow(row) {
    cursor = row.id;
    const heights = heightsOf(rows);
    const before = items.slice(
      0,
      items.findIndex(({ key }) => key === row.id),
    );
    const y = before.reduce((sum, { heading }) => sum + (heading ? heights.heading : heights.row), 0);
    const end = y + heights.row;
    if (y < scroller.scrollTop) scroller.scrollTop = y;
    if (end > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = end - scroller.clientHeight;
    drawRows();
    rows.querySelector(`li[data-session="${CSS.escape(row.id)}"] a`)?.focus({ preventScroll: true });
  }

  /** Gives the focus to where it was last, else to the open conversation, else to the first. */
  function focus() {
    const places = items.filter(({ row }) => row);
    const place = placeIn(places) ?? places[0];
    if (place) focusRow(place.row);
    else views.focus();
  }

  function setOpen(customerId) {
    openCustomer = customerId;
    cursor = items.find(({ row }) => row?.customer_id === customerId)?.row.id ?? cursor;
  }

  /** The session of a customer as the inbox knows it; null if it does not. */
  function rowOf(customerId) {
    return rowsOf(feed).find((row) => row.customer_id === customerId) ?? null;
  }

  return { element, draw, move, focus, setOpen, rowOf, choose: (who) => choose({ who }) };
}

function noteKind({ state, rows, view }) {
  if (rows.size > 0 || state === 'loading' || state === 'failed') return state;
  return view.tag || view.topic ? 'filtered' : view.who;
}

function withHeadings(rows) {
  const items = [];
  let group = null;
  for (const row of rows) {
    if (groupOf(row) !== group) {
      group = groupOf(row);
      items.push({ key: `heading ${group}`, heading: HEADINGS[group] });
    }
    items.push({ key: row.id, row });
  }
  return items;
}

function rowsOf(feed) {
  return [feed.shown(), feed.all()].flatMap((list) => [...list.rows.values()]);
}

function namesIn(feed, which) {
  return [...new Set(rowsOf(feed).flatMap((row) => row[which]))].sort();
}

// As the style sheet has them, in pixels: what is not drawn has its height all the same.
function heightsOf(element) {
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  const styles = getComputedStyle(element);
  const height = (name) => parseFloat(styles.getPropertyValue(name)) * rem;
  return { row: height('--row'), heading: height('--heading') };
}

function emptiness([title, words]) {
  return [h('p', { class: 'empty-title' }, title), h('p', {}, words)];
}

function skeleton() {
  const bone = (kind) => h('span', { class: kind });
  const row = () =>
    h('div', { class: 'skeleton-row', 'aria-hidden': 'true' }, ['picture', 'bone', 'bone bone-long'].map(bone));
  return [h('p', { class: 'spoken' }, 'Loading the inbox…'), Array.from({ length: 7 }, row)];
}
