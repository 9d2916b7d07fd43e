// Owns the open conversation: one customer, the session that is current, and the messages as far back as somebody has
// scrolled. Loads them, keeps them true by events, and carries out what the agent decides.

import * as api from './api.js';
import { emptyLog, withEvents, withPage } from './thread-log.js';

const TYPING_FADES_MS = 8000;

/** `changed()` after every change; `failed(problem)` when a call of the agent's did not work. */
export function createConversation(customerId, row, me, { changed, failed }) {
  const state = {
    customerId,
    loading: true,
    missing: false,
    problem: null,
    customer: row?.customer ?? null,
    session: row ? sessionOf(row) : null,
    suggestions: [],
    log: emptyLog(),
    older: 'unknown',
    typing: new Map(),
  };
  let closed = false;
  let missed = null;
  let pages = null;

  function put(changes) {
    if (closed) return;
    Object.assign(state, changes);
    changed();
  }

  /** Loads all of it, or all of it again. What is shown stays until then; `anew` if it may have holes. */
  async function load({ anew = false } = {}) {
    const since = (missed = []);
    try {
      const [customer, session] = await Promise.all([api.customer(customerId), currentOrNone()]);
      pages = pager(session);
      const first = await pages.next();
      const log = withEvents(withPage(anew ? emptyLog() : state.log, first), since);
      const { suggested_messages: suggestions = [], ...plain } = session ?? {};
      put({
        customer,
        session: session && plain,
        suggestions,
        log,
        loading: false,
        problem: null,
        older: pages.more() ? 'some' : 'none',
      });
      applyToSession(since);
    } catch (problem) {
      if (problem.kind === 'gone') forget();
      else put({ loading: false, problem });
      if (problem.kind === 'signed-out') failed(problem);
    } finally {
      if (missed === since) missed = null;
    }
  }

  // Of whom is erased, nothing stays on the screen.
  function forget() {
    put({
      missing: true,
      loading: false,
      customer: null,
      session: null,
      suggestions: [],
      log: emptyLog(),
      older: 'none',
    });
  }

  async function currentOrNone() {
    try {
      return await api.currentSession(customerId);
    } catch (problem) {
      if (problem.slug === 'no-current-session') return null;
      throw problem;
    }
  }

  async function loadOlder() {
    if (!['some', 'failed'].includes(state.older)) return;
    put({ older: 'loading' });
    try {
      const page = await pages.next();
      put({ log: withPage(state.log, page), older: pages.more() ? 'some' : 'none' });
    } catch (problem) {
      put({ older: 'failed' });
      if (problem.kind === 'signed-out') failed(problem);
    }
  }

  // Page after page through the current session, and then through the ones before it, which are asked for only then.
  function pager(session) {
    let next = session ? () => api.messages(customerId, session.id) : null;
    let before = null;
    const step = async () => {
      while (!next) {
        before ??= (await api.sessionsOf(customerId)).filter(({ id }) => id !== session?.id);
        const earlier = before.shift();
        if (!earlier) return [];
        next = () => api.messages(customerId, earlier.id);
      }
      const page = await next();
      next = page.next;
      return page.rows;
    };
    return { next: step, more: () => next !== null || before === null || before.length > 0 };
  }

  function apply(events) {
    missed?.push(...events);
    const mine = events.filter(({ data }) => data.gone || (data.customer_id ?? data.id) === customerId);
    if (mine.length === 0) return;
    state.log = withEvents(state.log, mine);
    applyToSession(mine);
    put({});
  }

  function applyToSession(events) {
    for (const { name, data } of events) {
      if (data.customer_id === customerId && name.startsWith('session.')) onSession(name, data);
      else if (data.id === customerId && name === 'customer.erased') forget();
      else if (data.id === customerId && name.startsWith('customer.') && !data.gone)
        put({ customer: { ...state.customer, ...data } });
      else if (name === 'bot.suggested' && !data.gone && data.session_id === state.session?.id)
        put({ suggestions: data.suggested_messages });
      else if (name === 'message.created' && data.sender_role !== 'end-user') state.typing.delete(data.author);
    }
  }

  function onSession(name, data) {
    if (name === 'session.typing') return onTyping(data);
    const known = state.session;
    if (data.gone || (known && (data.id < known.id || (data.id === known.id && data.updated_at < known.updated_at))))
      return;
    const other = known?.id !== data.id;
    put({ session: sessionOf({ ...(other ? {} : known), ...data }), suggestions: other ? [] : state.suggestions });
  }

  function onTyping({ name, typing }) {
    clearTimeout(state.typing.get(name));
    state.typing.delete(name);
    if (typing && name !== me.name) {
      state.typing.set(
        name,
        setTimeout(() => {
          state.typing.delete(name);
          put({});
        }, TYPING_FADES_MS),
      );
    }
    put({});
  }

  async function refetch(id) {
    try {
      put({ log: withPage(state.log, [await api.message(id)]) });
    } catch {
      // It was done; events, or the next loading, bring what became of it.
    }
  }

  async function update(changes) {
    return attempt(async () => putSession(await api.updateSession(customerId, changes)));
  }

  async function assign(assignee, force = false) {
    return attempt(async () => {
      const session = await api.assign(customerId, assignee, force);
      putSession({ attention: { ...state.session?.attention, assignee }, ...session });
    });
  }

  async function decide(call, id) {
    return attempt(async () => {
      await call(id);
      await refetch(id);
    });
  }

  const resend = (id) => decide(api.resendMessage, id);
  const cancel = (id) => decide(api.cancelMessage, id);

  function putSession(session) {
    const known = state.session;
    const attention = session.attention ?? (session.need_attention === false ? null : known?.attention) ?? null;
    put({ session: { ...known, ...session, attention } });
  }

  function putMessage(message) {
    put({ log: withPage(state.log, [{ status: 'queued', ...message }]) });
  }

  // To `failed` goes what went wrong; whoever asked hears only whether it was done.
  async function attempt(work) {
    try {
      await work();
      return true;
    } catch (problem) {
      failed(problem);
      return false;
    }
  }

  function close() {
    closed = true;
    for (const timer of state.typing.values()) clearTimeout(timer);
  }

  return { state, load, loadOlder, apply, update, assign, resend, cancel, putMessage, close };
}

function sessionOf({ customer: _, last_message: __, suggested_messages: ___, ...session }) {
  return session;
}
