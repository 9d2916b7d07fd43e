// Owns which sessions stand in a list of the inbox, and in what order, as pages arrive and events happen. Asks nobody:
// every function takes a list and gives the next one.

/** A view is `who` (`all`, `mine`, `unassigned`, `bot`), and a tag and a topic to narrow it. */
export const PLAIN_VIEW = Object.freeze({ who: 'all', tag: '', topic: '' });

/** An empty list for `view`, as the agent called `me` sees it. */
export function emptyList(view, me) {
  return { view, me, rows: new Map(), next: null, state: 'loading', problem: null };
}

/** Whether two views show the same. */
export function sameView(a, b) {
  return a.who === b.who && a.tag === b.tag && a.topic === b.topic;
}

/** A page has arrived. `rows` carry `customer`, `last_message` and `attention`; `next` is null after the last page. */
export function withPage(list, { rows, next }, { anew = false } = {}) {
  const kept = new Map(anew ? [] : list.rows);
  for (const session of rows) kept.set(session.id, rowOf(session));
  return { ...list, rows: kept, next, state: 'ready', problem: null };
}

export function withProblem(list, problem) {
  return { ...list, state: list.rows.size > 0 ? 'ready' : 'failed', problem };
}

/** What is known of a row that was not told with it: its customer, and its last message unless there is a newer one. */
export function withKnown(list, id, { customer, last_message: message, complete = false }) {
  return changeRows(
    list,
    (row) => row.id === id,
    (row) => ({
      ...row,
      customer: customer ?? row.customer,
      last_message: message && !(row.last_message && isOlder(message, row.last_message)) ? message : row.last_message,
      complete: row.complete || complete,
    }),
  );
}

/** What has happened since, in order. Lists that no event touches come back as they are. */
export function withEvents(list, events) {
  return events.reduce(withEvent, list);
}

/** The rows in the daemon's order: who waits longest, then whom an agent answered last, then whom the bot has. */
export function ordered(list) {
  return [...list.rows.values()].sort(compare);
}

/** `waiting`, `answered` or `bot`. */
export function groupOf(row) {
  if (!row.need_attention) return 'bot';
  return row.attention?.waiting_since ? 'waiting' : 'answered';
}

/** Those rows of which events told too little: not who it is, or not the last word. */
export function incomplete(list) {
  return [...list.rows.values()].filter((row) => !row.complete && !(row.customer && row.last_message));
}

/** How many wait, of all that are loaded: `{all, mine, unassigned, more}`; `more` if there are pages not loaded. */
export function waitingCounts(list) {
  const waiting = [...list.rows.values()].filter((row) => groupOf(row) === 'waiting');
  const of = (who) => waiting.filter((row) => belongs(row, who, list.me)).length;
  return { all: waiting.length, mine: of('mine'), unassigned: of('unassigned'), more: list.next !== null };
}

function rowOf(session) {
  return { customer: null, last_message: null, attention: null, ...session };
}

function withEvent(list, { name, data }) {
  if (data.gone) return list;
  switch (name) {
    case 'session.created':
    case 'session.updated':
      return withSession(list, data);
    case 'message.created':
    case 'message.updated':
      return withMessage(list, data);
    case 'customer.erased':
      return withoutRows(list, (row) => row.customer_id === data.id);
    case 'customer.created':
    case 'customer.updated':
    case 'customer.subscribed':
    case 'customer.unsubscribed':
    case 'customer.verification':
      return changeRows(
        list,
        (row) => row.customer_id === data.id,
        (row) => ({ ...row, customer: data }),
      );
    default:
      return list;
  }
}

function withSession(list, session) {
  const known = list.rows.get(session.id);
  // An event can be older than the page that came after it.
  if (known && known.updated_at > session.updated_at) return list;
  const row = known ? { ...known, ...session } : rowOf(session);
  if (!matches(row, list)) return withoutRows(list, ({ id }) => id === row.id);
  if (!known && beyondWhatIsLoaded(row, list)) return list;
  return { ...list, rows: new Map(list.rows).set(row.id, row) };
}

// Who waits is the session's own event to tell: not everything that a customer texts asks for an answer.
function withMessage(list, message) {
  return changeRows(
    list,
    (row) => row.id === message.session_id && !isOlder(message, row.last_message),
    (row) => ({ ...row, last_message: message, attention: attentionAfter(row, message) }),
  );
}

function attentionAfter({ attention, last_message: last }, message) {
  if (!attention || last?.id === message.id) return attention;
  return { ...attention, last_message_at: message.created_at };
}

function isOlder(message, known) {
  return (
    known !== null &&
    (known.created_at > message.created_at || (known.created_at === message.created_at && known.id > message.id))
  );
}

function matches(row, { view, me }) {
  return (
    belongs(row, view.who, me) &&
    (!view.tag || row.tags.includes(view.tag)) &&
    (!view.topic || row.topics.includes(view.topic))
  );
}

function belongs(row, who, me) {
  if (who === 'bot') return !row.need_attention;
  if (!row.need_attention || who === 'all') return row.need_attention;
  const assignee = row.attention?.assignee ?? null;
  return who === 'mine' ? assignee === me : assignee === null;
}

// Such a row comes with its page; shown now it would seem to be the next after the last one.
function beyondWhatIsLoaded(row, list) {
  if (list.next === null) return false;
  const last = ordered(list).at(-1);
  return last !== undefined && compare(row, last) > 0;
}

const GROUPS = ['waiting', 'answered', 'bot'];

function compare(a, b) {
  return (
    GROUPS.indexOf(groupOf(a)) - GROUPS.indexOf(groupOf(b)) ||
    compareText(since(a), since(b)) ||
    compareText(a.id, b.id)
  );
}

function since(row) {
  return (
    (row.need_attention && row.attention?.waiting_since) ||
    row.attention?.last_message_at ||
    row.last_message?.created_at ||
    row.created_at
  );
}

function compareText(a, b) {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function changeRows(list, which, change) {
  const changed = [...list.rows.values()].filter(which);
  if (changed.length === 0) return list;
  const rows = new Map(list.rows);
  for (const row of changed) rows.set(row.id, change(row));
  return { ...list, rows };
}

function withoutRows(list, which) {
  const gone = [...list.rows.values()].filter(which);
  if (gone.length === 0) return list;
  const rows = new Map(list.rows);
  for (const row of gone) rows.delete(row.id);
  return { ...list, rows };
}
