// The package as an ES module, in Node: the very classes of index.js, so that `instanceof` is true across both.

import switchboard from './index.js';

export default switchboard;
export const {
  AlreadySoError,
  Client,
  ConfirmationInvalidError,
  ConflictError,
  ConnectionError,
  CustomerNotTextedError,
  CustomerUnconfirmedError,
  CustomerUnreachableError,
  CustomerUnsubscribedError,
  EventsForgottenError,
  ForbiddenError,
  IdempotencyMismatchError,
  InvalidBodyError,
  InvalidRequestError,
  List,
  NoCurrentSessionError,
  NotFoundError,
  NumberTakenError,
  Page,
  ProblemError,
  SessionAssignedError,
  SessionHeldError,
  SessionNotHeldError,
  StaleTurnError,
  Subscription,
  SwitchboardError,
  TimeoutError,
  TooManyCallsError,
  UnauthorizedError,
  UnavailableError,
  UnexpectedAnswerError,
} = switchboard;
