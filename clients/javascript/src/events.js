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
