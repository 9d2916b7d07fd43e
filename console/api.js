// Owns the calls that the console makes: the public API through its client, as whoever the session's cookie says.
// Whatever goes wrong comes out as a problem in plain words; nothing else knows the client.

import { Client } from './client.mjs';
import { problemOf } from './problems.js';

// Not sendable from other sites: this header is what makes the cookie count.
const HEADERS = { 'x-requested-with': 'switchboard-console' };
const INBOX_EXPAND = 'customer,last_message,attention';
const THREAD_EXPAND = 'delivery,author,media';
const PAGE = 50;
const EVENTS = ['message.*', 'delivery.*', 'session.*', 'customer.*', 'bot.suggested'];

const client = new Client({ headers: HEADERS, credentials: 'same-origin', retries: 1 });
// The outbox tries again by itself, and shows that it does.
const ONCE = { retries: 0 };

/** `{name, role}` of whoever is signed in. */
export const me = () => tried(client.me());

export const signIn = (token) => tried(client.request('POST', '/console/session', { body: { token } }, ONCE));
export const signOut = () => tried(client.request('DELETE', '/console/session'));

/** A page of the inbox: `{rows, next}`, where `next()` loads the one after, or is null. */
export function inbox({ who, tag, topic }) {
  const query = { need_attention: who !== 'bot', expand: INBOX_EXPAND, limit: PAGE };
  if (who === 'mine') query.assignee = 'me';
  if (who === 'unassigned') query.assignee = 'none';
  if (tag) query.tag = tag;
  if (topic) query.topic = topic;
  return tried(client.sessions.inbox(query).page().then(pageOf));
}

/** A session as a row of the inbox. */
export const inboxRow = (customerId, sessionId) =>
  tried(client.sessions.retrieve(customerId, sessionId, { expand: INBOX_EXPAND }));

export const customer = (id) => tried(client.customers.retrieve(id));

/** Customers by the beginning of a name, or of either end of a number. */
export const customersLike = (text) =>
  tried(
    client.customers
      .search(text, { limit: 20 })
      .page()
      .then((page) => page.items),
  );

/** All conversations of a customer, the newest first. */
export const sessionsOf = (customerId) =>
  tried(
    client.sessions
      .list(customerId, { limit: 1000 })
      .toArray()
      .then((sessions) => sessions.reverse()),
  );

export const currentSession = (customerId) =>
  tried(client.sessions.retrieve(customerId, 'current', { expand: 'attention,suggested_messages' }));

/** Messages of a session, the newest first, as `inbox` gives its rows. */
export const messages = (customerId, sessionId) =>
  tried(client.messages.list(customerId, sessionId, { expand: THREAD_EXPAND, limit: PAGE }).page().then(pageOf));

export const message = (id) => tried(client.messages.retrieve(id, { expand: THREAD_EXPAND }));

export const send = (customerId, content, idempotencyKey) =>
  tried(client.messages.create(customerId, 'current', { content, content_type: 'text' }, { ...ONCE, idempotencyKey }));

export const cancelMessage = (id) => tried(client.messages.cancel(id));
export const resendMessage = (id) => tried(client.messages.resend(id));

/** Changes `need_attention`, `tags` or `topics`. */
export const updateSession = (customerId, changes) => tried(client.sessions.update(customerId, 'current', changes));

/** `assignee` is a name, or null for nobody; `force` takes it from whoever has it. */
export const assign = (customerId, assignee, force = false) =>
  tried(client.sessions.assign(customerId, 'current', { assignee, force }));

export const typing = (customerId, on) => tried(client.sessions.typing(customerId, 'current', on));
export const countSuggestion = (id) => tried(client.suggestedMessages.use(id));
export const cannedReplies = () => tried(client.cannedReplies.list().toArray());

/**
 * Events as they happen: `onEvent(event)`, `onStatus({state, error})`, and `onForgotten()` when some were missed for
 * good.
 */
export const subscribe = (watch) => client.events.subscribe({ types: EVENTS, ...watch });

function pageOf(page) {
  return { rows: page.items, next: page.hasNext ? () => tried(page.next().then(pageOf)) : null };
}

async function tried(call) {
  try {
    return await call;
  } catch (error) {
    throw problemOf(error);
  }
}
