// What can be caught.

/** Whatever the client throws, but for a TypeError about its arguments and an AbortSignal's own reason. */
export class SwitchboardError extends Error {}

/** The daemon could not be reached, or the line broke. Whether the call was taken is not known. */
export class ConnectionError extends SwitchboardError {}

/** The answer did not come in time. */
export class TimeoutError extends ConnectionError {}

/** A good answer, but not the daemon's. */
export class UnexpectedAnswerError extends SwitchboardError {}

/** What is wrong with a field of the body; `pointer` is a JSON pointer (RFC 6901). */
export interface FieldError {
  pointer: string;
  detail: string;
}

/** What the daemon says of a refusal, and what stands around it. */
export interface Problem {
  type: string;
  /** What `type` ends with; null if the refusal is not the daemon's, but a proxy's. */
  slug: string | null;
  title: string;
  status: number;
  detail: string;
  errors: readonly FieldError[];
  /** By which the daemon's log knows the call. */
  requestId: string | null;
  /** Seconds. */
  retryAfter: number | null;
}

/** The daemon refused, and says why: its problem document (RFC 9457). */
export interface ProblemError extends Readonly<Problem> {}
export class ProblemError extends SwitchboardError {
  constructor(problem: Problem);
}

/** No token, or one that is unknown or revoked. */
export class UnauthorizedError extends ProblemError {}

/** The token is good, but its role does not include this call. */
export class ForbiddenError extends ProblemError {}

/** What the path names does not exist. */
export class NotFoundError extends ProblemError {}

/** The customer has no session that is held or recent. A message, of anyone, starts one. */
export class NoCurrentSessionError extends NotFoundError {
  readonly slug: 'no-current-session';
}

/** The call is good, but not as things stand. */
export class ConflictError extends ProblemError {}

/** Agents have the session: the bot may not speak. */
export class SessionHeldError extends ConflictError {
  readonly slug: 'session-held';
}

/** The bot has the session: agents may not speak. */
export class SessionNotHeldError extends ConflictError {
  readonly slug: 'session-not-held';
}

/** Another agent has the session; `detail` says who. */
export class SessionAssignedError extends ConflictError {
  readonly slug: 'session-assigned';
}

/** The bot's answer is for a time before the session changed hands. */
export class StaleTurnError extends ConflictError {
  readonly slug: 'stale-turn';
}

/** The customer may not be texted; the subclasses say why. */
export class CustomerNotTextedError extends ConflictError {}

/** Nobody has proved that the number is the customer's. */
export class CustomerUnconfirmedError extends CustomerNotTextedError {
  readonly slug: 'customer-unconfirmed';
}

/** The customer asked not to be texted. */
export class CustomerUnsubscribedError extends CustomerNotTextedError {
  readonly slug: 'customer-unsubscribed';
}

/** What is known of the customer is not a number that takes texts. */
export class CustomerUnreachableError extends CustomerNotTextedError {
  readonly slug: 'customer-unreachable';
}

/** Another customer has the number; `detail` says who. */
export class NumberTakenError extends ConflictError {
  readonly slug: 'number-taken';
}

/** Nothing was changed, as it is so already: confirmed, subscribed, unsubscribed. */
export class AlreadySoError extends ConflictError {}

/** The event stream does not reach back that far. Load the lists anew, and subscribe from now on. */
export class EventsForgottenError extends ProblemError {
  readonly slug: 'events-forgotten';
}

/** The call itself is wrong; the subclasses say where. */
export class InvalidRequestError extends ProblemError {}

/** `errors` names what is wrong with which field of the body. */
export class InvalidBodyError extends InvalidRequestError {
  readonly slug: 'invalid-body';
}

/** The same Idempotency-Key came with another body before. */
export class IdempotencyMismatchError extends InvalidRequestError {
  readonly slug: 'idempotency-mismatch';
}

/** The confirmation token is wrong, has expired or was tried too often. */
export class ConfirmationInvalidError extends ProblemError {
  readonly slug: 'confirmation-invalid';
}

/** More calls than the token may make. `retryAfter` says for how many seconds to wait. */
export class TooManyCallsError extends ProblemError {}

/** Not possible right now. `retryAfter` says for how many seconds to wait. */
export class UnavailableError extends ProblemError {}
