// Subscriptions: nothing missed and nothing twice, whatever becomes of the line, and who hears of what.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { entries } from './fixture/entries.mjs';
import { hangUp, refusal, scripted, stream } from './fixture/scripted.mjs';

/** Frames as the daemon writes them. Pauses before reconnecting are short here. */
const begin = (id) => `retry: 4\nid: ${id}\n\n`;
const frame = (id, name = 'message.created') =>
  `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify({ id, name, created_at: 'now', data: {} })}\n\n`;

/** The next so many ids of a subscription. */
async function take(events, count) {
  const ids = [];
  if (count === 0) return ids;
  const iterator = events[Symbol.asyncIterator]();
  while (ids.length < count) ids.push((await iterator.next()).value.id);
  return ids;
}

const resumedAfter = (calls) => calls.map((call) => call.headers['last-event-id']);

for (const [entry, { Client }] of entries) {
  describe(entry, () => {
    /** A subscription to a server of that script; closed with the test. */
    async function subscribed(t, answers, options = {}) {
      const { url, calls, left } = await scripted(t, answers);
      const client = new Client({ url, token: 'secret' });
      const events = client.events.subscribe(options);
      t.after(() => events.close());
      return { events, calls, left };
    }

    test('events come in order, to whoever iterates', async (t) => {
      const { events, calls } = await subscribed(t, [stream(begin('0') + frame('1') + frame('2'))], {
        types: ['message.*', 'session.updated'],
        customerId: { CUSTOMER_ID: 'c' },
        sessionId: 's',
      });
      assert.deepEqual(await take(events, 2), ['1', '2']);
      assert.equal(calls[0].path, '/v1/events?type=message.*%2Csession.updated&customer_id=c&session_id=s');
      assert.equal(calls[0].headers.accept, 'text/event-stream');
      assert.equal(calls[0].headers.authorization, 'Bearer secret');
      assert.equal(calls[0].headers['last-event-id'], undefined);
    });

    test('a broken line is taken up after the last event, in whichever way it broke', async (t) => {
      const { events, calls } = await subscribed(t, [
        stream(begin('0') + frame('1'), (response) => response.end()),
        stream(begin('1') + frame('2'), (response) => response.socket.destroySoon()),
        hangUp,
        { status: 503 },
        stream(`${begin('2')}id: 3\ndata: {"id":"3"`, (response) => response.end('\n')),
        stream(begin('2') + frame('3')),
      ]);
      assert.deepEqual(await take(events, 3), ['1', '2', '3']);
      assert.deepEqual(resumedAfter(calls), [undefined, '1', '2', '2', '2', '2']);
    });

    test('what happens between the first connection and the second is not missed, even if the first told nothing', async (t) => {
      const { events, calls } = await subscribed(t, [
        stream(begin('7'), (response) => response.end()),
        stream(begin('7') + frame('8')),
      ]);
      assert.deepEqual(await take(events, 1), ['8']);
      assert.deepEqual(resumedAfter(calls), [undefined, '7']);
    });

    test('an event that comes again is not handed over again', async (t) => {
      const { events } = await subscribed(t, [
        stream(begin('0') + frame('1') + frame('2'), (response) => response.end()),
        stream(begin('2') + frame('1') + frame('2') + frame('3')),
      ]);
      assert.deepEqual(await take(events, 3), ['1', '2', '3']);
    });

    test('what is not durable has no id, is handed over each time, and is not resumed after', async (t) => {
      const typing = 'event: session.typing\ndata: {"id":null,"name":"session.typing"}\n\n';
      const { events, calls } = await subscribed(t, [
        stream(begin('0') + frame('1') + typing + typing, (response) => response.end()),
        stream(begin('1') + frame('2')),
      ]);
      assert.deepEqual(await take(events, 4), ['1', null, null, '2']);
      assert.equal(resumedAfter(calls)[1], '1');
    });

    test('a subscription can begin after an event of another time', async (t) => {
      const { events, calls } = await subscribed(t, [stream(begin('5') + frame('6'))], { lastEventId: '5' });
      assert.equal(events.lastEventId, '5');
      assert.deepEqual(await take(events, 1), ['6']);
      assert.equal(events.lastEventId, '6');
      assert.deepEqual(resumedAfter(calls), ['5']);
    });

    test('the place to resume after moves with what is handed over, not with what came in', async (t) => {
      const { events } = await subscribed(t, [stream(begin('0') + frame('1') + frame('2'))]);
      const iterator = events[Symbol.asyncIterator]();
      await iterator.next();
      assert.equal(events.lastEventId, '1');
      await iterator.next();
      assert.equal(events.lastEventId, '2');
    });

    test('where nothing was for us, the place to resume after moves with the stream', async (t) => {
      const { events, calls } = await subscribed(t, [
        stream(`${begin('0')}id: 9\n\n`, (response) => response.end()),
        stream(begin('9') + frame('10')),
      ]);
      assert.deepEqual(await take(events, 1), ['10']);
      assert.deepEqual(resumedAfter(calls), [undefined, '9']);
    });

    test('it is open once the stream says where it stands', async (t) => {
      let began;
      const begun = new Promise((resolve) => (began = resolve));
      const told = [];
      const { events } = await subscribed(t, [stream('', began)], { onStatus: ({ state }) => told.push(state) });
      const opened = events.opened.then(() => told.push('(opened)'));
      const response = await begun;
      assert.deepEqual([told, events.status], [['connecting'], 'connecting']);
      response.write(begin('0'));
      await opened;
      assert.deepEqual([told, events.status], [['connecting', 'open', '(opened)'], 'open']);
    });

    test('the status tells of each turn, with the reason and the pause', async (t) => {
      const told = [];
      const refused = refusal(503, 'unavailable', { headers: { 'retry-after': '0' } });
      const { events } = await subscribed(
        t,
        [stream(begin('0'), (response) => response.end()), refused, stream(begin('0') + frame('1'))],
        { onStatus: (status) => told.push(status) },
      );
      await take(events, 1);
      events.close();
      await events.done;
      assert.deepEqual(
        told.map(({ state, error }) => `${state} ${error?.name ?? ''}`.trim()),
        ['connecting', 'open', 'reconnecting ConnectionError', 'reconnecting UnavailableError', 'open', 'closed'],
      );
      assert.ok(told[2].delayMs >= 2 && told[2].delayMs <= 4, String(told[2].delayMs));
      assert.ok(told[3].delayMs >= 4 / 2, String(told[3].delayMs));
    });

    test('pauses grow while nothing opens, and begin anew when it did', async (t) => {
      const pauses = [];
      const { events } = await subscribed(
        t,
        [
          stream(begin('0'), (response) => response.end()),
          hangUp,
          hangUp,
          stream(begin('0'), (response) => response.end()),
          stream(begin('0') + frame('1')),
        ],
        { onStatus: ({ delayMs }) => delayMs === null || pauses.push(delayMs) },
      );
      await take(events, 1);
      const within = [4, 8, 16, 4].every((whole, place) => pauses[place] >= whole / 2 && pauses[place] <= whole);
      assert.ok(within, String(pauses));
    });

    test('a waiting subscription reconnects at once when it is told to', async (t) => {
      const { events } = await subscribed(
        t,
        [stream('retry: 600000\nid: 0\n\n', (response) => response.end()), stream(begin('0') + frame('1'))],
        {
          onStatus: ({ state }) => state === 'reconnecting' && setImmediate(() => events.reconnect()),
        },
      );
      assert.deepEqual(await take(events, 1), ['1']);
    });

    test('a line on which nothing is heard is dead', async (t) => {
      const errors = [];
      const { events, calls } = await subscribed(t, [stream(begin('3')), stream(begin('3') + frame('4'))], {
        silenceMs: 300,
        onStatus: ({ state, error }) => state === 'reconnecting' && errors.push(error.name),
      });
      assert.deepEqual(await take(events, 1), ['4']);
      assert.deepEqual(errors, ['TimeoutError']);
      assert.deepEqual(resumedAfter(calls), [undefined, '3']);
    });

    test('a line with a heartbeat is not', async (t) => {
      const states = [];
      const beating = stream(begin('0'), (response) => {
        let beats = 0;
        const heart = setInterval(() => {
          response.write(': \n');
          if ((beats += 1) < 12) return;
          clearInterval(heart);
          response.write(frame('1'));
        }, 50);
      });
      const { events } = await subscribed(t, [beating], {
        silenceMs: 500,
        onStatus: ({ state }) => states.push(state),
      });
      assert.deepEqual(await take(events, 1), ['1']);
      assert.deepEqual(states, ['connecting', 'open']);
    });

    test('a token that is not good ends it, with the error', async (t) => {
      for (const [status, slug, name] of [
        [401, 'unauthorized', 'UnauthorizedError'],
        [403, 'forbidden', 'ForbiddenError'],
        [400, 'invalid-query', 'InvalidRequestError'],
      ]) {
        const told = [];
        const { events, calls } = await subscribed(t, [refusal(status, slug)], { onStatus: (each) => told.push(each) });
        await assert.rejects(take(events, 1), { name });
        await assert.rejects(events.done, { name });
        await assert.rejects(events.opened, { name });
        assert.deepEqual([told.at(-1).state, told.at(-1).error.name], ['closed', name]);
        assert.deepEqual(await events[Symbol.asyncIterator]().next(), { done: true, value: undefined });
        assert.equal(calls.length, 1);
      }
    });

    test('what came before the end is handed over before the error', async (t) => {
      const { events } = await subscribed(t, [
        stream(begin('0') + frame('1') + frame('2'), (response) => response.end()),
        refusal(401, 'unauthorized'),
      ]);
      await assert.rejects(events.done, { name: 'UnauthorizedError' });
      assert.deepEqual(await take(events, 2), ['1', '2']);
      await assert.rejects(take(events, 1), { name: 'UnauthorizedError' });
    });

    test('what is forgotten ends it, where nobody says what to do then', async (t) => {
      const { events } = await subscribed(t, [refusal(410, 'events-forgotten')], { lastEventId: '1' });
      await assert.rejects(take(events, 1), { name: 'EventsForgottenError', status: 410 });
    });

    test('what is forgotten is made up for: the new stream stands, then the lists are loaded, then events come', async (t) => {
      const steps = [];
      let asked;
      const asking = new Promise((resolve) => (asked = resolve));
      const { events, calls } = await subscribed(
        t,
        [
          stream(begin('0') + frame('1'), (response) => response.end()),
          refusal(410, 'events-forgotten'),
          stream(begin('50') + frame('51')),
        ],
        {
          onStatus: ({ state }) => steps.push(state),
          onForgotten: (error) => {
            steps.push(error.name);
            return new Promise((resolve) => asked(() => resolve(steps.push('(loaded)'))));
          },
          onEvent: ({ id }) => {
            steps.push(id);
            if (id === '51') events.close();
          },
        },
      );
      const loaded = await asking;
      assert.deepEqual(steps, ['connecting', 'open', '1', 'reconnecting', 'open', 'EventsForgottenError']);
      loaded();
      await events.done;
      assert.deepEqual(steps.slice(6), ['(loaded)', '51', 'closed']);
      assert.deepEqual(resumedAfter(calls), [undefined, '1', undefined]);
    });

    test('lists that could not be loaded then are asked for again with the next connection', async (t) => {
      let tries = 0;
      const { events, calls } = await subscribed(
        t,
        [refusal(410, 'events-forgotten'), stream(begin('5') + frame('6')), stream(begin('5') + frame('6'))],
        {
          lastEventId: '1',
          onForgotten: async () => {
            tries += 1;
            if (tries === 1) await new Client({ url: 'http://127.0.0.1:9', retries: 0 }).me();
          },
        },
      );
      assert.deepEqual(await take(events, 1), ['6']);
      assert.equal(tries, 2);
      assert.deepEqual(resumedAfter(calls), ['1', undefined, '5']);
    });

    test('a callback has one event after the other', async (t) => {
      const steps = [];
      const { events } = await subscribed(t, [stream(begin('0') + frame('1') + frame('2'))], {
        onEvent: async ({ id }) => {
          steps.push(`${id} begins`);
          await new Promise(setImmediate);
          steps.push(`${id} ends`);
          if (id === '2') events.close();
        },
      });
      await events.done;
      assert.deepEqual(steps, ['1 begins', '1 ends', '2 begins', '2 ends']);
      assert.throws(() => events[Symbol.asyncIterator](), { name: 'TypeError' });
    });

    test('a callback that throws ends it with its error', async (t) => {
      const states = [];
      const { events } = await subscribed(t, [stream(begin('0') + frame('1') + frame('2'))], {
        onStatus: ({ state, error }) => states.push(`${state} ${error?.message ?? ''}`.trim()),
        onEvent: () => {
          throw new Error('not mine');
        },
      });
      await assert.rejects(events.done, { message: 'not mine' });
      assert.deepEqual(states, ['connecting', 'open', 'closed not mine']);
    });

    test('an error of which nobody else would hear is an unhandled rejection', async (t) => {
      const { default: events } = await import('node:events');
      const unhandled = events.once(process, 'unhandledRejection');
      // The test runner listens, too, and would fail the test.
      const others = process.listeners('unhandledRejection').filter((listener) => listener.name !== 'resolver');
      for (const listener of others) process.off('unhandledRejection', listener);
      await subscribed(t, [refusal(401, 'unauthorized')], { onEvent: () => {} });
      const [error] = await unhandled;
      for (const listener of others) process.on('unhandledRejection', listener);
      assert.equal(error.name, 'UnauthorizedError');
    });

    test('leaving the loop closes the line', async (t) => {
      let closed;
      const gone = new Promise((resolve) => (closed = resolve));
      const { events } = await subscribed(t, [
        stream(begin('0') + frame('1'), (response) => response.on('close', closed)),
      ]);
      for await (const { id } of events) {
        assert.equal(id, '1');
        break;
      }
      await gone;
      await events.done;
      assert.equal(events.status, 'closed');
    });

    test('an aborted signal ends the loop quietly', async (t) => {
      const controller = new AbortController();
      const { events } = await subscribed(t, [stream(begin('0') + frame('1'))], { signal: controller.signal });
      const ids = [];
      for await (const { id } of events) {
        ids.push(id);
        controller.abort();
      }
      assert.deepEqual(ids, ['1']);
      await events.done;
      const late = await subscribed(t, [], { signal: AbortSignal.abort() });
      for await (const event of late.events) assert.fail(event.id);
      assert.equal(late.calls.length, 0);
    });

    test('a waiting taker is let go when it is closed', async (t) => {
      const { events } = await subscribed(t, [stream(begin('0'))]);
      const taking = events[Symbol.asyncIterator]().next();
      await events.opened;
      events.close();
      assert.deepEqual(await taking, { done: true, value: undefined });
    });

    test('closing while it waits to reconnect ends it at once', async (t) => {
      const { events } = await subscribed(t, [stream('retry: 600000\nid: 0\n\n', (response) => response.end())], {
        onStatus: ({ state }) => state === 'reconnecting' && events.close(),
      });
      await events.done;
    });

    test('no more is read than there is room for, and all of it arrives', async (t) => {
      const count = 5000;
      let written = '';
      for (let id = 1; id <= count; id += 1) written += frame(id);
      const { events } = await subscribed(t, [stream(begin('0') + written)]);
      await events.opened;
      let last = 0;
      for await (const { id } of events) {
        assert.equal(id, last + 1);
        last = id;
        if (last === count) break;
      }
    });

    test('what is no event stream is not waited for', async (t) => {
      const { events } = await subscribed(t, [{ headers: { 'content-type': 'text/html' }, body: '<h1>Welcome</h1>' }]);
      await assert.rejects(take(events, 1), { name: 'UnexpectedAnswerError', message: /text\/html/ });
      const broken = await subscribed(t, [stream(`${begin('0')}id: 1\ndata: {broken\n\n`)]);
      await assert.rejects(take(broken.events, 1), { name: 'UnexpectedAnswerError', message: /event 1 is no JSON/ });
    });

    test('options that cannot be are refused at once', () => {
      const { events } = new Client({ url: 'http://127.0.0.1:8080' });
      assert.throws(() => events.subscribe({ type: 'message.*' }), {
        name: 'TypeError',
        message: /^type is no option/,
      });
      assert.throws(() => events.subscribe({ onEvent: true }), { name: 'TypeError' });
      assert.throws(() => events.subscribe({ customerId: {} }), { name: 'TypeError' });
      assert.throws(() => events.subscribe({ silenceMs: 'long' }), { name: 'TypeError' });
    });
  });
}
