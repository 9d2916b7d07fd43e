// Owns the messages of one customer as they are to be read: merged from pages and events, in order, each with what
// became of it. Asks nobody, and knows no page.

import { dayKey } from './words.js';

const SAME_BREATH_MS = 5 * 60_000;

export function emptyLog() {
  return { messages: new Map(), early: new Map() };
}

/** Messages as a list of the API gives them, with `delivery`, `author` and `media`. */
export function withPage(log, messages) {
  return messages.map(fromApi).reduce(put, log);
}

export function withEvents(log, events) {
  return events.reduce(withEvent, log);
}

/** What becomes of a message, as far as a reader cares: `{status, sentAt, deliveredAt, error, held}`. */
function fromApi({ delivery, ...message }) {
  if (!delivery) return { held: false, sentOn: null, error: null, ...message };
  return {
    ...message,
    author: message.author ?? delivery.author,
    status: delivery.status,
    error: delivery.error,
    held: delivery.held_at !== null,
    sentOn: sentOn(delivery),
    segments: delivery.segments,
  };
}

/** All messages, the oldest first. */
export function inOrder(log) {
  return [...log.messages.values()].sort(compare);
}

/**
 * What is to be shown, top to bottom: `{kind: 'day', at}`, `{kind: 'session', session}` and
 * `{kind: 'message', message, first, last}`; `first` and `last` of a run that one author wrote in one breath.
 * `pending` are messages that are not the daemon's yet; they stand at the end.
 */
export function timeline(log, pending = []) {
  const all = [...inOrder(log), ...pending];
  const items = [];
  all.forEach((message, at) => {
    const [before, after] = [all[at - 1], all[at + 1]];
    if (!before || dayKey(before.created_at) !== dayKey(message.created_at)) {
      items.push({ kind: 'day', key: `day ${dayKey(message.created_at)}`, at: message.created_at });
    }
    if (before && before.session_id && message.session_id && before.session_id !== message.session_id) {
      items.push({ kind: 'session', key: `session ${message.session_id}`, at: message.created_at });
    }
    items.push({
      kind: 'message',
      key: message.id,
      message,
      first: !inOneBreath(before, message),
      last: !inOneBreath(message, after),
    });
  });
  return items;
}

/** How far a message got: what the ticks say. */
export function progress({ sender_role: role, status, delivered_at: deliveredAt, held }) {
  if (role === 'end-user') return 'none';
  if (deliveredAt) return 'delivered';
  if (held) return 'held';
  return status ?? 'queued';
}

function inOneBreath(a, b) {
  return (
    a !== undefined &&
    b !== undefined &&
    a.sender_role === b.sender_role &&
    a.author === b.author &&
    (a.session_id === b.session_id || !a.session_id || !b.session_id) &&
    dayKey(a.created_at) === dayKey(b.created_at) &&
    Date.parse(b.created_at) - Date.parse(a.created_at) < SAME_BREATH_MS
  );
}

function withEvent(log, { name, data }) {
  if (data.gone) return withoutMessage(log, data.id ?? data.message_id);
  if (name === 'message.created' || name === 'message.updated') return put(log, { ...data });
  if (name.startsWith('delivery.')) return withDelivery(log, name, data);
  return log;
}

// Events may overtake each other and the pages: what is newer stays, and what comes too early is kept for later.
function put(log, message) {
  const known = log.messages.get(message.id);
  const early = log.early.get(message.id);
  const merged = known
    ? merge(known, message)
    : merge({ held: false, sentOn: null, error: null, ...message }, early ?? {});
  return { ...log, messages: new Map(log.messages).set(message.id, merged) };
}

function withDelivery(log, name, data) {
  const known = log.messages.get(data.message_id);
  const change = {
    status: data.status,
    error: data.error ?? null,
    held: name === 'delivery.held',
    segments: data.segments,
    updated_at: data.updated_at,
    delivered_at: data.delivered_at,
    ...(name === 'delivery.sent' ? { sentOn: data.updated_at } : {}),
  };
  if (!known) {
    const early = merge(log.early.get(data.message_id) ?? change, change);
    return { ...log, early: new Map(log.early).set(data.message_id, early) };
  }
  return { ...log, messages: new Map(log.messages).set(data.message_id, merge(known, change)) };
}

function merge(known, news) {
  const [older, newer] = isNewer(news, known) ? [known, news] : [news, known];
  const filled = Object.entries(newer).filter(([, value]) => value !== undefined);
  return {
    ...older,
    ...Object.fromEntries(filled),
    delivered_at: known.delivered_at ?? news.delivered_at ?? null,
    sentOn: known.sentOn ?? news.sentOn ?? null,
  };
}

// At the same moment, the one who knows of more has seen more.
function isNewer(news, known) {
  const [then, now] = [known.updated_at ?? '', news.updated_at ?? ''];
  return now > then || (now === then && stage(news) >= stage(known));
}

function stage({ status = 'queued' }) {
  const at = ['queued', 'sending', 'sent'].indexOf(status);
  return at < 0 ? Infinity : at;
}

function withoutMessage(log, id) {
  if (!log.messages.has(id)) return log;
  const messages = new Map(log.messages);
  messages.delete(id);
  return { ...log, messages };
}

// When the network took it, by the provider's word; else when the provider took it.
function sentOn(delivery) {
  const said = delivery.provider_status_history.find(({ status }) => status === 'sent');
  return said?.at ?? delivery.dispatched_at;
}

function compare(a, b) {
  if (a.created_at !== b.created_at) return a.created_at < b.created_at ? -1 : 1;
  return a.id < b.id ? -1 : Number(a.id > b.id);
}
