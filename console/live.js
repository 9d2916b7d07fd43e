// Owns the stream of events: one subscription for the whole console, its state in one word, and bursts taken as one.

import { problemOf } from './problems.js';

// Below what an eye sees, and enough to make one paint of a hundred events.
const GATHERED_MS = 60;
const FIRST_PAUSE_MS = 2000;
const LONGEST_PAUSE_MS = 30_000;

/**
 * `handlers`: `events(list)`, in order; `status(word)`: `connecting`, `open`, `reconnecting` or `closed`; `started()`
 * when events are heard from, so that lists loaded from then on miss nothing, also after the daemon forgot where we
 * stood; `signedOut()`.
 */
export function createLive(subscribe, handlers) {
  let subscription = null;
  let gathered = [];
  let timer = null;
  let pause = FIRST_PAUSE_MS;
  let again = null;

  function start() {
    stop();
    let mine;
    mine = subscribe({
      onEvent(event) {
        gathered.push(event);
        timer ??= setTimeout(flush, GATHERED_MS);
      },
      onStatus: ({ state, error }) => subscription === mine && changed(state, error),
      onForgotten: () => handlers.started(),
    });
    subscription = mine;
    mine.opened.then(
      () => {
        if (subscription !== mine) return;
        pause = FIRST_PAUSE_MS;
        handlers.status('open');
        handlers.started();
      },
      () => {},
    );
  }

  function stop() {
    clearTimeout(again);
    const old = subscription;
    subscription = null;
    old?.close();
    clearTimeout(timer);
    timer = null;
    gathered = [];
  }

  /** Does not wait for the next try, as when the network is back. */
  function hurry() {
    if (subscription) subscription.reconnect();
    else if (again) start();
  }

  function flush() {
    timer = null;
    const events = gathered;
    gathered = [];
    handlers.events(events);
  }

  // A subscription comes back by itself, unless it ends for a reason.
  function changed(status, error) {
    if (status !== 'closed') return handlers.status(status);
    subscription = null;
    const problem = problemOf(error);
    if (problem.kind === 'signed-out') return handlers.signedOut();
    handlers.status('reconnecting');
    again = setTimeout(start, pause);
    pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
  }

  return { start, stop, hurry };
}
