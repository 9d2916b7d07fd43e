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
