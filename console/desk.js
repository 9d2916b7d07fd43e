// Owns what an agent has before them: the inbox, the open conversation and its details, kept true by one stream of events.

import * as api from './api.js';
import { callAttention, setBadge } from './alerts.js';
import { announce } from './announcer.js';
import { news, newsInWords } from './attention.js';
import { createComposer } from './composer.js';
import { createConversation } from './conversation.js';
import { createDetails } from './details.js';
import { confirmed, openDialog } from './dialogs.js';
import { fill, h, setAttribute, setText } from './dom.js';
import { createDrafts } from './drafts.js';
import { openHelp } from './help.js';
import { icon, mark } from './icons.js';
import { createInbox } from './inbox.js';
import { createFeed } from './inbox-feed.js';
import { waitingCounts } from './inbox-list.js';
import { createLive } from './live.js';
import { createOutbox } from './outbox.js';
import { preference, setPreference } from './preferences.js';
import { customerOf, goTo } from './route.js';
import { createSearch } from './search.js';
import { openSettings } from './settings.js';
import { listenToKeys } from './shortcuts.js';
import { createThread } from './thread.js';
import { createThreadHead } from './thread-head.js';
import { toast, toastProblem } from './toasts.js';
import { createTypingSignal } from './typing-signal.js';
import { nameOf } from './words.js';

const VIEWS = ['all', 'mine', 'unassigned', 'bot'];
const wide = matchMedia('(min-width: 72rem)');
const narrow = matchMedia('(max-width: 47.99rem)');

/** Puts the desk into `page`. `signedOut()` when the daemon says so, `left()` when the agent did. */
export function openDesk(page, me, { signedOut, left }) {
  const drafts = createDrafts();
  const feed = createFeed(me.name, { changed: drawSoon, failed });
  const outbox = createOutbox({
    author: me.name,
    send: api.send,
    events: { changed: drawSoon, sent: onSent, refused: onRefused, signedOut: end },
  });
  const live = createLive(api.subscribe, { events: onEvents, status: onStatus, started: onStarted, signedOut: end });
  const signal = createTypingSignal((customerId, on) => api.typing(customerId, on).catch(() => {}));
  let conversation = null;
  let replies = null;
  let detailsDialog = null;
  let closed = false;

  const inbox = createInbox({ feed, drafts, me });
  const search = createSearch({ changed: (active) => setAttribute(inbox.element, 'hidden', active), failed });
  const head = createThreadHead({ me, act });
  const thread = createThread({ me, act: actOnMessage, older: () => conversation?.loadOlder(), reload: () => conversation?.load() });
  const composer = createComposer({ me, drafts, send: (id, text) => outbox.add(id, text), typed: onTyped, stopped: signal.ended, act, used: onSuggestionUsed, cannedReplies });
  const details = createDetails({ change: (changes) => conversation.update(changes) });

  const connection = h('p', { class: 'connection', role: 'status' });
  const side = h('div', { class: 'side' },
    h('nav', { class: 'side-nav', 'aria-label': 'Customers' },
      h('div', { class: 'side-head' },
        mark(), h('p', { class: 'brand', 'aria-hidden': 'true' }, 'Switchboard'),
        iconButton('help', 'Keyboard shortcuts', () => openHelp()),
        iconButton('settings', 'Settings', () => openSettings({ me, signOut: leave }))),
      search.field, search.results, inbox.element));
  const aside = h('aside', { class: 'aside', 'aria-label': 'Customer details' });
  const main = h('main', { class: 'main', 'aria-label': 'Conversation' });
  const nothing = emptyMain();
  const desk = h('div', { class: 'desk', 'data-pane': 'list' },
    h('header', { class: 'top' }, h('h1', { class: 'spoken' }, 'Switchboard'), connection),
    side, main, aside);
  fill(page, desk);

  // Many things change in one turn; one paint shows them all.
  let frame = null;
  function drawSoon() {
    frame ??= requestAnimationFrame(draw);
  }

  function draw() {
    frame = null;
    if (closed) return;
    inbox.draw();
    const { all, more } = waitingCounts(feed.all());
    setBadge(all, more && all > 0, conversation?.state.customer ? nameOf(conversation.state.customer) : '');
    if (!conversation) return;
    const { state } = conversation;
    head.draw(state);
    thread.draw(state, outbox.of(state.customerId));
    composer.draw(state);
    details.draw(state);
    focusWhenReady();
  }

  // --- the route

  function onRoute() {
    const customerId = customerOf(location.hash);
    if (customerId === (conversation?.state.customerId ?? null)) return;
    signal.ended();
    conversation?.close();
    conversation = customerId && createConversation(customerId, inbox.rowOf(customerId), me, { changed: drawSoon, failed });
    desk.dataset.pane = customerId ? 'thread' : 'list';
    placeLandmarks();
    fill(main, customerId ? [head.element, thread.element, composer.element] : nothing);
    detailsDialog?.close();
    placeDetails();
    inbox.setOpen(customerId);
    conversation?.load();
    wantsFocus = Boolean(customerId);
    draw();
    if (!customerId) inbox.focus();
  }

  // The focus goes to where one writes, or, where nobody may write, to whom it is about. Not before that is known, and
  // not if the agent has gone elsewhere meanwhile.
  let wantsFocus = false;
  function focusWhenReady() {
    if (!wantsFocus || document.querySelector('dialog[open]')) return;
    if (composer.focus()) wantsFocus = false;
    else if (!conversation.state.loading) {
      wantsFocus = false;
      head.focus();
    }
  }
  const stopWanting = () => (wantsFocus = false);

  // --- what the agent decides

  function act(name) {
    const actions = {
      back: () => goTo(null),
      details: toggleDetails,
      takeOver,
      giveBack,
      assign,
      unassign: () => done(conversation.assign(null), 'Nobody has this conversation now.'),
    };
    actions[name]?.();
  }

  async function takeOver() {
    if (!conversation?.state.session || conversation.state.session.need_attention) return;
    wantsFocus = await done(conversation.update({ need_attention: true }), 'You took over. The bot is silent until you give the conversation back.');
    drawSoon();
  }

  async function giveBack() {
    if (!conversation?.state.session?.need_attention) return;
    await done(conversation.update({ need_attention: false }), 'The bot has the conversation again.');
  }

  async function assign() {
    const session = conversation?.state.session;
    if (!session?.need_attention) return;
    const assignee = session.attention?.assignee ?? null;
    const another = assignee !== null && assignee !== me.name;
    if (another && !(await confirmed({ title: `Take it from ${assignee}?`, words: `${assignee} has this conversation and may be writing an answer.`, yes: 'Take it' }))) return;
    wantsFocus = await done(conversation.assign(me.name, another), 'You have this conversation.');
    drawSoon();
  }

  function assignOrUnassign() {
    const session = conversation?.state.session;
    if (session?.attention?.assignee === me.name) act('unassign');
    else assign();
  }

  async function done(work, words) {
    const worked = await work;
    if (worked) announce(words);
    return worked;
  }

  function actOnMessage(name, message) {
    const actions = {
      resend: () => conversation.resend(message.id),
      cancel: () => conversation.cancel(message.id),
      retry: () => outbox.tryNow(message.customer_id),
      takeBack: () => composer.putBack(message.customer_id, outbox.takeBack(message.id)),
    };
    actions[name]?.();
  }

  function onTyped(customerId) {
    if (conversation?.state.session?.need_attention) signal.typed(customerId);
  }

  function onSuggestionUsed(suggestion) {
    api.countSuggestion(suggestion.id).catch(() => {});
  }

  // Asked for once; who has none yet is asked again.
  async function cannedReplies() {
    try {
      replies ??= await api.cannedReplies();
    } catch (problem) {
      failed(problem);
    }
    return replies ?? [];
  }

  // --- what becomes of it

  function onSent(entry, message) {
    if (conversation?.state.customerId === entry.customer_id) conversation.putMessage({ author: me.name, ...message });
  }

  function onRefused(entry, problem) {
    composer.putBack(entry.customer_id, entry.content);
    toastProblem(problem.words);
    // Most often things stand differently from what this page shows.
    if (conversation?.state.customerId === entry.customer_id) conversation.load();
  }

  function failed(problem) {
    if (problem.kind === 'signed-out') end();
    else if (problem.kind === 'conflict' || problem.slug === 'no-current-session') {
      toastProblem(problem.words);
      conversation?.load();
    } else if (problem.kind !== 'offline') toastProblem(problem.words);
    else toastProblem(`${problem.words} Nothing was changed; try again.`);
  }

  // --- what happens

  function onEvents(events) {
    const before = feed.all().rows;
    feed.apply(events);
    conversation?.apply(events);
    tell(news(before, feed.all().rows, events));
  }

  function tell(items) {
    for (const item of items) {
      const open = item.customerId === conversation?.state.customerId;
      announce(newsInWords(item));
      if (open && !document.hidden) continue;
      if (item.kind === 'writes' && !document.hidden) continue;
      callAttention({ title: newsInWords({ ...item, body: '' }), body: item.body, key: item.key, open: () => goTo(item.customerId) });
    }
  }

  function onStarted() {
    feed.reload();
    conversation?.load();
    outbox.tryNow();
  }

  let lost = false;
  function onStatus(status) {
    const words = { reconnecting: 'Reconnecting… What you type is kept.' }[status] ?? '';
    setText(connection, words);
    desk.dataset.connection = status;
    if (status === 'open' && lost) {
      toast('Connected again.');
      outbox.tryNow();
    }
    lost = status === 'reconnecting';
  }

  // Where there is room for one of them only, the one that is there is the main one.
  function placeLandmarks() {
    setAttribute(side, 'role', narrow.matches && desk.dataset.pane === 'list' ? 'main' : null);
  }

  // --- details, beside the conversation or over it

  function placeDetails() {
    const beside = wide.matches && preference('details') && conversation !== null;
    aside.hidden = !beside;
    desk.classList.toggle('has-details', beside);
    if (beside) fill(aside, h('h2', { class: 'spoken' }, 'Customer details'), details.element);
    head.setDetails(wide.matches ? beside : null);
  }

  function toggleDetails() {
    if (!conversation) return;
    if (wide.matches) {
      setPreference('details', !preference('details'));
      placeDetails();
    } else {
      detailsDialog = openDialog({ title: 'Customer details', kind: 'dialog-details', body: details.element, onclose: () => (detailsDialog = null) });
    }
  }

  function editTags() {
    if (!conversation) return;
    if (!wide.matches || !preference('details')) toggleDetails();
    details.focusTags();
  }

  const onWidth = () => {
    detailsDialog?.close();
    placeDetails();
    placeLandmarks();
  };

  // --- keys

  const stopKeys = listenToKeys({
    next: () => inbox.move(1),
    previous: () => inbox.move(-1),
    search: () => search.focus(),
    views: (event) => inbox.choose(VIEWS[Number(event.key) - 1]),
    reply: () => (conversation ? composer.focus() : false),
    takeOver,
    giveBack,
    assign: assignOrUnassign,
    suggest: () => composer.firstSuggestion(),
    tag: editTags,
    details: toggleDetails,
    leave: onEscape,
    help: () => openHelp(),
  });

  // First out of what one writes in, then out of the conversation.
  function onEscape(event) {
    if (event.target.closest('textarea, input')) return narrow.matches ? head.focus() : inbox.focus();
    if (conversation) goTo(null);
    return undefined;
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

  function close() {
    if (closed) return;
    signal.ended();
    closed = true;
    cancelAnimationFrame(frame);
    live.stop();
    conversation?.close();
    stopKeys();
    removeEventListener('hashchange', onRoute);
    removeEventListener('online', live.hurry);
    wide.removeEventListener('change', onWidth);
    narrow.removeEventListener('change', onWidth);
    desk.removeEventListener('pointerdown', stopWanting);
  }

  addEventListener('hashchange', onRoute);
  addEventListener('online', live.hurry);
  wide.addEventListener('change', onWidth);
  narrow.addEventListener('change', onWidth);
  desk.addEventListener('pointerdown', stopWanting);
  fill(main, nothing);
  placeDetails();
  placeLandmarks();
  draw();
  live.start();
  onRoute();
  return { close };
}

function iconButton(name, label, onclick) {
  return h('button', { class: 'plain icon-button', type: 'button', 'aria-label': label, title: label, onclick }, icon(name));
}

function emptyMain() {
  const key = (name) => h('kbd', {}, name);
  return h('div', { class: 'nothing-open' },
    mark(),
    h('h2', {}, 'Choose a conversation'),
    h('p', {}, 'Who has waited longest stands first.'),
    h('p', { class: 'nothing-keys' }, key('j'), key('k'), ' move, ', key('Enter'), ' opens, ', key('?'), ' shows all keys'));
}
