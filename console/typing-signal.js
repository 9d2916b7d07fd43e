// Owns telling the others that somebody is writing: once in a while as long as it goes on, and once when it ends.

const AGAIN_MS = 4000;
const IDLE_MS = 6000;

/** `tell(customerId, on)` makes the call; nobody waits for it. */
export function createTypingSignal(tell) {
  let whom = null;
  let toldAt = 0;
  let timer = null;

  function typed(customerId) {
    if (whom !== null && whom !== customerId) ended();
    clearTimeout(timer);
    timer = setTimeout(ended, IDLE_MS);
    if (whom === customerId && Date.now() - toldAt < AGAIN_MS) return;
    whom = customerId;
    toldAt = Date.now();
    tell(customerId, true);
  }

  function ended() {
    clearTimeout(timer);
    if (whom === null) return;
    tell(whom, false);
    whom = null;
  }

  return { typed, ended };
}
