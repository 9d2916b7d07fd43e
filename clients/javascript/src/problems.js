// From an answer that is a refusal to its exception. The slug decides; where there is none, the status.
'use strict';

const errors = require('./errors.js');

const BY_SLUG = {
  'already-confirmed': errors.AlreadySoError,
  'already-subscribed': errors.AlreadySoError,
  'already-unsubscribed': errors.AlreadySoError,
  'body-too-large': errors.InvalidRequestError,
  'confirmation-invalid': errors.ConfirmationInvalidError,
  'customer-unconfirmed': errors.CustomerUnconfirmedError,
  'customer-unreachable': errors.CustomerUnreachableError,
  'customer-unsubscribed': errors.CustomerUnsubscribedError,
  'events-forgotten': errors.EventsForgottenError,
  'idempotency-mismatch': errors.IdempotencyMismatchError,
  'invalid-body': errors.InvalidBodyError,
  'invalid-header': errors.InvalidRequestError,
  'invalid-query': errors.InvalidRequestError,
  'method-not-allowed': errors.InvalidRequestError,
  'no-current-session': errors.NoCurrentSessionError,
  'number-taken': errors.NumberTakenError,
  'session-assigned': errors.SessionAssignedError,
  'session-held': errors.SessionHeldError,
  'session-not-held': errors.SessionNotHeldError,
  'stale-turn': errors.StaleTurnError,
  'unsupported-media-type': errors.InvalidRequestError,
};

const BY_STATUS = {
  400: errors.InvalidRequestError,
  401: errors.UnauthorizedError,
  403: errors.ForbiddenError,
  404: errors.NotFoundError,
  409: errors.ConflictError,
  413: errors.InvalidRequestError,
  415: errors.InvalidRequestError,
  429: errors.TooManyCallsError,
  502: errors.UnavailableError,
  503: errors.UnavailableError,
  504: errors.UnavailableError,
};

/** The exception for a response that is not `ok`, with what was read of its body. */
function problemOf(response, text) {
  const { status, headers } = response;
  const problem = documentOf(text) ?? proxysWords(response, text);
  const Family = BY_SLUG[problem.slug] ?? BY_STATUS[status] ?? errors.ProblemError;
  return new Family({
    ...problem,
    status,
    requestId: headers.get('x-request-id'),
    retryAfter: secondsOf(headers.get('retry-after')),
  });
}

/** The daemon's problem document, if it is one. */
function documentOf(text) {
  const body = jsonOf(text);
  if (typeof body?.type !== 'string' || typeof body.title !== 'string') return null;
  const { type, title } = body;
  const slug = type.startsWith('/problems/') ? type.slice('/problems/'.length) : null;
  const detail = typeof body.detail === 'string' ? body.detail : title;
  return { type, slug, title, detail, errors: Array.isArray(body.errors) ? body.errors : [] };
}

/** What stands between here and the daemon answers in its own way: keep the beginning of what it says. */
function proxysWords({ status, statusText }, text) {
  const words = text
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 200);
  const title = statusText || `HTTP ${status}`;
  return { type: 'about:blank', slug: null, title, detail: words || 'The answer says nothing more.', errors: [] };
}

function jsonOf(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** `Retry-After`, in seconds: a number or a date (RFC 9110, 10.2.3). Null if it is neither. */
function secondsOf(value, now = Date.now()) {
  if (!value) return null;
  if (/^\d+$/.test(value)) return Number(value);
  const at = Date.parse(value);
  return Number.isNaN(at) ? null : Math.max(0, Math.ceil((at - now) / 1000));
}

module.exports = { problemOf, secondsOf };
