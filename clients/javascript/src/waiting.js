// Time: pauses that can be cut short, work with a deadline, and how long to wait before trying again.
'use strict';

/** Resolves after that time; rejects with the signal's reason if it is aborted before. */
function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', abort, { once: true });
  });
}

/** A controller that the signal aborts too. `release` it, or the signal holds on to it. */
function linked(signal) {
  const controller = new AbortController();
  const abort = () => controller.abort(signal.reason);
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort, { once: true });
  return { controller, release: () => signal?.removeEventListener('abort', abort) };
}

/** Does the work with a signal that is aborted by the caller's, or by `late()` when the time is over. */
async function within(ms, signal, late, work) {
  const { controller, release } = linked(signal);
  const timer = setTimeout(() => controller.abort(late()), ms);
  try {
    controller.signal.throwIfAborted();
    return await work(controller.signal);
  } catch (error) {
    // Runtimes differ in what an aborted fetch rejects with; why it was aborted is what matters.
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    clearTimeout(timer);
    release();
  }
}

/** The pause before another attempt: doubled each time, up to `most`, and half of it up to chance, so that those who
 * failed together do not come back together. */
function backoff(attempt, first, most) {
  const whole = Math.min(first * 2 ** attempt, most);
  return whole / 2 + (Math.random() * whole) / 2;
}

module.exports = { pause, linked, within, backoff };
