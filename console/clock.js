// Owns the ticking of waits: every element that shows how long something lasts is brought up to date once a second, and
// only while somebody can see it.

import { duration, spokenDuration, urgency } from './words.js';
import { h, setText } from './dom.js';

/** An element that shows the time since `iso`, for eyes in short and for ears in words. It goes on by itself. */
export function waitingSince(iso) {
  const seen = h('span', { 'aria-hidden': 'true' });
  const heard = h('span', { class: 'spoken' });
  const element = h('span', { class: 'waiting', 'data-since': iso }, seen, heard);
  show(element, Date.now());
  return element;
}

/** Lets an element of `waitingSince` count from another moment. */
export function setWaitingSince(element, iso) {
  if (element.dataset.since === iso) return;
  element.dataset.since = iso;
  show(element, Date.now());
}

/** Starts the ticking, for the life of the page. */
export function startClock() {
  const tick = () => {
    if (document.hidden) return;
    const now = Date.now();
    for (const element of document.querySelectorAll('[data-since]')) show(element, now);
  };
  setInterval(tick, 1000);
  document.addEventListener('visibilitychange', tick);
}

function show(element, now) {
  const elapsed = now - Date.parse(element.dataset.since);
  const [seen, heard] = element.children;
  setText(seen, duration(elapsed));
  // Ears are told whole minutes: a text that changes each second would be read out again and again.
  setText(heard, `Waiting for ${elapsed < 60_000 ? 'less than a minute' : spokenDuration(elapsed)}`);
  if (element.dataset.urgency !== urgency(elapsed)) element.dataset.urgency = urgency(elapsed);
}
