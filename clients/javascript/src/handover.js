// Between the line that events come in by and whoever takes them: in order, and no more ahead than there is room for.
'use strict';

const ROOM = 1000;

class Handover {
  #events = [];
  #takers = [];
  #room = null;
  #ended = false;
  #error = null;

  /** Where to resume after what was taken. */
  position;

  constructor(position) {
    this.position = position;
  }

  /** Hands an event over, after which the stream stands at `position`. Resolves once there is room for another. */
  async put(event, position) {
    if (this.#ended) return;
    this.#events.push({ event, position });
    this.#serve();
    if (this.#events.length >= ROOM) await new Promise((resolve) => (this.#room = resolve));
  }

  /** The stream stands at `position`, with no event for us. */
  move(position) {
    const last = this.#events.at(-1);
    if (last) last.position = position;
    else this.position = position;
  }

  /** The next event, as an iterator has it. Rejects with what the stream ended by, after its last event. */
  take() {
    return new Promise((resolve, reject) => {
      this.#takers.push({ resolve, reject });
      this.#serve();
    });
  }

  /** No more comes; what is here can still be taken. */
  end(error = null) {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#serve();
  }

  /** No more is taken. */
  cut() {
    if (!this.#ended) this.#events = [];
    this.end();
  }

  #serve() {
    while (this.#takers.length > 0 && this.#events.length > 0) {
      const { event, position } = this.#events.shift();
      this.position = position;
      this.#takers.shift().resolve({ done: false, value: event });
    }
    if (this.#ended) for (const taker of this.#takers.splice(0)) this.#finish(taker);
    if (this.#ended || this.#events.length < ROOM) this.#room?.();
  }

  /** An iterator throws once, and is done then. */
  #finish({ resolve, reject }) {
    const error = this.#error;
    this.#error = null;
    if (error) reject(error);
    else resolve({ done: true, value: undefined });
  }
}

module.exports = { Handover };
