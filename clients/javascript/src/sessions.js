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
