// Which failed calls are made again, and when: never one that may have been taken and would then be done twice.
'use strict';

const { ConnectionError, ProblemError } = require('./errors.js');
const { backoff } = require('./waiting.js');

const PASSING = [408, 429, 502, 503, 504];
const LONGEST_BACKOFF_MS = 8_000;
/** Whoever is to wait for longer should hear of it. */
const LONGEST_RETRY_AFTER_S = 60;
/** How Node's fetch says that no connection came about, so that nothing was sent. */
const NEVER_SENT = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT'];

/** How many milliseconds to wait before the call is made again; null if it is not to be. `attempt` counts from 0. */
function pauseBeforeRetry(error, { repeatable }, attempt, { retries, backoffMs }) {
  if (attempt >= retries || !isPassing(error)) return null;
  if (!repeatable && !nothingWasTaken(error)) return null;
  const asked = error.retryAfter ?? 0;
  if (asked > LONGEST_RETRY_AFTER_S) return null;
  return asked * 1000 + backoff(attempt, backoffMs, LONGEST_BACKOFF_MS);
}

function isPassing(error) {
  return error instanceof ConnectionError || (error instanceof ProblemError && PASSING.includes(error.status));
}

/** Whether it is certain that the call did nothing. */
function nothingWasTaken(error) {
  if (error instanceof ConnectionError) return NEVER_SENT.includes(error.cause?.cause?.code);
  if (!(error instanceof ProblemError)) return false;
  // The daemon says in a 503's detail if its store failed half-way.
  return error.status === 429 || (error.status === 503 && !/nobody knows/i.test(error.detail));
}

module.exports = { nothingWasTaken, pauseBeforeRetry };
