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
