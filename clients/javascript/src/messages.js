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
