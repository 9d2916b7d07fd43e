// Owns the dialog of what an agent can set up for this browser, and signing out.

import * as alerts from './alerts.js';
import { openDialog } from './dialogs.js';
import { freshId, h, setText } from './dom.js';
import { preference, setPreference } from './preferences.js';
import { switchFor } from './switch.js';

const THEMES = [
  ['system', 'As the system'],
  ['light', 'Light'],
  ['dark', 'Dark'],
];

export function openSettings({ me, signOut }) {
  const dialog = openDialog({
    title: 'Settings',
    body: [
      themes(),
      h('fieldset', {}, h('legend', {}, 'When somebody waits'), notificationSwitch(), soundSwitch()),
      h(
        'fieldset',
        {},
        h('legend', {}, 'Keyboard'),
        switchFor({
          label: 'Enter sends',
          hint: 'Shift and Enter then begins a new line.',
          on: preference('enterSends'),
          change: (on) => setPreference('enterSends', on),
        }),
        switchFor({
          label: 'Single-key shortcuts',
          hint: 'Press ? to see them all.',
          on: preference('singleKeys'),
          change: (on) => setPreference('singleKeys', on),
        }),
      ),
      h(
        'div',
        { class: 'dialog-actions spread' },
        h(
          'p',
          { class: 'signed-in' },
          'Signed in as ',
          h('strong', {}, me.name),
          me.role === 'admin' ? ' (admin)' : '',
        ),
        h('button', { type: 'button', onclick: () => (dialog.close(), signOut()) }, 'Sign out'),
      ),
    ],
  });
}

function themes() {
  const name = freshId('theme');
  return h(
    'fieldset',
    {},
    h('legend', {}, 'Look'),
    h(
      'div',
      { class: 'segmented' },
      THEMES.map(([value, words]) =>
        h(
          'label',
          {},
          h('input', {
            type: 'radio',
            name,
            value,
            checked: preference('theme') === value,
            onchange: () => setPreference('theme', value),
          }),
          h('span', {}, words),
        ),
      ),
    ),
  );
}

function notificationSwitch() {
  return switchFor({
    label: 'Browser notifications',
    hint: 'Shown while you look at something else.',
    on: preference('notifications') && alerts.notificationsAllowed(),
    async change(on, { input, hint }) {
      const granted = on && (await alerts.askForNotifications());
      input.checked = granted;
      if (on && !granted) setText(hint, 'The browser does not allow them. Allow them in its settings for this page.');
      setPreference('notifications', granted);
    },
  });
}

function soundSwitch() {
  return switchFor({
    label: 'Sound',
    hint: 'A short tone when a conversation begins to wait.',
    on: preference('sound'),
    change(on) {
      setPreference('sound', on);
      if (on) alerts.playTone();
    },
  });
}
