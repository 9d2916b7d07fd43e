// Owns what stands beside a conversation: who the customer is, what time it is for them, and the session's tags and
// topics.

import { fill, h } from './dom.js';
import { createLabels } from './labels.js';
import { momentOf, spaced } from './words.js';

/** `change(changes)` saves tags or topics and resolves to whether that worked. */
export function createDetails({ change }) {
  const facts = h('dl', { class: 'facts' });
  const tags = createLabels({ title: 'Tags', singular: 'tag', change: (list) => change({ tags: list }) });
  const topics = createLabels({ title: 'Topics', singular: 'topic', change: (list) => change({ topics: list }) });
  const element = h(
    'div',
    { class: 'details' },
    tags.element,
    topics.element,
    h('section', { class: 'details-part', 'aria-label': 'Customer' }, h('h3', {}, 'Customer'), facts),
  );
  let shown = null;

  function draw({ customer, session }) {
    tags.draw(session?.tags ?? [], Boolean(session));
    topics.draw(session?.topics ?? [], Boolean(session));
    const minute = Math.floor(Date.now() / 60_000);
    if (shown?.customer === customer && shown.minute === minute) return;
    shown = { customer, minute };
    fill(facts, customer ? factsOf(customer).map(([term, words]) => [h('dt', {}, term), h('dd', {}, words)]) : null);
  }

  return { element, draw, focusTags: () => tags.focus() };
}

function factsOf(customer) {
  return [
    ['Name', [customer.first_name, customer.last_name].filter(Boolean).join(' ')],
    ['Number', spaced(customer.phone_number ?? customer.unconfirmed_phone_number ?? '')],
    ['Email', customer.email],
    ['Country', countryOf(customer.country_code)],
    ['Local time', localTime(customer.time_zone)],
    ['Texts', customer.unsubscribed ? 'Unsubscribed' : customer.confirmed_at ? 'Subscribed' : 'Not confirmed'],
    ['Since', momentOf(customer.created_at).replace(/,? \d{1,2}:\d{2}.*$/, '')],
  ].filter(([, words]) => words);
}

function countryOf(code) {
  if (!code) return '';
  try {
    return new Intl.DisplayNames(undefined, { type: 'region' }).of(code);
  } catch {
    return code;
  }
}

// UTC is what the daemon writes when it knows nothing.
function localTime(zone) {
  if (!zone || zone === 'UTC') return '';
  try {
    return new Intl.DateTimeFormat(undefined, {
      weekday: 'short',
      hour: 'numeric',
      minute: '2-digit',
      timeZone: zone,
    }).format(new Date());
  } catch {
    return '';
  }
}
