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
