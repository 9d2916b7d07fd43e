// Owns how one session looks in the inbox: who it is, the last word, and how long they have waited.

import { setWaitingSince, waitingSince } from './clock.js';
import { fill, h, setAttribute, setText, spoken } from './dom.js';
import { icon } from './icons.js';
import { hashOf } from './route.js';
import { briefly, initials, nameOf, reasonOf } from './words.js';

/** A link to the conversation. `updateRow` gives it what it says. */
export function makeRow() {
  const parts = {
    picture: h('span', { class: 'picture', 'aria-hidden': 'true' }),
    name: h('span', { class: 'row-name' }),
    when: h('span', { class: 'row-when' }),
    preview: h('span', { class: 'row-preview' }),
    marks: h('span', { class: 'row-marks' }),
  };
  const link = h(
    'a',
    { class: 'row', draggable: 'false' },
    parts.picture,
    h('span', { class: 'row-line' }, parts.name, parts.when),
    h('span', { class: 'row-line' }, parts.preview, parts.marks),
  );
  const item = h('li', {}, link);
  item.parts = { ...parts, link };
  return item;
}

export function updateRow(item, row, { me, open, draft }) {
  const { parts } = item;
  // Rows are drawn at every event of every session; most have not changed.
  if (item.shown === row && item.shownOpen === open && item.shownDraft === draft) return;
  Object.assign(item, { shown: row, shownOpen: open, shownDraft: draft });
  item.dataset.session = row.id;
  parts.link.href = hashOf(row.customer_id);
  setAttribute(parts.link, 'aria-current', open ? 'true' : null);
  drawPicture(parts.picture, row.customer);
  setText(parts.name, row.customer ? nameOf(row.customer) : '…');
  drawWhen(parts.when, row);
  drawPreview(parts.preview, row, me, draft);
  drawMarks(parts.marks, row, me);
}

/** The round picture of a customer: initials, or a figure for those without a name. */
export function drawPicture(element, customer) {
  const letters = initials(customer);
  element.dataset.hue = hueOf(customer?.id ?? '');
  if (letters) setText(element, letters);
  else if (!element.querySelector('svg')) fill(element, icon('person'));
}

function hueOf(id) {
  return id ? parseInt(id.slice(-2), 16) % 6 : 0;
}

function drawWhen(element, row) {
  const since = row.need_attention ? row.attention?.waiting_since : null;
  const shown = element.querySelector('[data-since]');
  if (since && shown) setWaitingSince(shown, since);
  else if (since) fill(element, waitingSince(since));
  else setText(element, row.last_message ? briefly(row.last_message.created_at, Date.now()) : '');
}

function drawPreview(element, row, me, draft) {
  const reason = row.need_attention && row.attention?.waiting_since ? reasonOf(row.attention.reason) : '';
  if (draft) fill(element, h('span', { class: 'row-draft' }, 'Draft: '), oneLine(draft));
  else if (reason)
    fill(
      element,
      h('span', { class: 'row-reason' }, reason),
      spoken('. '),
      ' ',
      lastWords(row, me),
    );
  else fill(element, lastWords(row, me));
}

function lastWords({ last_message: last }, me) {
  if (!last) return 'No messages yet';
  const words = oneLine(last.content) || 'Attachment';
  if (last.sender_role === 'init') return `Bot: ${words}`;
  if (last.sender_role !== 'agent') return words;
  return last.author === undefined || last.author === me.name ? `You: ${words}` : `${last.author}: ${words}`;
}

function oneLine(text) {
  return text.slice(0, 160).replace(/\s+/g, ' ').trim();
}

function drawMarks(element, row, me) {
  const assignee = row.need_attention ? row.attention?.assignee : null;
  fill(
    element,
    row.customer?.unsubscribed ? h('span', { class: 'chip chip-warning' }, 'Opted out') : null,
    assignee
      ? h(
          'span',
          { class: assignee === me.name ? 'chip chip-mine' : 'chip' },
          spoken('Assigned to '),
          assignee === me.name ? 'You' : assignee,
        )
      : null,
    row.tags
      .slice(0, 1)
      .map((tag) => h('span', { class: 'chip chip-tag' }, spoken('Tag '), tag)),
    row.tags.length > 1
      ? h('span', { class: 'chip chip-tag' }, `+${row.tags.length - 1}`, spoken(' more tags'))
      : null,
  );
}
