// Owns the loading of the inbox: the list that is shown, and beside it, to count and to call, the list of all who
// wait. Pages come on demand, events keep both true, and each change costs one request at the most.

import * as api from './api.js';
import {
  emptyList,
  PLAIN_VIEW,
  sameView,
  strangers,
  withCustomer,
  withEvents,
  withPage,
  withProblem,
} from './inbox-list.js';

const MOST_HEARD_OF = 500;

/** `handlers.changed()` after every change; `handlers.failed(problem)` when something could not be loaded. */
export function createFeed(me, handlers) {
  let view = PLAIN_VIEW;
  let lists = { shown: emptyList(PLAIN_VIEW, me), all: null };
  const asked = new Map();
  // Customers that events told of: most who are new to the inbox wrote just now.
  const heardOf = new Map();
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

  async function load(which) {
    const mine = generation;
    const since = watch();
    try {
      const page = await api.inbox(which === 'all' ? PLAIN_VIEW : view);
      if (mine === generation) put(which, withEvents(withPage(lists[which], page, { anew: true }), since));
    } catch (problem) {
      if (mine === generation) put(which, withProblem(lists[which], problem));
      handlers.failed(problem);
    } finally {
      unwatch(since);
    }
  }

  /** The next page, if there is one and it is not on its way. */
  async function more() {
    const { shown } = lists;
    if (!shown.next || shown.state === 'more') return;
    const mine = generation;
    put('shown', { ...shown, state: 'more' });
    const since = watch();
    try {
      const page = await shown.next();
      if (mine === generation) put('shown', withEvents(withPage(lists.shown, page), since));
    } catch (problem) {
      if (mine === generation) put('shown', withProblem(lists.shown, problem));
      handlers.failed(problem);
    } finally {
      unwatch(since);
    }
  }

  function apply(events) {
    for (const since of missed) since.push(...events);
    hear(events);
    lists = { shown: withEvents(lists.shown, events), all: lists.all && withEvents(lists.all, events) };
    for (const id of new Set([...strangers(lists.shown), ...strangers(all())])) meet(id);
    handlers.changed();
  }

  function hear(events) {
    for (const { name, data } of events) {
      if (name === 'customer.created' || name === 'customer.updated') heardOf.set(data.id, data);
    }
    for (const id of heardOf.keys()) if (heardOf.size > MOST_HEARD_OF) heardOf.delete(id);
  }

  /** Who a customer is, asked for at most once at a time; null if that cannot be known now. */
  async function meet(id) {
    const heard = heardOf.get(id);
    if (heard && !heard.gone) {
      know(heard);
      return heard;
    }
    if (!asked.has(id))
      asked.set(
        id,
        lookUp(id).finally(() => asked.delete(id)),
      );
    return asked.get(id);
  }

  async function lookUp(id) {
    try {
      const customer = await api.customer(id);
      know(customer);
      return customer;
    } catch {
      return null;
    }
  }

  function know(customer) {
    lists = { shown: withCustomer(lists.shown, customer), all: lists.all && withCustomer(lists.all, customer) };
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
    meet,
    view: () => view,
    shown: () => lists.shown,
    all,
  };
}
