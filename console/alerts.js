// Owns how somebody who looks elsewhere hears that a customer waits: the title of the page, a notification, a tone.

import { preference } from './preferences.js';

let audio = null;

/** Writes how many wait into the page's title. */
export function setBadge(waiting, more, name) {
  const badge = waiting > 0 ? `(${waiting}${more ? '+' : ''}) ` : '';
  const title = `${badge}${name ? `${name} · ` : ''}Switchboard`;
  if (document.title !== title) document.title = title;
}

export function notificationsAllowed() {
  return 'Notification' in globalThis && Notification.permission === 'granted';
}

/** Resolves to whether the browser allows notifications. To be called when somebody asks for them. */
export async function askForNotifications() {
  if (!('Notification' in globalThis)) return false;
  return (await Notification.requestPermission()) === 'granted';
}

/** Tells of a customer who waits, in the ways that were chosen. `open()` when the notification is clicked. */
export function callAttention({ title, body, key, open }) {
  if (preference('sound')) playTone();
  if (!document.hidden || !preference('notifications') || !notificationsAllowed()) return;
  const notification = new Notification(title, { body, tag: key, icon: '/console/icon.svg' });
  notification.addEventListener('click', () => {
    focus();
    notification.close();
    open();
  });
}

/** Two soft notes. */
export function playTone() {
  try {
    audio ??= new AudioContext();
    audio.resume();
    note(audio, 660, 0);
    note(audio, 880, 0.14);
  } catch {
    // A browser without sound is silent.
  }
}

function note(context, hertz, after) {
  const [tone, volume] = [context.createOscillator(), context.createGain()];
  const start = context.currentTime + after;
  tone.frequency.value = hertz;
  volume.gain.setValueAtTime(0, start);
  volume.gain.linearRampToValueAtTime(0.12, start + 0.02);
  volume.gain.exponentialRampToValueAtTime(0.0001, start + 0.35);
  tone.connect(volume).connect(context.destination);
  tone.start(start);
  tone.stop(start + 0.4);
}
