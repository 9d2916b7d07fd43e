// Owns what went wrong, in plain words and by what can be done about it.

const BY_SLUG = {
  'customer-unsubscribed': 'This customer has unsubscribed, so nothing was sent.',
  'customer-unconfirmed': 'Nobody has confirmed this number yet, so nothing was sent.',
  'customer-unreachable': 'This customer has no number that takes texts.',
  'session-not-held': 'The bot has this conversation. Take over to reply.',
  'session-held': 'Agents have this conversation already.',
  'no-current-session': 'This conversation is over. A new message starts the next one.',
  'not-queued': 'It has left already, so it cannot be canceled.',
  'not-held': 'It has been decided already whether to send this again.',
  'idempotency-mismatch': 'This text was sent before with other words. Please write it again.',
  'not-found': 'This does not exist any more.',
  forbidden: 'Your token does not include this.',
  'too-many-calls': 'That was too much at once. It goes on in a moment.',
  unavailable: 'The daemon cannot store anything right now.',
};

/**
 * `{kind, words, passing, retryAfterMs}` of whatever was thrown. `kind` is `signed-out`, `offline`, `busy`, `conflict`,
 * `gone` or `other`; what is `passing` may be tried again as it is.
 */
export function problemOf(error) {
  const { status = 0, slug = null, retryAfter = null } = error ?? {};
  const kind = kindOf(status, slug, error);
  return {
    kind,
    slug,
    words: wordsOf(kind, slug, error),
    passing: kind === 'offline' || kind === 'busy',
    retryAfterMs: retryAfter === null ? null : retryAfter * 1000,
  };
}

function kindOf(status, slug, error) {
  if (status === 401) return 'signed-out';
  if (status === 409) return 'conflict';
  if (status === 404) return 'gone';
  if (status === 429 || status >= 500) return 'busy';
  return status === 0 && isAboutTheLine(error) ? 'offline' : 'other';
}

// What the client throws for a broken line, and what a browser does.
function isAboutTheLine(error) {
  return ['ConnectionError', 'TimeoutError', 'TypeError', 'AbortError'].includes(error?.name);
}

function wordsOf(kind, slug, error) {
  if (kind === 'signed-out') return 'You are signed out. Sign in again to go on.';
  if (kind === 'offline') return 'Switchboard cannot be reached.';
  if (slug === 'session-assigned') return assignedWords(error);
  if (slug === 'invalid-body' && error.errors?.length > 0) return error.errors.map(({ detail }) => detail).join(' ');
  return BY_SLUG[slug] ?? sentence(error?.detail ?? error?.message);
}

function assignedWords(error) {
  const detail = sentence(error.detail);
  return detail === UNSAID ? 'Somebody else has this conversation.' : detail;
}

const UNSAID = 'Something went wrong.';

function sentence(text) {
  if (!text) return UNSAID;
  const trimmed = text.trim();
  return /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}
