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
