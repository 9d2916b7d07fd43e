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
