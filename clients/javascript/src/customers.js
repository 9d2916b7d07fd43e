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
