// Owns what an agent has before them, and joins it: the inbox, the open conversation, the stream of events that keeps
// both true, and the texts that are on their way.

import * as api from './api.js';
import { callAttention, setBadge } from './alerts.js';
import { announce } from './announcer.js';
import { news, newsInWords } from './attention.js';
import { createComposer } from './composer.js';
import { createConversation } from './conversation.js';
import { createDetails } from './details.js';
import { dialogIsOpen } from './dialogs.js';
import { fill, h, setAttribute, setText } from './dom.js';
import { createDrafts } from './drafts.js';
import { createFrame } from './frame.js';
import { createHandover } from './handover.js';
import { openHelp } from './help.js';
import { iconButton } from './icons.js';
import { createInbox } from './inbox.js';
import { createFeed } from './inbox-feed.js';
import { waitingCounts } from './inbox-list.js';
import { createLive } from './live.js';
import { createOutbox } from './outbox.js';
import { customerOf, goTo } from './route.js';
import { createSearch } from './search.js';
import { openSettings } from './settings.js';
import { listenToKeys } from './shortcuts.js';
import { createThread } from './thread.js';
import { createThreadHead } from './thread-head.js';
import { toast, toastProblem } from './toasts.js';
import { createTypingSignal } from './typing-signal.js';
import { nameOf } from './words.js';

const FAILURES = ['delivery.failed', 'delivery.undelivered', 'delivery.expired', 'delivery.held'];
const NETWORK = ['online', 'offline'];
const VIEWS = ['all', 'mine', 'unassigned', 'bot'];
// So long the lists wait for the events, so that they are loaded once and miss nothing. Where no stream comes about,
// they do without.
const WAIT_FOR_EVENTS_MS = 1500;

/** Puts the desk into `page`. `signedOut()` when the daemon says so, `left()` when the agent did. */
export function openDesk(page, me, { signedOut, left }) {
  let conversation = null;
  let loaded = false;
  let closed = false;
  let replies = null;

  const drafts = createDrafts();
  const feed = createFeed(me.name, { changed: drawSoon, failed: failedQuietly });
  const outbox = createOutbox({
    author: me.name,
    send: api.send,
    events: { changed: drawSoon, sent: onSent, refused: onRefused, signedOut: end },
  });
  const live = createLive(api.subscribe, { events: onEvents, status: onStatus, started: loadAll, signedOut: end });
  const signal = createTypingSignal((customerId, on) => api.typing(customerId, on).catch(() => {}));
  const handover = createHandover({ me, current: () => conversation, taken: () => (wantFocus(), drawSoon()) });
  const act = (name) => ({ back: () => goTo(null), details: frame.toggleDetails, ...handover })[name]();

  const inbox = createInbox({ feed, drafts, me });
  const search = createSearch({
    changed: (active) => setAttribute(inbox.element, 'hidden', active),
    failed: failedQuietly,
  });
  const head = createThreadHead({ me, act });
  const thread = createThread({
    me,
    act: actOnMessage,
    older: () => conversation?.loadOlder(),
    reload: () => conversation?.load(),
  });
  const composer = createComposer({
    me,
    drafts,
    act,
    cannedReplies,
    send: (customerId, text) => outbox.add(customerId, text),
    typed: (customerId) => conversation?.state.session?.need_attention && signal.typed(customerId),
    stopped: signal.ended,
    used: (suggestion) => api.countSuggestion(suggestion.id).catch(() => {}),
  });
  const details = createDetails({ change: (changes) => conversation.update(changes) });
  const connection = h('p', { class: 'connection', role: 'status' });
  const frame = createFrame({
    connection,
    side: [search.field, search.results, inbox.element],
    conversation: [head.element, thread.element, composer.element],
    details: details.element,
    detailsShown: head.setDetails,
    buttons: [
      iconButton('help', 'Keyboard shortcuts', { title: 'Keyboard shortcuts', onclick: () => openHelp() }),
      iconButton('settings', 'Settings', { title: 'Settings', onclick: () => openSettings({ me, signOut: leave }) }),
    ],
  });

  // --- what is seen

  // Many things change in one turn; one paint shows them all.
  let painting = null;
  function drawSoon() {
    painting ??= requestAnimationFrame(draw);
  }

  function draw() {
    painting = null;
    if (closed) return;
    inbox.draw();
    drawBadge();
    if (!conversation) return;
    const { state } = conversation;
    head.draw(state);
    thread.draw(state, outbox.of(state.customerId));
    composer.draw(state);
    details.draw(state);
    focusIfWanted();
  }

  function drawBadge() {
    const { all, more } = waitingCounts(feed.all());
    setBadge(all, more, conversation?.state.customer ? nameOf(conversation.state.customer) : '');
  }

  function onRoute() {
    const customerId = customerOf(location.hash);
    if (customerId === (conversation?.state.customerId ?? null)) return;
    signal.ended();
    conversation?.close();
    conversation =
      customerId && createConversation(customerId, inbox.rowOf(customerId), me, { changed: drawSoon, failed });
    frame.show(Boolean(customerId));
    inbox.setOpen(customerId);
    if (loaded) conversation?.load();
    if (customerId) wantFocus();
    draw();
    if (!customerId) inbox.focus();
  }

  // The focus goes to where one writes, or, where nobody may write, to whom it is about: not before that is known,
  // and not if the agent has gone elsewhere meanwhile.
  let focusWanted = false;
  function wantFocus() {
    focusWanted = true;
  }

  function focusIfWanted() {
    if (!focusWanted || dialogIsOpen()) return;
    const taken = composer.focus();
    if (!taken && conversation.state.loading) return;
    focusWanted = false;
    if (!taken) head.focus();
  }

  // --- what happens

  function loadAll() {
    loaded = true;
    feed.reload();
    conversation?.load({ anew: true });
    outbox.tryNow();
  }

  function onEvents(events) {
    const before = feed.all().rows;
    feed.apply(events);
    conversation?.apply(events);
    // A page that nobody sees is not painted, but its title is read.
    drawBadge();
    for (const item of news(before, feed.all().rows, events)) tell(item);
    for (const { name, data } of events)
      if (FAILURES.includes(name) && data.customer_id === conversation?.state.customerId)
        announce('A message was not delivered.');
  }

  async function tell(item) {
    const { row } = item;
    const told = { ...item, row: { ...row, customer: row.customer ?? (await feed.complete(row)) } };
    const open = row.customer_id === conversation?.state.customerId;
    if (open || item.kind === 'waits') announce(newsInWords(told));
    // Who sees it needs no calling.
    if (!document.hidden && (open || item.kind === 'writes')) return;
    callAttention({
      title: newsInWords({ ...told, body: '' }),
      body: item.body,
      key: row.id,
      open: () => goTo(row.customer_id),
    });
  }

  let lost = false;
  function onStatus(status) {
    setText(connection, status === 'reconnecting' ? 'Reconnecting… What you type is kept.' : '');
    frame.element.dataset.connection = status;
    if (status === 'open' && lost) {
      toast('Connected again.');
      makeUp();
    }
    lost = status === 'reconnecting';
  }

  // The stream of events may outlive a network that is gone for a while, when no call gets through.
  function onNetwork({ type }) {
    live.hurry();
    if (type === 'online') makeUp();
  }

  // What could not be sent or had while there was no line.
  function makeUp() {
    outbox.tryNow();
    if (conversation?.state.problem) conversation.load();
    if ([feed.shown(), feed.all()].some(({ state }) => state === 'failed')) feed.reload();
  }

  // --- what is sent

  function onSent(entry, message) {
    announce('Your message is on its way.');
    if (conversation?.state.customerId === entry.customer_id) conversation.putMessage({ author: me.name, ...message });
  }

  function onRefused(entry, problem) {
    composer.putBack(entry.customer_id, entry.content);
    toastProblem(problem.words);
    // Most often things stand differently from what this page shows.
    if (conversation?.state.customerId === entry.customer_id) conversation.load();
  }

  function actOnMessage(name, message) {
    const actions = {
      resend: () => conversation.resend(message.id),
      cancel: () => conversation.cancel(message.id),
      retry: () => outbox.tryNow(message.customer_id),
      takeBack: () => composer.putBack(message.customer_id, outbox.takeBack(message.id)),
    };
    actions[name]();
  }

  // Asked for once, unless that did not work.
  async function cannedReplies() {
    try {
      replies ??= await api.cannedReplies();
    } catch (problem) {
      failed(problem);
    }
    return replies ?? [];
  }

  // --- what does not work

  /** Something that the agent asked for. */
  function failed(problem) {
    if (problem.kind === 'signed-out') return end();
    toastProblem(problem.kind === 'offline' ? `${problem.words} Nothing was changed; try again.` : problem.words);
    if (problem.kind === 'conflict' || problem.slug === 'no-current-session') conversation?.load();
    return undefined;
  }

  /**
   * Something that was asked for by itself: where it is missing, it is said there, and the line above says that there
   * is no line.
   */
  function failedQuietly(problem) {
    if (problem.kind === 'signed-out') end();
  }

  // --- keys

  const stopKeys = listenToKeys({
    next: () => inbox.move(1),
    previous: () => inbox.move(-1),
    search: search.focus,
    views: (event) => inbox.choose(VIEWS[Number(event.key) - 1]),
    reply: composer.focus,
    takeOver: handover.takeOver,
    giveBack: handover.giveBack,
    assign: handover.assignOrUnassign,
    suggest: composer.firstSuggestion,
    tag: () => (frame.showDetails(), details.focusTags()),
    details: frame.toggleDetails,
    leave: onEscape,
    help: () => openHelp(),
  });

  // First out of what one writes in, then out of the conversation.
  function onEscape(event) {
    if (event.target.closest('textarea, input')) return frame.isNarrow() ? head.focus() : inbox.focus();
    return conversation ? goTo(null) : false;
  }

  // --- coming and going

  function end() {
    if (closed) return;
    close();
    signedOut();
  }

  async function leave() {
    try {
      await api.signOut();
      close();
      left();
    } catch (problem) {
      failed(problem);
    }
  }

  const forgetFocus = () => (focusWanted = false);
  const withoutEvents = setTimeout(() => loaded || loadAll(), WAIT_FOR_EVENTS_MS);

  function close() {
    if (closed) return;
    signal.ended();
    closed = true;
    clearTimeout(withoutEvents);
    cancelAnimationFrame(painting);
    live.stop();
    outbox.stop();
    conversation?.close();
    frame.close();
    stopKeys();
    removeEventListener('hashchange', onRoute);
    for (const change of NETWORK) removeEventListener(change, onNetwork);
  }

  addEventListener('hashchange', onRoute);
  for (const change of NETWORK) addEventListener(change, onNetwork);
  frame.element.addEventListener('pointerdown', forgetFocus);
  fill(page, frame.element);
  draw();
  onRoute();
  live.start();
  return { close };
}
