// The JavaScript client in one ES module, for browsers. Made by bundle.mjs from src/ and index.js: change these.

const files = {};
const loaded = {};

/** Each file is evaluated once, when it is first required. */
function load(path) {
  const name = path.split('/').at(-1);
  if (!(name in loaded)) {
    const module = { exports: {} };
    files[name](module, load);
    loaded[name] = module.exports;
  }
  return loaded[name];
}

files['administration.js'] = (module, require) => {
// `webhooks`, `tokens`, `channels` and `cannedReplies`: how the daemon is set up.
'use strict';

const { Resource } = require('./resource.js');
const { path } = require('./paths.js');

const WEBHOOK = '/v1/webhooks/:name';

class Webhooks extends Resource {
  list(options) {
    return this._list('/v1/webhooks', {}, options);
  }

  /** Once it was disabled for failing. */
  async enable(name, options) {
    return this._send('POST', path(`${WEBHOOK}/enable`, { name }), {}, options);
  }

  /** What is still to be delivered, or, with `dead: true`, what was given up. */
  deliveries(name, parameters, options) {
    return this._list(path(`${WEBHOOK}/deliveries`, { name }), parameters, options);
  }

  async replay(name, eventId, options) {
    return this._send('POST', path(`${WEBHOOK}/deliveries/:eventId/replay`, { name, eventId }), {}, options);
  }
}

class Tokens extends Resource {
  /** All that were minted, revoked ones too. */
  list(options) {
    return this._list('/v1/tokens', {}, options);
  }

  /** The secret is in this answer and in no other: the call is not made again if its answer is lost. */
  async mint(token, options) {
    return this._send('POST', '/v1/tokens', { body: token }, options);
  }

  async revoke(tokenId, options) {
    return this._send('DELETE', path('/v1/tokens/:tokenId', { tokenId }), {}, options);
  }
}

class Channels extends Resource {
  /** Asks the channel's provider for the texts that it could not deliver. What is there is not taken again. */
  async recover(channel, parameters = {}, options = undefined) {
    const call = { body: parameters, repeatable: true };
    return this._send('POST', path('/v1/channels/:channel/recover', { channel }), call, options);
  }
}

class CannedReplies extends Resource {
  list(options) {
    return this._list('/v1/canned_replies', {}, options);
  }
}

module.exports = { Webhooks, Tokens, Channels, CannedReplies };
};

files['bot.js'] = (module, require) => {
// `bot` and `suggestedMessages`: what the bot was asked, said, and proposed to say.
'use strict';

const { Resource } = require('./resource.js');
const { path } = require('./paths.js');
const { tokenOf } = require('./settings.js');

const TURN = '/v1/bot/turns/:turnId';

class Bot extends Resource {
  /** Those that the bot could not be told, and those whose answer did not count: there is no list of all. The newest first. */
  turns(parameters, options) {
    return this._list('/v1/bot/turns', { failed: true, ...parameters }, options);
  }

  async turn(turnId, options) {
    return this._send('GET', path(TURN, { turnId }), {}, options);
  }

  /** Asks the bot once more, and answers with the new turn. */
  async replay(turnId, options) {
    return this._send('POST', path(`${TURN}/replay`, { turnId }), {}, options);
  }

  /** For the bot: answers a turn later, with the `reply_token` that came with it. Repeatable. */
  async reply(turnId, replyToken, answer, options) {
    const call = { body: answer, token: tokenOf(replyToken, 'replyToken'), creates: true };
    return this._send('POST', path(`${TURN}/reply`, { turnId }), call, options);
  }

  async status(options) {
    return this._send('GET', '/v1/bot', {}, options);
  }

  async enable(options) {
    return this._send('POST', '/v1/bot/enable', {}, options);
  }
}

class SuggestedMessages extends Resource {
  /** Counts that an agent chose it. It counts once a call, so that it is not made again on a guess. */
  async use(suggestedMessageId, options) {
    const call = { body: {}, repeatable: false };
    return this._send(
      'PATCH',
      path('/v1/suggested_messages/:suggestedMessageId', { suggestedMessageId }),
      call,
      options,
    );
  }
}

module.exports = { Bot, SuggestedMessages };
};

files['client.js'] = (module, require) => {
// A client: one daemon and one token, and a part for each thing of the API.
'use strict';

const { CannedReplies, Channels, Tokens, Webhooks } = require('./administration.js');
const { Bot, SuggestedMessages } = require('./bot.js');
const { Customers } = require('./customers.js');
const { Events } = require('./events.js');
const { Messages } = require('./messages.js');
const { Sessions } = require('./sessions.js');
const { settingsOf, settingsOfEnvironment } = require('./settings.js');
const { Transport } = require('./transport.js');

class Client {
  #transport;

  /** `{ url, token, fetch?, headers?, credentials?, timeoutMs?, retries?, backoffMs? }`, as README.md has them. */
  constructor(options) {
    // Only `fromEnvironment` comes with a function.
    const settings = typeof options === 'function' ? options : always(settingsOf(options));
    const transport = new Transport(settings);
    this.#transport = transport;
    this.bot = new Bot(transport);
    this.cannedReplies = new CannedReplies(transport);
    this.channels = new Channels(transport);
    this.customers = new Customers(transport);
    this.events = new Events(transport);
    this.messages = new Messages(transport);
    this.sessions = new Sessions(transport);
    this.suggestedMessages = new SuggestedMessages(transport);
    this.tokens = new Tokens(transport);
    this.webhooks = new Webhooks(transport);
  }

  /** Its daemon and token are those of SWITCHBOARD_URL and SWITCHBOARD_TOKEN, at the time of each call. */
  static fromEnvironment() {
    return new Client(settingsOfEnvironment);
  }

  /** Whose token this is. */
  async me(options) {
    return this.request('GET', '/v1/me', {}, options);
  }

  /** Any call: for what this client has no name for. `{ query?, body? }`. What it answers, in JSON. */
  async request(method, path, { query, body } = {}, options = {}) {
    const creates = options.idempotencyKey !== undefined;
    const answer = await this.#transport.send({ method: method.toUpperCase(), path, query, body, creates }, options);
    return answer.body;
  }
}

function always(value) {
  return () => value;
}

module.exports = { Client };
};

files['customers.js'] = (module, require) => {
// `customers`: who texts with the brand, and whether they may be texted.
'use strict';

const { Resource } = require('./resource.js');
const { path } = require('./paths.js');

const ONE = '/v1/customers/:customerId';

class Customers extends Resource {
  /** Repeatable: it carries an `Idempotency-Key`. */
  async create(customer, options) {
    return this._send('POST', '/v1/customers', { body: customer, creates: true }, options);
  }

  /** The oldest first; or the one with that `phone_number`. */
  list(parameters, options) {
    return this._list('/v1/customers', parameters, options);
  }

  /** Whose name begins like that, or whose number begins or ends like that. At least two characters. */
  search(text, parameters, options) {
    return this._list('/v1/customers', { ...parameters, query: text }, options);
  }

  async retrieve(customerId, options) {
    return this._send('GET', path(ONE, { customerId }), {}, options);
  }

  /** What is left out stays, and null clears. */
  async update(customerId, changes, options) {
    return this._send('PATCH', path(ONE, { customerId }), { body: changes }, options);
  }

  /** The person is gone, with all sessions and messages. */
  async erase(customerId, options) {
    return this._send('DELETE', path(ONE, { customerId }), {}, options);
  }

  /** With the `confirmation_token` that the customer was texted. */
  async confirm(customerId, confirmation, options) {
    return this._send('POST', path(`${ONE}/confirm`, { customerId }), { body: confirmation }, options);
  }

  async generateConfirmation(customerId, options) {
    return this._send('POST', path(`${ONE}/generate_confirmation`, { customerId }), {}, options);
  }

  async sendConfirmation(customerId, options) {
    return this._send('POST', path(`${ONE}/send_confirmation`, { customerId }), {}, options);
  }

  /** When the customer asked for it. */
  async subscribe(customerId, options) {
    return this._send('POST', path(`${ONE}/subscribe`, { customerId }), {}, options);
  }

  async unsubscribe(customerId, options) {
    return this._send('POST', path(`${ONE}/unsubscribe`, { customerId }), {}, options);
  }
}

module.exports = { Customers };
};

files['errors.js'] = (module, require) => {
// What can go wrong, as exceptions to catch by their class.
'use strict';

/** Whatever this client throws, but for a TypeError about its arguments and an AbortSignal's own reason. */
class SwitchboardError extends Error {
  constructor(message, options) {
    super(message, options);
    Object.defineProperty(this, 'name', { value: new.target.name, configurable: true, writable: true });
  }
}

/** The daemon could not be reached, or the line broke. Whether the call was taken is not known. */
class ConnectionError extends SwitchboardError {}

/** The answer did not come in time. Whether the call was taken is not known. */
class TimeoutError extends ConnectionError {}

/** A good answer, but not the daemon's: a page, a redirect. Most often `url` leads to something else. */
class UnexpectedAnswerError extends SwitchboardError {}

/** The daemon refused, and says why. The fields are those of its problem document (RFC 9457). */
class ProblemError extends SwitchboardError {
  constructor(problem) {
    super(sentence(problem));
    Object.assign(this, problem);
  }
}

function sentence({ status, slug, title, detail, errors }) {
  const fields = errors.map(({ pointer, detail: wrong }) => ` ${pointer || '/'}: ${wrong}`).join('');
  return `${status} ${slug ?? title}: ${detail}${fields}`;
}

/** No token, or one that is unknown or revoked. */
class UnauthorizedError extends ProblemError {}

/** The token is good, but its role does not include this call. */
class ForbiddenError extends ProblemError {}

/** What the path names does not exist. */
class NotFoundError extends ProblemError {}

/** The customer has no session that is held or recent. A message, of anyone, starts one. */
class NoCurrentSessionError extends NotFoundError {}

/** The call is good, but not as things stand. */
class ConflictError extends ProblemError {}

/** Agents have the session: the bot may not speak. */
class SessionHeldError extends ConflictError {}

/** The bot has the session: agents may not speak. */
class SessionNotHeldError extends ConflictError {}

/** Another agent has the session; `detail` says who. */
class SessionAssignedError extends ConflictError {}

/** The bot's answer is for a time before the session changed hands. */
class StaleTurnError extends ConflictError {}

/** The customer may not be texted; the subclasses say why. */
class CustomerNotTextedError extends ConflictError {}

/** Nobody has proved that the number is the customer's. */
class CustomerUnconfirmedError extends CustomerNotTextedError {}

/** The customer asked not to be texted. */
class CustomerUnsubscribedError extends CustomerNotTextedError {}

/** What is known of the customer is not a number that takes texts. */
class CustomerUnreachableError extends CustomerNotTextedError {}

/** Another customer has the number; `detail` says who. */
class NumberTakenError extends ConflictError {}

/** Nothing was changed, as it is so already: confirmed, subscribed, unsubscribed. */
class AlreadySoError extends ConflictError {}

/** The event stream does not reach back that far. Load the lists anew, and subscribe from now on. */
class EventsForgottenError extends ProblemError {}

/** The call itself is wrong; the subclasses say where. */
class InvalidRequestError extends ProblemError {}

/** `errors` names what is wrong with which field of the body. */
class InvalidBodyError extends InvalidRequestError {}

/** The same Idempotency-Key came with another body before. */
class IdempotencyMismatchError extends InvalidRequestError {}

/** The confirmation token is wrong, has expired or was tried too often. */
class ConfirmationInvalidError extends ProblemError {}

/** More calls than the token may make. `retryAfter` says for how many seconds to wait. */
class TooManyCallsError extends ProblemError {}

/** Not possible right now. `retryAfter` says for how many seconds to wait. */
class UnavailableError extends ProblemError {}

module.exports = {
  SwitchboardError,
  ConnectionError,
  TimeoutError,
  UnexpectedAnswerError,
  ProblemError,
  UnauthorizedError,
  ForbiddenError,
  NotFoundError,
  NoCurrentSessionError,
  ConflictError,
  SessionHeldError,
  SessionNotHeldError,
  SessionAssignedError,
  StaleTurnError,
  CustomerNotTextedError,
  CustomerUnconfirmedError,
  CustomerUnsubscribedError,
  CustomerUnreachableError,
  NumberTakenError,
  AlreadySoError,
  EventsForgottenError,
  InvalidRequestError,
  InvalidBodyError,
  IdempotencyMismatchError,
  ConfirmationInvalidError,
  TooManyCallsError,
  UnavailableError,
};
};

files['events.js'] = (module, require) => {
// `events`: what happens, as it happens.
'use strict';

const { idOf } = require('./paths.js');
const { amountOf } = require('./settings.js');
const { Subscription } = require('./subscription.js');

/** The daemon is heard of every 15 seconds. Two heartbeats may be lost, and a third be late. */
const SILENCE_MS = 40_000;
const KNOWN = ['types', 'customerId', 'sessionId', 'lastEventId', 'signal', 'silenceMs'];
const CALLBACKS = ['onEvent', 'onStatus', 'onForgotten'];

class Events {
  #transport;

  constructor(transport) {
    this.#transport = transport;
  }

  /** Subscribes, and begins at once. See README.md for what the subscription does. */
  subscribe(options = {}) {
    check(options);
    const { types, customerId, sessionId, lastEventId, signal, silenceMs = SILENCE_MS } = options;
    const query = {
      type: types?.length > 0 ? types : undefined,
      customer_id: customerId === undefined ? undefined : idOf('customerId', customerId),
      session_id: sessionId === undefined ? undefined : idOf('sessionId', sessionId),
    };
    const { onEvent, onStatus, onForgotten } = options;
    const rest = { lastEventId, signal, silenceMs: amountOf('silenceMs', silenceMs), onEvent, onStatus, onForgotten };
    return new Subscription(this.#transport, { query, ...rest });
  }
}

function check(options) {
  const unknown = Object.keys(options).find((name) => !KNOWN.includes(name) && !CALLBACKS.includes(name));
  if (unknown) throw new TypeError(`${unknown} is no option; there are ${[...KNOWN, ...CALLBACKS].join(', ')}.`);
  const wrong = CALLBACKS.find((name) => options[name] !== undefined && typeof options[name] !== 'function');
  if (wrong) throw new TypeError(`${wrong} must be a function.`);
}

module.exports = { Events };
};

files['handover.js'] = (module, require) => {
// Between the line that events come in by and whoever takes them: in order, and no more ahead than there is room for.
'use strict';

const ROOM = 1000;

class Handover {
  #events = [];
  #takers = [];
  #room = null;
  #ended = false;
  #error = null;

  /** Where to resume after what was taken. */
  position;

  constructor(position) {
    this.position = position;
  }

  /** Hands an event over, after which the stream stands at `position`. Resolves once there is room for another. */
  async put(event, position) {
    if (this.#ended) return;
    this.#events.push({ event, position });
    this.#serve();
    if (this.#events.length >= ROOM) await new Promise((resolve) => (this.#room = resolve));
  }

  /** The stream stands at `position`, with no event for us. */
  move(position) {
    const last = this.#events.at(-1);
    if (last) last.position = position;
    else this.position = position;
  }

  /** The next event, as an iterator has it. Rejects with what the stream ended by, after its last event. */
  take() {
    return new Promise((resolve, reject) => {
      this.#takers.push({ resolve, reject });
      this.#serve();
    });
  }

  /** No more comes; what is here can still be taken. */
  end(error = null) {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#serve();
  }

  /** No more is taken. */
  cut() {
    if (!this.#ended) this.#events = [];
    this.end();
  }

  #serve() {
    while (this.#takers.length > 0 && this.#events.length > 0) {
      const { event, position } = this.#events.shift();
      this.position = position;
      this.#takers.shift().resolve({ done: false, value: event });
    }
    if (this.#ended) for (const taker of this.#takers.splice(0)) this.#finish(taker);
    if (this.#ended || this.#events.length < ROOM) this.#room?.();
  }

  /** An iterator throws once, and is done then. */
  #finish({ resolve, reject }) {
    const error = this.#error;
    this.#error = null;
    if (error) reject(error);
    else resolve({ done: true, value: undefined });
  }
}

module.exports = { Handover };
};

files['idempotency.js'] = (module, require) => {
// The key by which the daemon knows that a call is the same again.
'use strict';

/** A random UUID. `crypto.randomUUID` is missing from pages that came over plain HTTP, and Node 18 has no global
 * `crypto`: the key must differ from all others, but need not be a secret. */
function idempotencyKey() {
  const bytes = new Uint8Array(16);
  if (globalThis.crypto) globalThis.crypto.getRandomValues(bytes);
  else bytes.forEach((_, place) => (bytes[place] = Math.random() * 256));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

module.exports = { idempotencyKey };
};

files['list.js'] = (module, require) => {
// A list of the API: to go through with `for await`, page after page as they are needed, or to take one page of.
'use strict';

const { UnexpectedAnswerError } = require('./errors.js');

/** Nothing is asked for before the first item is. */
class List {
  #load;

  /** `load(url)` loads a page; without a URL, the first. */
  constructor(load) {
    this.#load = load;
  }

  /** The first page. */
  page() {
    return this.#load();
  }

  /** Page after page. */
  async *pages() {
    for (let page = await this.page(); page; page = await page.next()) yield page;
  }

  async *[Symbol.asyncIterator]() {
    for await (const page of this.pages()) yield* page.items;
  }

  /** All of it, or the first so many. */
  async toArray(most = Infinity) {
    const items = [];
    if (most <= 0) return items;
    for await (const item of this) {
      items.push(item);
      if (items.length >= most) break;
    }
    return items;
  }
}

/** Some items of a list, in its order. */
class Page {
  #next;

  constructor(items, cursor, next) {
    this.items = items;
    /** What to pass as `cursor` to go on from here another time. Null at the list's end. */
    this.cursor = cursor;
    this.#next = next;
  }

  get hasNext() {
    return this.#next !== null;
  }

  /** The page after this one; null if there is none. */
  async next() {
    return this.#next ? this.#next() : null;
  }

  [Symbol.iterator]() {
    return this.items[Symbol.iterator]();
  }
}

/** The list at that path. */
function listOf(transport, path, parameters, options) {
  const load = async (next) => {
    const call = next ? { path: next } : { path, query: parameters };
    const answer = await transport.send({ method: 'GET', ...call }, options);
    if (!Array.isArray(answer.body)) throw new UnexpectedAnswerError('The answer is no list.');
    const link = nextLink(answer.headers.get('link'), answer.url, transport.settings.base);
    const cursor = link && new URLSearchParams(link.split('?')[1]).get('cursor');
    return new Page(answer.body, cursor, link && (() => load(link)));
  };
  return new List(load);
}

/** The path of the next page (RFC 8288), below the client's own base: the token goes nowhere else. */
function nextLink(header, url, base) {
  const link = /<([^>]*)>\s*;(?:[^,<]*;)?\s*rel="?next"?\s*(?:[;,]|$)/i.exec(header ?? '');
  if (!link) return null;
  const next = new URL(link[1], url);
  const { origin, pathname } = new URL(base);
  if (next.origin !== origin) throw new UnexpectedAnswerError(`The next page is said to be at ${next.origin}.`);
  // A proxy that has the daemon below a path of its own does not rewrite links.
  const own = pathname.replace(/\/$/, '');
  const path = own && next.pathname.startsWith(`${own}/`) ? next.pathname.slice(own.length) : next.pathname;
  return path + next.search;
}

module.exports = { List, Page, listOf, nextLink };
};

files['messages.js'] = (module, require) => {
// `messages`: texts, in either direction, and what becomes of them.
'use strict';

const { Resource } = require('./resource.js');
const { path } = require('./paths.js');

const OF_SESSION = '/v1/customers/:customerId/sessions/:sessionId/messages';

class Messages extends Resource {
  /** Texts the customer. Repeatable: it carries an `Idempotency-Key`. */
  async create(customerId, sessionId, message, options) {
    return this._send('POST', path(OF_SESSION, { customerId, sessionId }), { body: message, creates: true }, options);
  }

  /** A session's messages, the newest first. */
  list(customerId, sessionId, parameters, options) {
    return this._list(path(OF_SESSION, { customerId, sessionId }), parameters, options);
  }

  async retrieve(messageId, parameters, options) {
    return this._send('GET', path('/v1/messages/:messageId', { messageId }), { query: parameters }, options);
  }

  /** What became of it on its way. */
  async delivery(messageId, options) {
    return this._send('GET', path('/v1/messages/:messageId/delivery', { messageId }), {}, options);
  }

  /** Only while it is queued. */
  async cancel(messageId, options) {
    return this._send('POST', path('/v1/messages/:messageId/cancel', { messageId }), {}, options);
  }

  /** The texts of which nobody can say whether they left, and which wait for somebody to decide. The oldest first. */
  listHeld(parameters, options) {
    return this._list('/v1/messages', { ...parameters, held: true }, options);
  }

  /** Sends a held one again. It may arrive twice. */
  async resend(messageId, options) {
    return this._send('POST', path('/v1/messages/:messageId/resend', { messageId }), {}, options);
  }
}

module.exports = { Messages };
};

files['paths.js'] = (module, require) => {
// Paths and queries of the API, from what callers have in hand.
'use strict';

/** `path('/v1/messages/:messageId', { messageId })`. Each id may be what `idOf` takes. */
function path(pattern, ids = {}) {
  return pattern.replace(/:(\w+)/g, (_, name) => encodeURIComponent(idOf(name, ids[name])));
}

/** An id: a string; or an object with one property, which is a string, as the documentation's `{CUSTOMER_ID}` is. */
function idOf(name, value) {
  const id = typeof value === 'object' && value !== null ? theOnlyValue(value) : value;
  if (typeof id === 'string' && id !== '' && id !== '.' && id !== '..') return id;
  throw new TypeError(
    `${name} must be an id: a string, or an object with exactly one property that is one, such as { CUSTOMER_ID }.`,
  );
}

function theOnlyValue(object) {
  if (Array.isArray(object)) return undefined;
  const values = Object.values(object);
  return values.length === 1 ? values[0] : undefined;
}

/** `?a=1&b=2`, or nothing. Lists are written with commas; what is undefined is left out. */
function query(parameters = {}) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined) continue;
    // Left out, it would ask for more than was meant.
    if (value === null) throw new TypeError(`${name} must not be null; leave it out.`);
    search.append(name, Array.isArray(value) ? value.join(',') : String(value));
  }
  const text = search.toString();
  return text && `?${text}`;
}

module.exports = { path, idOf, query };
};

files['problems.js'] = (module, require) => {
// From an answer that is a refusal to its exception. The slug decides; where there is none, the status.
'use strict';

const errors = require('./errors.js');

const BY_SLUG = {
  'already-confirmed': errors.AlreadySoError,
  'already-subscribed': errors.AlreadySoError,
  'already-unsubscribed': errors.AlreadySoError,
  'body-too-large': errors.InvalidRequestError,
  'confirmation-invalid': errors.ConfirmationInvalidError,
  'customer-unconfirmed': errors.CustomerUnconfirmedError,
  'customer-unreachable': errors.CustomerUnreachableError,
  'customer-unsubscribed': errors.CustomerUnsubscribedError,
  'events-forgotten': errors.EventsForgottenError,
  'idempotency-mismatch': errors.IdempotencyMismatchError,
  'invalid-body': errors.InvalidBodyError,
  'invalid-header': errors.InvalidRequestError,
  'invalid-query': errors.InvalidRequestError,
  'method-not-allowed': errors.InvalidRequestError,
  'no-current-session': errors.NoCurrentSessionError,
  'number-taken': errors.NumberTakenError,
  'session-assigned': errors.SessionAssignedError,
  'session-held': errors.SessionHeldError,
  'session-not-held': errors.SessionNotHeldError,
  'stale-turn': errors.StaleTurnError,
  'unsupported-media-type': errors.InvalidRequestError,
};

const BY_STATUS = {
  400: errors.InvalidRequestError,
  401: errors.UnauthorizedError,
  403: errors.ForbiddenError,
  404: errors.NotFoundError,
  409: errors.ConflictError,
  413: errors.InvalidRequestError,
  415: errors.InvalidRequestError,
  429: errors.TooManyCallsError,
  502: errors.UnavailableError,
  503: errors.UnavailableError,
  504: errors.UnavailableError,
};

/** The exception for a response that is not `ok`, with what was read of its body. */
function problemOf(response, text) {
  const { status, headers } = response;
  const problem = documentOf(text) ?? proxysWords(response, text);
  const Family = BY_SLUG[problem.slug] ?? BY_STATUS[status] ?? errors.ProblemError;
  return new Family({
    ...problem,
    status,
    requestId: headers.get('x-request-id'),
    retryAfter: secondsOf(headers.get('retry-after')),
  });
}

/** The daemon's problem document, if it is one. */
function documentOf(text) {
  const body = jsonOf(text);
  if (typeof body?.type !== 'string' || typeof body.title !== 'string') return null;
  const { type, title } = body;
  const slug = type.startsWith('/problems/') ? type.slice('/problems/'.length) : null;
  const detail = typeof body.detail === 'string' ? body.detail : title;
  return { type, slug, title, detail, errors: Array.isArray(body.errors) ? body.errors : [] };
}

/** What stands between here and the daemon answers in its own way: keep the beginning of what it says. */
function proxysWords({ status, statusText }, text) {
  const words = text
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 200);
  const title = statusText || `HTTP ${status}`;
  return { type: 'about:blank', slug: null, title, detail: words || 'The answer says nothing more.', errors: [] };
}

function jsonOf(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** `Retry-After`, in seconds: a number or a date (RFC 9110, 10.2.3). Null if it is neither. */
function secondsOf(value, now = Date.now()) {
  if (!value) return null;
  if (/^\d+$/.test(value)) return Number(value);
  const at = Date.parse(value);
  return Number.isNaN(at) ? null : Math.max(0, Math.ceil((at - now) / 1000));
}

module.exports = { problemOf, secondsOf };
};

files['resource.js'] = (module, require) => {
// What all parts of a client have in common: they call the daemon.
'use strict';

const { listOf } = require('./list.js');

class Resource {
  #transport;

  constructor(transport) {
    this.#transport = transport;
  }

  /** What the call answers, in JSON; undefined if it answers nothing. */
  async _send(method, path, call, options) {
    if ('body' in call) mustBeObject(call.body);
    const answer = await this.#transport.send({ method, path, ...call }, options);
    return answer.body;
  }

  _list(path, parameters, options) {
    return listOf(this.#transport, path, parameters, options);
  }
}

/** An argument that was forgotten, or is in the wrong place, is told here and not by the daemon. */
function mustBeObject(body) {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return;
  throw new TypeError('After the ids comes an object with what the call is about, such as { content: "Hey Ho!" }.');
}

module.exports = { Resource };
};

files['retries.js'] = (module, require) => {
// Which failed calls are made again, and when: never one that may have been taken and would then be done twice.
'use strict';

const { ConnectionError, ProblemError } = require('./errors.js');
const { backoff } = require('./waiting.js');

const PASSING = [408, 429, 502, 503, 504];
const LONGEST_BACKOFF_MS = 8_000;
/** Whoever is to wait for longer should hear of it. */
const LONGEST_RETRY_AFTER_S = 60;
/** How Node's fetch says that no connection came about, so that nothing was sent. */
const NEVER_SENT = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT'];

/** How many milliseconds to wait before the call is made again; null if it is not to be. `attempt` counts from 0. */
function pauseBeforeRetry(error, { repeatable }, attempt, { retries, backoffMs }) {
  if (attempt >= retries || !isPassing(error)) return null;
  if (!repeatable && !nothingWasTaken(error)) return null;
  const asked = error.retryAfter ?? 0;
  if (asked > LONGEST_RETRY_AFTER_S) return null;
  return asked * 1000 + backoff(attempt, backoffMs, LONGEST_BACKOFF_MS);
}

function isPassing(error) {
  return error instanceof ConnectionError || (error instanceof ProblemError && PASSING.includes(error.status));
}

/** Whether it is certain that the call did nothing. */
function nothingWasTaken(error) {
  if (error instanceof ConnectionError) return NEVER_SENT.includes(error.cause?.cause?.code);
  if (!(error instanceof ProblemError)) return false;
  // The daemon says in a 503's detail if its store failed half-way.
  return error.status === 429 || (error.status === 503 && !/nobody knows/i.test(error.detail));
}

module.exports = { nothingWasTaken, pauseBeforeRetry };
};

files['sessions.js'] = (module, require) => {
// `sessions`: conversations, and who has them.
'use strict';

const { Resource } = require('./resource.js');
const { path } = require('./paths.js');

const OF_CUSTOMER = '/v1/customers/:customerId/sessions';
const ONE = `${OF_CUSTOMER}/:sessionId`;

class Sessions extends Resource {
  /** Changes `need_attention`, `tags` and `topics`; what is left out stays. */
  async update(customerId, sessionId, changes, options) {
    return this._send('PATCH', path(ONE, { customerId, sessionId }), { body: changes }, options);
  }

  /** A customer's sessions, the oldest first. */
  list(customerId, parameters, options) {
    return this._list(path(OF_CUSTOMER, { customerId }), parameters, options);
  }

  /** By its id, or `current`. */
  async retrieve(customerId, sessionId, parameters, options) {
    return this._send('GET', path(ONE, { customerId, sessionId }), { query: parameters }, options);
  }

  /** The sessions of all customers: who waits for an agent first. `assignee: null`: those that nobody has taken. */
  inbox(parameters = {}, options) {
    const assignee = parameters.assignee === null ? 'none' : parameters.assignee;
    return this._list('/v1/sessions', { ...parameters, assignee }, options);
  }

  /** To the caller, if no `assignee` is named; `null` gives it up. `force` takes it from another. */
  async assign(customerId, sessionId, assignment = {}, options) {
    return this._send('POST', path(`${ONE}/assign`, { customerId, sessionId }), { body: assignment }, options);
  }

  /** Lets the others know that somebody is typing, or not any more. */
  async typing(customerId, sessionId, typing = true, options = undefined) {
    const call = { body: { typing }, repeatable: true };
    return this._send('POST', path(`${ONE}/typing`, { customerId, sessionId }), call, options);
  }
}

module.exports = { Sessions };
};

files['settings.js'] = (module, require) => {
// What a client is told once: where the daemon is, who calls, and how patient to be.
'use strict';

const KNOWN = ['url', 'token', 'fetch', 'headers', 'credentials', 'timeoutMs', 'retries', 'backoffMs'];

/** The settings in a caller's words. What is wrong with them is a TypeError, now and not at the first call. */
function settingsOf(options = {}) {
  const unknown = Object.keys(options).find((name) => !KNOWN.includes(name));
  if (unknown) throw new TypeError(`${unknown} is no option of a client; there are ${KNOWN.join(', ')}.`);
  return Object.freeze({
    base: baseOf(options.url ?? originOfPage()),
    token: options.token === undefined ? null : tokenOf(options.token),
    fetch: options.fetch ?? null,
    headers: new Headers(options.headers),
    credentials: options.credentials,
    timeoutMs: amountOf('timeoutMs', options.timeoutMs ?? 60_000),
    retries: amountOf('retries', options.retries ?? 3),
    backoffMs: amountOf('backoffMs', options.backoffMs ?? 250),
  });
}

/** The settings that the environment gives. It is read at each call, so that a program without them may start. */
function settingsOfEnvironment() {
  const env = globalThis.process?.env ?? {};
  const missing = ['SWITCHBOARD_URL', 'SWITCHBOARD_TOKEN'].filter((name) => !env[name]);
  if (missing.length > 0) {
    throw new TypeError(
      `${missing.join(' and ')} must be set in the environment, such as SWITCHBOARD_URL=http://127.0.0.1:8080 ` +
        'and SWITCHBOARD_TOKEN=demo-agent. Or make a client of your own: new Client({ url, token }).',
    );
  }
  return settingsOf({ url: env.SWITCHBOARD_URL, token: env.SWITCHBOARD_TOKEN });
}

/** In a page that the daemon serves, the daemon is where the page is from. */
function originOfPage() {
  if (globalThis.location?.origin) return globalThis.location.origin;
  throw new TypeError('url must say where the daemon is, such as http://127.0.0.1:8080.');
}

/** Without a slash at its end, so that paths can follow. A proxy may have the daemon below a path of its own. */
function baseOf(url) {
  let parsed;
  try {
    parsed = new URL(url, globalThis.location?.href);
  } catch {
    throw new TypeError(`url must be a URL such as http://127.0.0.1:8080, and is ${JSON.stringify(String(url))}.`);
  }
  if (!/^https?:$/.test(parsed.protocol)) throw new TypeError('url must begin with http:// or https://.');
  if (parsed.username || parsed.password) throw new TypeError('url must be without a password; pass a token.');
  return parsed.origin + parsed.pathname.replace(/\/+$/, '');
}

/** A token read from a file has its line's end with it. What is wrong is told without the token. */
function tokenOf(token, name = 'token') {
  const trimmed = typeof token === 'string' ? token.trim() : '';
  if (!/^[\x21-\x7e]+$/.test(trimmed)) throw new TypeError(`${name} must be a string of visible ASCII characters.`);
  return trimmed;
}

function amountOf(name, value) {
  if (typeof value !== 'number' || !(value >= 0)) throw new TypeError(`${name} must be a number, 0 or more.`);
  return value;
}

module.exports = { settingsOf, settingsOfEnvironment, tokenOf, amountOf };
};

files['sse.js'] = (module, require) => {
// Server-sent events, as bytes come in: the stream format of the HTML standard (9.2.6).
'use strict';

class SseParser {
  // It holds back what is incomplete of a character, and drops the mark at the stream's beginning.
  #decoder = new TextDecoder('utf-8');
  #line = '';
  #afterCr = false;
  #data = [];
  #name = '';
  #id = null;

  /** What to resume after: the last id of a frame that was complete. Null if there was none. */
  lastEventId = null;
  /** How long the server wants to be left alone after a broken line. Null if it said nothing. */
  retryMs = null;

  /** The frames that are complete with these bytes: `{ name, data, id }`. `id`: the frame's own, or null; `data`: null
   * in a frame that only says where the stream stands. */
  *push(bytes) {
    for (const line of this.#lines(this.#decoder.decode(bytes, { stream: true }))) {
      if (line !== '') {
        this.#field(line);
        continue;
      }
      const frame = this.#frame();
      if (frame) yield frame;
    }
  }

  /** A CR ends its line at once, as what comes after it may be long in coming; if that is an LF, it belongs to it. */
  *#lines(text) {
    if (text === '') return;
    const rest = this.#afterCr && text[0] === '\n' ? text.slice(1) : text;
    this.#afterCr = text.endsWith('\r');
    const lines = rest.split(/\r\n|\n|\r/);
    lines[0] = this.#line + lines[0];
    this.#line = lines.pop();
    yield* lines;
  }

  #field(line) {
    const colon = line.indexOf(':');
    // A comment.
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'data') this.#data.push(value);
    else if (field === 'event') this.#name = value;
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
    else if (field === 'retry' && /^[0-9]+$/.test(value)) this.retryMs = Number(value);
  }

  #frame() {
    const frame = {
      name: this.#name || 'message',
      data: this.#data.length > 0 ? this.#data.join('\n') : null,
      id: this.#id,
    };
    if (frame.id !== null) this.lastEventId = frame.id;
    this.#data = [];
    this.#name = '';
    this.#id = null;
    return frame.data === null && frame.id === null ? null : frame;
  }
}

module.exports = { SseParser };
};

files['stream.js'] = (module, require) => {
// One connection of the event stream: from its request to its last byte.
'use strict';

const { ConnectionError, TimeoutError, UnexpectedAnswerError } = require('./errors.js');
const { problemOf } = require('./problems.js');
const { SseParser } = require('./sse.js');
const { reasonOf, textOf } = require('./transport.js');
const { linked } = require('./waiting.js');

/**
 * The frames of one connection, as `SseParser` has them, each with `lastEventId` and `retryMs` as they stand then.
 * It never ends well: it throws what ended it, as a stream of events has no end.
 *
 * `lastEventId`: resume after that one; null: from now on. `silenceMs`: the daemon is heard of more often than that.
 */
async function* frames(transport, { query, lastEventId, silenceMs, signal }) {
  const { controller, release } = linked(signal);
  try {
    const parser = new SseParser();
    const response = await answered(transport, { query, lastEventId, controller });
    for await (const bytes of chunks(response, controller, silenceMs)) {
      for (const frame of parser.push(bytes)) {
        yield { ...frame, lastEventId: parser.lastEventId, retryMs: parser.retryMs };
      }
    }
    throw new ConnectionError('The event stream broke off: the other end closed it.');
  } catch (error) {
    // Runtimes differ in what an aborted fetch rejects with; why it was aborted is what matters.
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    release();
    controller.abort();
  }
}

async function answered(transport, { query, lastEventId, controller }) {
  const headers = lastEventId ? { 'last-event-id': lastEventId } : {};
  const call = { method: 'GET', path: '/v1/events', query, accept: 'text/event-stream', headers };
  const response = await inTime(transport.settings.timeoutMs, controller, () =>
    transport.open(call, controller.signal),
  );
  if (!response.ok) throw problemOf(response, await textOf(response));
  const type = response.headers.get('content-type') ?? '';
  if (/^text\/event-stream\b/i.test(type)) return response;
  throw new UnexpectedAnswerError(`The answer is no event stream, but ${type || 'of no type'}.`);
}

/** A line can be dead without anybody saying so. The heartbeat tells. */
async function* chunks(response, controller, silenceMs) {
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await inTime(silenceMs, controller, () => reader.read()).catch((error) => {
      if (error instanceof ConnectionError) throw error;
      throw new ConnectionError(`The event stream broke off: ${reasonOf(error)}.`, { cause: error });
    });
    if (done) return;
    yield value;
  }
}

async function inTime(ms, controller, work) {
  const late = () => controller.abort(new TimeoutError(`Nothing was heard for ${ms} ms.`));
  const timer = setTimeout(late, ms);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
  }
}

module.exports = { frames };
};

files['subscription.js'] = (module, require) => {
// A subscription to events: connected again whenever the line breaks, without a gap and without a repeat.
'use strict';

const { ConnectionError, EventsForgottenError, ProblemError, UnexpectedAnswerError } = require('./errors.js');
const { Handover } = require('./handover.js');
const { frames } = require('./stream.js');
const { backoff, linked, pause } = require('./waiting.js');

/** The first pause after a broken line, until the daemon says its own. */
const RETRY_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
/** How many ids are remembered, so that nothing is handed over twice. */
const REMEMBERED = 4096;

class Subscription {
  #transport;
  #options;
  #handover;
  #stop;
  #wake = null;
  #position;
  #retryMs = RETRY_MS;
  #known = new Set();
  #status = 'connecting';
  #failures = 0;
  #forgotten = null;
  #stands;

  /** Resolves once the stream stands: what happens from then on is heard of. Rejects if it ends before. */
  opened;
  /** Resolves when it is closed; rejects with the error that ended it. */
  done;

  constructor(transport, { query, lastEventId, silenceMs, signal, onEvent, onStatus, onForgotten }) {
    this.#transport = transport;
    this.#options = { query, silenceMs, onEvent, onStatus, onForgotten };
    this.#position = lastEventId || null;
    this.#handover = new Handover(this.#position);
    this.#stop = linked(signal);
    this.#stop.controller.signal.addEventListener('abort', () => this.#handover.cut(), { once: true });
    const stands = new Promise((resolve) => (this.#stands = resolve));
    // Not before whoever subscribes has what this returns.
    const run = Promise.resolve().then(() => this.#run());
    this.done = run.then(() => {});
    this.opened = Promise.race([stands, run.then(closedBefore)]);
    this.opened.catch(() => {});
    // Who iterates or asks for the status hears of the error there. Nobody else would hear of it at all.
    if (onStatus || !onEvent) this.done.catch(() => {});
  }

  /** `connecting`, `open`, `reconnecting` or `closed`. */
  get status() {
    return this.#status;
  }

  /** The last event that was handed over, or where the stream stands if there was none: to resume after, another time. */
  get lastEventId() {
    return this.#handover.position;
  }

  /** Ends it. Nothing more is handed over. */
  close() {
    this.#stop.controller.abort();
  }

  /** While it waits to reconnect: does so at once. */
  reconnect() {
    this.#wake?.();
  }

  [Symbol.asyncIterator]() {
    if (this.#options.onEvent) throw new TypeError('onEvent has the events; they cannot be iterated over as well.');
    const iterator = {
      next: () => this.#handover.take(),
      return: async (value) => {
        this.close();
        return { done: true, value };
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  /** Receives and, with a callback, hands over, until either is at its end. */
  async #run() {
    const { onEvent } = this.#options;
    let error = null;
    try {
      this.#tell('connecting');
      const received = this.#receive();
      if (onEvent) await this.#callBack(onEvent);
      error = await received;
    } catch (cause) {
      error = cause;
    }
    this.close();
    this.#stop.release();
    this.#tell('closed', { error });
    if (error) throw error;
  }

  /** One connection after the other. Whoever takes the events has the error after the last of them. */
  async #receive() {
    const { signal } = this.#stop.controller;
    let ended = null;
    while (!signal.aborted && !ended) {
      try {
        await this.#connection(signal);
      } catch (error) {
        if (!signal.aborted) ended = await this.#mend(error, signal);
      }
    }
    this.#handover.end(ended);
    return ended;
  }

  async #connection(signal) {
    const { query, silenceMs } = this.#options;
    let stands = false;
    for await (const frame of frames(this.#transport, { query, silenceMs, lastEventId: this.#position, signal })) {
      this.#retryMs = frame.retryMs ?? this.#retryMs;
      if (!stands && frame.lastEventId) {
        stands = true;
        await this.#begin(frame);
      }
      await this.#take(frame);
    }
  }

  /** The stream stands: from here on nothing is missed, whatever becomes of this connection. */
  async #begin(frame) {
    if (frame.data === null) this.#position = frame.lastEventId;
    this.#failures = 0;
    this.#tell('open');
    this.#stands();
    if (!this.#forgotten) return;
    // What happens while the lists are loaded anew is heard of afterwards.
    await this.#options.onForgotten(this.#forgotten);
    this.#forgotten = null;
  }

  async #take(frame) {
    this.#position = frame.lastEventId || this.#position;
    if (frame.data === null) return this.#handover.move(this.#position);
    if (frame.id && this.#known.has(frame.id)) return;
    await this.#handover.put(eventOf(frame), this.#position);
    if (frame.id) this.#remember(frame.id);
  }

  #remember(id) {
    this.#known.add(id);
    if (this.#known.size > REMEMBERED) this.#known.delete(this.#known.values().next().value);
  }

  /** Waits for as long as it takes to try again. Returns what no further attempt would mend. */
  async #mend(error, signal) {
    if (error instanceof EventsForgottenError && this.#options.onForgotten && this.#position) {
      this.#position = null;
      this.#forgotten = error;
      return null;
    }
    if (!isPassing(error)) return error;
    const delayMs = (error.retryAfter ?? 0) * 1000 + backoff(this.#failures, this.#retryMs, LONGEST_PAUSE_MS);
    this.#failures += 1;
    this.#tell('reconnecting', { error, delayMs });
    const { controller, release } = linked(signal);
    this.#wake = () => controller.abort();
    await pause(delayMs, controller.signal).catch(() => {});
    this.#wake = null;
    release();
    return null;
  }

  /** One after the other: what the callback returns is awaited. What it throws ends the subscription. */
  async #callBack(onEvent) {
    for (;;) {
      const { done, value } = await this.#handover.take();
      if (done) return;
      await onEvent(value);
    }
  }

  #tell(state, { error = null, delayMs = null } = {}) {
    this.#status = state;
    this.#options.onStatus?.({ state, error, delayMs });
  }
}

function closedBefore() {
  throw new ConnectionError('The subscription was closed before it stood.');
}

function isPassing(error) {
  if (error instanceof ConnectionError) return true;
  return error instanceof ProblemError && (error.status >= 500 || error.status === 408 || error.status === 429);
}

function eventOf(frame) {
  try {
    return JSON.parse(frame.data);
  } catch (cause) {
    throw new UnexpectedAnswerError(`The event ${frame.id ?? frame.name} is no JSON.`, { cause });
  }
}

module.exports = { Subscription };
};

files['transport.js'] = (module, require) => {
// One call of the API, from its path to what was answered.
'use strict';

const { ConnectionError, NotFoundError, TimeoutError, UnexpectedAnswerError } = require('./errors.js');
const { idempotencyKey } = require('./idempotency.js');
const { query } = require('./paths.js');
const { problemOf } = require('./problems.js');
const { nothingWasTaken, pauseBeforeRetry } = require('./retries.js');
const { amountOf } = require('./settings.js');
const { pause, within } = require('./waiting.js');

/** Calls whose repetition changes nothing. */
const REPEATABLE = ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE'];

class Transport {
  #settings;

  /** `settings`: a function, as those of the environment are looked up when they are needed. */
  constructor(settings) {
    this.#settings = settings;
  }

  get settings() {
    return this.#settings();
  }

  /**
   * Makes the call until it is answered for good, and returns `{ status, headers, body, url }`.
   *
   * `call`: `{ method, path, query?, body?, token?, creates?, repeatable? }`; `creates`: it is made repeatable by a key.
   * `options`: the caller's `{ signal?, timeoutMs?, retries?, headers?, idempotencyKey? }`.
   */
  async send(call, options = {}) {
    const settings = withOptions(this.settings, options);
    const key = keyOf(call, options);
    const repeatable = call.repeatable ?? (key !== undefined || REPEATABLE.includes(call.method));
    const request = requestOf(settings, call, key);
    let mayBeDone = false;
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await answerOf(settings, request, options.signal);
      } catch (error) {
        // What is not there any more was removed by the attempt before, whose answer was lost.
        if (mayBeDone && call.method === 'DELETE' && error instanceof NotFoundError) return { status: 204 };
        mayBeDone ||= !nothingWasTaken(error);
        const wait = pauseBeforeRetry(error, { repeatable }, attempt, settings);
        if (wait === null) throw error;
        await pause(wait, options.signal);
      }
    }
  }

  /** Makes the call once, and returns the response as it begins, of whatever status. */
  async open(call, signal) {
    const settings = this.settings;
    return respond(settings, requestOf(settings, call), signal);
  }
}

/** Where the daemon does not look at a key, it would only make a call be repeated that must not be. */
function keyOf({ creates }, options) {
  if (creates) return options.idempotencyKey ?? idempotencyKey();
  if (options.idempotencyKey !== undefined) throw new TypeError('This call takes no idempotencyKey.');
  return undefined;
}

function withOptions(settings, { timeoutMs, retries, headers }) {
  const merged = new Headers(settings.headers);
  new Headers(headers).forEach((value, name) => merged.set(name, value));
  return {
    ...settings,
    headers: merged,
    timeoutMs: amountOf('timeoutMs', timeoutMs ?? settings.timeoutMs),
    retries: amountOf('retries', retries ?? settings.retries),
  };
}

/** What is wrong with a header or with a body that is no JSON is thrown here, before anything is sent. */
function requestOf(settings, call, key) {
  const headers = new Headers(settings.headers);
  const token = call.token ?? settings.token;
  headers.set('accept', call.accept ?? 'application/json');
  if (token) headers.set('authorization', `Bearer ${token}`);
  if (key !== undefined) headers.set('idempotency-key', key);
  for (const [name, value] of Object.entries(call.headers ?? {})) headers.set(name, value);
  const init = { method: call.method, headers, credentials: settings.credentials };
  if (call.body !== undefined) {
    headers.set('content-type', 'application/json');
    init.body = JSON.stringify(call.body);
  }
  return { url: settings.base + call.path + query(call.query), init };
}

async function answerOf(settings, request, signal) {
  const late = () => new TimeoutError(`No answer within ${settings.timeoutMs} ms.`);
  return within(settings.timeoutMs, signal, late, async (inner) => {
    const response = await respond(settings, request, inner);
    const text = await textOf(response);
    if (!response.ok) throw problemOf(response, text);
    return { status: response.status, headers: response.headers, body: bodyOf(text), url: request.url };
  });
}

async function respond(settings, { url, init }, signal) {
  const fetch = settings.fetch ?? globalThis.fetch;
  let response;
  try {
    // A redirected POST would become a GET, and look as if it had been taken.
    response = await fetch(url, { ...init, signal, redirect: 'manual', cache: 'no-store' });
  } catch (cause) {
    const { origin } = new URL(url);
    throw new ConnectionError(`${origin} cannot be reached: ${reasonOf(cause)}.`, { cause });
  }
  if (response.type === 'opaqueredirect' || (response.status >= 300 && response.status < 400)) {
    throw new UnexpectedAnswerError('The answer is a redirect: url must be where the daemon itself answers.');
  }
  return response;
}

async function textOf(response) {
  try {
    return await response.text();
  } catch (cause) {
    throw new ConnectionError(`The answer broke off: ${reasonOf(cause)}.`, { cause });
  }
}

function bodyOf(text) {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UnexpectedAnswerError('The answer is no JSON: url must be where the daemon itself answers.', { cause });
  }
}

/** Node has the reason below the error, browsers in it. */
function reasonOf(error) {
  return error?.cause?.message || error?.cause?.code || error?.message || String(error);
}

module.exports = { Transport, reasonOf, textOf };
};

files['waiting.js'] = (module, require) => {
// Time: pauses that can be cut short, work with a deadline, and how long to wait before trying again.
'use strict';

/** Resolves after that time; rejects with the signal's reason if it is aborted before. */
function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', abort, { once: true });
  });
}

/** A controller that the signal aborts too. `release` it, or the signal holds on to it. */
function linked(signal) {
  const controller = new AbortController();
  const abort = () => controller.abort(signal.reason);
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort, { once: true });
  return { controller, release: () => signal?.removeEventListener('abort', abort) };
}

/** Does the work with a signal that is aborted by the caller's, or by `late()` when the time is over. */
async function within(ms, signal, late, work) {
  const { controller, release } = linked(signal);
  const timer = setTimeout(() => controller.abort(late()), ms);
  try {
    controller.signal.throwIfAborted();
    return await work(controller.signal);
  } catch (error) {
    // Runtimes differ in what an aborted fetch rejects with; why it was aborted is what matters.
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    clearTimeout(timer);
    release();
  }
}

/** The pause before another attempt: doubled each time, up to `most`, and half of it up to chance, so that those who
 * failed together do not come back together. */
function backoff(attempt, first, most) {
  const whole = Math.min(first * 2 ** attempt, most);
  return whole / 2 + (Math.random() * whole) / 2;
}

module.exports = { pause, linked, within, backoff };
};

files['index.js'] = (module, require) => {
// The package: a client that takes its daemon and its token from the environment, and all else by name.
'use strict';

const { Client } = require('./src/client.js');
const errors = require('./src/errors.js');
const { List, Page } = require('./src/list.js');
const { Subscription } = require('./src/subscription.js');

module.exports = Object.assign(Client.fromEnvironment(), { Client, List, Page, Subscription, ...errors });
};

const switchboard = load('./index.js');
export default switchboard;
export const {
  AlreadySoError,
  Client,
  ConfirmationInvalidError,
  ConflictError,
  ConnectionError,
  CustomerNotTextedError,
  CustomerUnconfirmedError,
  CustomerUnreachableError,
  CustomerUnsubscribedError,
  EventsForgottenError,
  ForbiddenError,
  IdempotencyMismatchError,
  InvalidBodyError,
  InvalidRequestError,
  List,
  NoCurrentSessionError,
  NotFoundError,
  NumberTakenError,
  Page,
  ProblemError,
  SessionAssignedError,
  SessionHeldError,
  SessionNotHeldError,
  StaleTurnError,
  Subscription,
  SwitchboardError,
  TimeoutError,
  TooManyCallsError,
  UnauthorizedError,
  UnavailableError,
  UnexpectedAnswerError,
} = switchboard;
