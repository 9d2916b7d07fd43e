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
