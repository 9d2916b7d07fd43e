// Owns the dialog that says which keys there are.

import { openDialog } from './dialogs.js';
import { h } from './dom.js';
import { preference, setPreference } from './preferences.js';
import { SHORTCUTS } from './shortcuts.js';
import { switchFor } from './switch.js';

export function openHelp() {
  const groups = [...new Set(SHORTCUTS.map(({ group }) => group))];
  openDialog({
    title: 'Keyboard shortcuts',
    kind: 'dialog-help',
    body: [
      h(
        'div',
        { class: 'keys' },
        groups.map((group) =>
          h('section', {}, h('h3', {}, group), h('dl', {}, SHORTCUTS.filter((one) => one.group === group).map(line))),
        ),
      ),
      switchFor({
        label: 'Single-key shortcuts',
        hint: 'Off: only keys with Ctrl or ⌘, Enter, Escape and arrows do something.',
        on: preference('singleKeys'),
        change: (on) => setPreference('singleKeys', on),
      }),
    ],
  });
}

function line({ shown, words, name }) {
  const between = name === 'send' ? ' + ' : name === 'views' ? ' – ' : ' or ';
  return h(
    'div',
    { class: 'key-line' },
    h('dt', {}, words),
    h(
      'dd',
      {},
      shown.map((key, at) => [at > 0 ? h('span', { class: 'key-between' }, between) : null, h('kbd', {}, key)]),
    ),
  );
}
