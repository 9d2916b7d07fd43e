// What can go wrong, as exceptions to catch by their class.
'use strict';

/** Whatever this client throws, but for a TypeError about its arguments and an AbortSignal's own reason. */
class SwitchboardError extends Error {
  constructor(message, options) {
    super(message, options);
    Object.defineProperty(this, 'name', { value: new.target.name, configurable: true, writable: true });
  }
}

/** The daemon could not be reached, or the line broke. Whether the call was taken is not known. */
class ConnectionError extends SwitchboardError {}

/** The answer did not come in time. Whether the call was taken is not known. */
class TimeoutError extends ConnectionError {}

/** A good answer, but not the daemon's: a page, a redirect. Most often `url` leads to something else. */
class UnexpectedAnswerError extends SwitchboardError {}

/** The daemon refused, and says why. The fields are those of its problem document (RFC 9457). */
class ProblemError extends SwitchboardError {
  constructor(problem) {
    super(sentence(problem));
    Object.assign(this, problem);
  }
}

function sentence({ status, slug, title, detail, errors }) {
  const fields = errors.map(({ pointer, detail: wrong }) => ` ${pointer || '/'}: ${wrong}`).join('');
  return `${status} ${slug ?? title}: ${detail}${fields}`;
}

/** No token, or one that is unknown or revoked. */
class UnauthorizedError extends ProblemError {}

/** The token is good, but its role does not include this call. */
class ForbiddenError extends ProblemError {}

/** What the path names does not exist. */
class NotFoundError extends ProblemError {}

/** The customer has no session that is held or recent. A message, of anyone, starts one. */
class NoCurrentSessionError extends NotFoundError {}

/** The call is good, but not as things stand. */
class ConflictError extends ProblemError {}

/** Agents have the session: the bot may not speak. */
class SessionHeldError extends ConflictError {}

/** The bot has the session: agents may not speak. */
class SessionNotHeldError extends ConflictError {}

/** Another agent has the session; `detail` says who. */
class SessionAssignedError extends ConflictError {}

/** The bot's answer is for a time before the session changed hands. */
class StaleTurnError extends ConflictError {}

/** The customer may not be texted; the subclasses say why. */
class CustomerNotTextedError extends ConflictError {}

/** Nobody has proved that the number is the customer's. */
class CustomerUnconfirmedError extends CustomerNotTextedError {}

/** The customer asked not to be texted. */
class CustomerUnsubscribedError extends CustomerNotTextedError {}

/** What is known of the customer is not a number that takes texts. */
class CustomerUnreachableError extends CustomerNotTextedError {}

/** Another customer has the number; `detail` says who. */
class NumberTakenError extends ConflictError {}

/** Nothing was changed, as it is so already: confirmed, subscribed, unsubscribed. */
class AlreadySoError extends ConflictError {}

/** The event stream does not reach back that far. Load the lists anew, and subscribe from now on. */
class EventsForgottenError extends ProblemError {}

/** The call itself is wrong; the subclasses say where. */
class InvalidRequestError extends ProblemError {}

/** `errors` names what is wrong with which field of the body. */
class InvalidBodyError extends InvalidRequestError {}

/** The same Idempotency-Key came with another body before. */
class IdempotencyMismatchError extends InvalidRequestError {}

/** The confirmation token is wrong, has expired or was tried too often. */
class ConfirmationInvalidError extends ProblemError {}

/** More calls than the token may make. `retryAfter` says for how many seconds to wait. */
class TooManyCallsError extends ProblemError {}

/** Not possible right now. `retryAfter` says for how many seconds to wait. */
class UnavailableError extends ProblemError {}

module.exports = {
  SwitchboardError,
  ConnectionError,
  TimeoutError,
  UnexpectedAnswerError,
  ProblemError,
  UnauthorizedError,
  ForbiddenError,
  NotFoundError,
  NoCurrentSessionError,
  ConflictError,
  SessionHeldError,
  SessionNotHeldError,
  SessionAssignedError,
  StaleTurnError,
  CustomerNotTextedError,
  CustomerUnconfirmedError,
  CustomerUnsubscribedError,
  CustomerUnreachableError,
  NumberTakenError,
  AlreadySoError,
  EventsForgottenError,
  InvalidRequestError,
  InvalidBodyError,
  IdempotencyMismatchError,
  ConfirmationInvalidError,
  TooManyCallsError,
  UnavailableError,
};
