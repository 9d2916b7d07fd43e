// Owns the loading of the inbox: the list that is shown, and beside it, to count and to call, the list of all who
// wait. Pages come on demand, events keep both true, and each change costs one request at the most.

import * as api from './api.js';
import { createHeard } from './heard.js';
import {
  emptyList,
  incomplete,
  PLAIN_VIEW,
  sameView,
  withEvents,
  withKnown,
  withPage,
  withProblem,
} from './inbox-list.js';

const ASKED_AGAIN_MS = 5000;

/** `handlers.changed()` after every change; `handlers.failed(problem)` when something could not be loaded. */
export function createFeed(me, handlers) {
  let view = PLAIN_VIEW;
  let lists = { shown: emptyList(PLAIN_VIEW, me), all: null };
  const asked = new Map();
  const heard = createHeard();
  // What happened while a page was under way may not be in it.
  const missed = new Set();
  let generation = 0;

  const all = () => lists.all ?? lists.shown;

  function setView(next) {
    const plain = sameView(next, PLAIN_VIEW);
    const known = stopped(all());
    view = next;
    lists = plain ? { shown: known, all: null } : { shown: emptyList(next, me), all: known };
    generation += 1;
    handlers.changed();
    if (!plain) load('shown');
    // The list of all is kept true by events, so it is there at once, if it was there before.
    if (known.state !== 'ready') load(plain ? 'shown' : 'all');
  }

  // What was under way for it is not waited for any more.
  function stopped(list) {
    return list.state === 'more' ? { ...list, state: 'ready' } : list;
  }

  /** Loads anew what is shown and what is counted, and keeps showing the old until then. */
  async function reload() {
    generation += 1;
    await Promise.all([load('shown'), lists.all ? load('all') : null]);
  }

  function load(which) {
    const ask = () => api.inbox(which === 'all' ? PLAIN_VIEW : view);
    const failed = (problem) => put(which, withProblem(lists[which], problem));
    return fetchInto(which, ask, { anew: true, failed });
  }

  /** The next page, if there is one and it is not on its way. */
  async function more() {
    const { shown } = lists;
    if (!shown.next || shown.state === 'more') return;
    const mine = generation;
    put('shown', { ...shown, state: 'more' });
    // Whoever paints it asks again: not at once.
    const failed = (problem) =>
      setTimeout(() => mine === generation && put('shown', withProblem(lists.shown, problem)), ASKED_AGAIN_MS);
    await fetchInto('shown', shown.next, { anew: false, failed });
  }

  async function fetchInto(which, ask, { anew, failed }) {
    const mine = generation;
    const since = watch();
    try {
      const page = await ask();
      if (mine === generation) put(which, withEvents(withPage(lists[which], page, { anew }), since));
    } catch (problem) {
      if (mine === generation) failed(problem);
      handlers.failed(problem);
    } finally {
      unwatch(since);
    }
  }

  function apply(events) {
    for (const since of missed) since.push(...events);
    heard.take(events);
    lists = { shown: withEvents(lists.shown, events), all: lists.all && withEvents(lists.all, events) };
    const news = new Map([...incomplete(lists.shown), ...incomplete(all())].map((row) => [row.id, row]));
    for (const row of news.values()) complete(row);
    handlers.changed();
  }

  /** Finds out what events did not tell of a row, with one request at the most, and promises its customer. */
  async function complete(row) {
    const told = heard.about(row);
    const customer = row.customer ?? told.customer;
    if (told.customer || told.last_message) know(row.id, told);
    if (customer && (row.last_message ?? told.last_message)) return customer;
    if (!asked.has(row.id)) asked.set(row.id, lookUp(row));
    return asked.get(row.id);
  }

  async function lookUp(row) {
    try {
      const found = await api.inboxRow(row.customer_id, row.id);
      know(row.id, { ...found, complete: true });
      asked.delete(row.id);
      return found.customer;
    } catch {
      // Not again at every event: the daemon may have enough to do.
      setTimeout(() => asked.delete(row.id), ASKED_AGAIN_MS);
      return row.customer;
    }
  }

  function know(id, known) {
    lists = { shown: withKnown(lists.shown, id, known), all: lists.all && withKnown(lists.all, id, known) };
    handlers.changed();
  }

  function put(which, list) {
    lists = { ...lists, [which]: list };
    handlers.changed();
  }

  function watch() {
    const since = [];
    missed.add(since);
    return since;
  }

  function unwatch(since) {
    missed.delete(since);
  }

  return {
    setView,
    reload,
    more,
    apply,
    complete,
    view: () => view,
    shown: () => lists.shown,
    all,
  };
}
