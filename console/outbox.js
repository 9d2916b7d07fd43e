// Owns the texts that were sent from this tab and that the daemon has not answered for yet. Each has an idempotency key
// that it keeps over every further try, over a reload and over a signing in, so that trying again never texts twice.

import { tabStorage } from './drafts.js';

const PLACE = 'switchboard outbox';
// The daemon knows a key for a day; shortly before that, trying again is no longer safe.
const KEY_GOOD_FOR_MS = 23 * 3_600_000;
const LONGEST_PAUSE_MS = 30_000;

/**
 * `author` is whose texts these are: what somebody else left in this tab is not sent in another name.
 * `send(customerId, content, key)` promises the message, or fails with a problem. `events` are told of what happens:
 * `changed(customerId)`, `sent(entry, message)`, `refused(entry, problem)`, `signedOut()`.
 */
export function createOutbox({
  author,
  send,
  events,
  storage = tabStorage(),
  now = Date.now,
  later = (work, ms) => setTimeout(work, ms),
  newKey = randomKey,
}) {
  let entries = restore(storage, now(), author);
  let stopped = false;
  const busy = new Set();

  function of(customerId) {
    return entries.filter((entry) => entry.customer_id === customerId);
  }

  function add(customerId, content) {
    const key = newKey();
    const entry = {
      id: `pending ${key}`,
      key,
      customer_id: customerId,
      content,
      author,
      state: 'sending',
      problem: null,
      tries: 0,
      created_at: new Date(now()).toISOString(),
    };
    keep([...entries, entry]);
    events.changed(customerId);
    work(customerId);
  }

  // One at a time for each customer: what was written first arrives first.
  async function work(customerId) {
    if (stopped || busy.has(customerId)) return;
    busy.add(customerId);
    try {
      for (let entry = first(customerId); entry && !stopped; entry = first(customerId)) {
        if (!(await attempt(entry))) break;
      }
    } finally {
      busy.delete(customerId);
    }
  }

  function first(customerId) {
    const entry = of(customerId)[0];
    return entry && entry.state !== 'stale' ? entry : undefined;
  }

  async function attempt(entry) {
    change(entry, { state: 'sending', tries: entry.tries + 1 });
    try {
      const message = await send(entry.customer_id, entry.content, entry.key);
      drop(entry);
      events.sent(entry, message);
      return true;
    } catch (problem) {
      return failed(entry, problem);
    }
  }

  function failed(entry, problem) {
    if (problem.kind === 'signed-out') {
      change(entry, { state: 'waiting', problem });
      events.signedOut();
      return false;
    }
    if (problem.passing) {
      change(entry, { state: 'waiting', problem });
      const pause = problem.retryAfterMs ?? Math.min(LONGEST_PAUSE_MS, 1000 * 2 ** entry.tries);
      later(() => work(entry.customer_id), pause);
      return false;
    }
    drop(entry);
    events.refused(entry, problem);
    return true;
  }

  /** Tries at once what waits for its next try: signed in again, or the connection is back, or somebody asks for it. */
  function tryNow(customerId) {
    const ids = customerId ? [customerId] : [...new Set(entries.map((entry) => entry.customer_id))];
    for (const id of ids) work(id);
  }

  /** Takes back what is too old to be tried again; its text is for the caller. */
  function takeBack(id) {
    const entry = entries.find((one) => one.id === id);
    if (entry) drop(entry);
    return entry?.content ?? '';
  }

  function change(entry, changes) {
    keep(entries.map((one) => (one.id === entry.id ? Object.assign(one, changes) : one)));
    events.changed(entry.customer_id);
  }

  function drop(entry) {
    keep(entries.filter((one) => one.id !== entry.id));
    events.changed(entry.customer_id);
  }

  function keep(next) {
    entries = next;
    const kept = entries.map(({ problem: _, ...entry }) => entry);
    if (kept.length > 0) storage.setItem(PLACE, JSON.stringify(kept));
    else storage.removeItem(PLACE);
  }

  /** Tries nothing more: whose texts these are is gone. What waits stays in the tab. */
  function stop() {
    stopped = true;
  }

  return { add, of, tryNow, takeBack, stop };
}

function restore(storage, now, author) {
  try {
    const kept = JSON.parse(storage.getItem(PLACE) ?? '[]');
    return kept.map((entry) => {
      const stale = entry.author !== author || now - Date.parse(entry.created_at) > KEY_GOOD_FOR_MS;
      return { ...entry, problem: null, state: stale ? 'stale' : 'waiting' };
    });
  } catch {
    return [];
  }
}

// `crypto.randomUUID` is missing from pages that came over plain HTTP.
function randomKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
