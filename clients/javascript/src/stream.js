// One connection of the event stream: from its request to its last byte.
'use strict';

const { ConnectionError, TimeoutError, UnexpectedAnswerError } = require('./errors.js');
const { problemOf } = require('./problems.js');
const { SseParser } = require('./sse.js');
const { reasonOf, textOf } = require('./transport.js');
const { linked } = require('./waiting.js');

/**
 * The frames of one connection, as `SseParser` has them, each with `lastEventId` and `retryMs` as they stand then.
 * It never ends well: it throws what ended it, as a stream of events has no end.
 *
 * `lastEventId`: resume after that one; null: from now on. `silenceMs`: the daemon is heard of more often than that.
 */
async function* frames(transport, { query, lastEventId, silenceMs, signal }) {
  const { controller, release } = linked(signal);
  try {
    const parser = new SseParser();
    const response = await answered(transport, { query, lastEventId, controller });
    for await (const bytes of chunks(response, controller, silenceMs)) {
      for (const frame of parser.push(bytes)) {
        yield { ...frame, lastEventId: parser.lastEventId, retryMs: parser.retryMs };
      }
    }
    throw new ConnectionError('The event stream broke off: the other end closed it.');
  } catch (error) {
    // Runtimes differ in what an aborted fetch rejects with; why it was aborted is what matters.
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    release();
    controller.abort();
  }
}

async function answered(transport, { query, lastEventId, controller }) {
  const headers = lastEventId ? { 'last-event-id': lastEventId } : {};
  const call = { method: 'GET', path: '/v1/events', query, accept: 'text/event-stream', headers };
  const response = await inTime(transport.settings.timeoutMs, controller, () =>
    transport.open(call, controller.signal),
  );
  if (!response.ok) throw problemOf(response, await textOf(response));
  const type = response.headers.get('content-type') ?? '';
  if (/^text\/event-stream\b/i.test(type)) return response;
  throw new UnexpectedAnswerError(`The answer is no event stream, but ${type || 'of no type'}.`);
}

/** A line can be dead without anybody saying so. The heartbeat tells. */
async function* chunks(response, controller, silenceMs) {
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await inTime(silenceMs, controller, () => reader.read()).catch((error) => {
      if (error instanceof ConnectionError) throw error;
      throw new ConnectionError(`The event stream broke off: ${reasonOf(error)}.`, { cause: error });
    });
    if (done) return;
    yield value;
  }
}

async function inTime(ms, controller, work) {
  const late = () => controller.abort(new TimeoutError(`Nothing was heard for ${ms} ms.`));
  const timer = setTimeout(late, ms);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
  }
}

module.exports = { frames };
