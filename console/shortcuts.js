// Owns the keys: which there are, what they are called, and when they are silent.

import { dialogIsOpen } from './dialogs.js';
import { preference } from './preferences.js';

const MAC = /Mac|iPhone|iPad/.test(globalThis.navigator?.platform ?? '');

/** All keys in the order of the help. `single` ones can be switched off. */
export const SHORTCUTS = [
  {
    group: 'Inbox',
    name: 'next',
    keys: ['j', 'ArrowDown'],
    shown: ['j', '↓'],
    words: 'Next conversation in the list',
    single: true,
  },
  {
    group: 'Inbox',
    name: 'previous',
    keys: ['k', 'ArrowUp'],
    shown: ['k', '↑'],
    words: 'Previous conversation in the list',
    single: true,
  },
  { group: 'Inbox', name: 'open', keys: [], shown: ['Enter'], words: 'Open the conversation that has the focus' },
  { group: 'Inbox', name: 'search', keys: ['/'], shown: ['/'], words: 'Search customers', single: true },
  {
    group: 'Inbox',
    name: 'views',
    keys: ['1', '2', '3', '4'],
    shown: ['1', '4'],
    words: 'All, mine, unassigned, with the bot',
    single: true,
  },
  { group: 'Conversation', name: 'reply', keys: ['r'], shown: ['r'], words: 'Reply', single: true },
  { group: 'Conversation', name: 'takeOver', keys: ['t'], shown: ['t'], words: 'Take over from the bot', single: true },
  { group: 'Conversation', name: 'giveBack', keys: ['b'], shown: ['b'], words: 'Give back to the bot', single: true },
  {
    group: 'Conversation',
    name: 'assign',
    keys: ['a'],
    shown: ['a'],
    words: 'Assign to me, or unassign',
    single: true,
  },
  {
    group: 'Conversation',
    name: 'suggest',
    keys: ['s'],
    shown: ['s'],
    words: 'Use the first suggested reply',
    single: true,
  },
  { group: 'Conversation', name: 'tag', keys: ['l'], shown: ['l'], words: 'Edit tags', single: true },
  {
    group: 'Conversation',
    name: 'details',
    keys: ['i'],
    shown: ['i'],
    words: 'Show or hide the details',
    single: true,
  },
  { group: 'Writing', name: 'send', keys: [], shown: [MAC ? '⌘' : 'Ctrl', 'Enter'], words: 'Send' },
  { group: 'Writing', name: 'canned', keys: [], shown: ['/'], words: 'Canned replies, at the start of a line' },
  {
    group: 'Writing',
    name: 'leave',
    keys: ['Escape'],
    shown: ['Esc'],
    words: 'Leave the composer, then the conversation',
  },
  { group: 'Everywhere', name: 'help', keys: ['?'], shown: ['?'], words: 'This help', single: true },
];

/** Calls `actions[name](event)` for each key that is pressed. Returns how to stop. */
export function listenToKeys(actions) {
  const onKey = (event) => {
    const shortcut = shortcutFor(event);
    if (!shortcut || !actions[shortcut.name]) return;
    if (actions[shortcut.name](event) !== false) event.preventDefault();
  };
  document.addEventListener('keydown', onKey);
  return () => document.removeEventListener('keydown', onKey);
}

function shortcutFor(event) {
  if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey || dialogIsOpen())
    return null;
  const shortcut = SHORTCUTS.find(({ keys }) => keys.includes(event.key));
  if (!shortcut?.single) return shortcut ?? null;
  if (isWriting(event.target)) return null;
  // Arrows are no characters: they move the list when it has the focus, and scroll everything else.
  if (event.key.startsWith('Arrow')) return event.target.closest('.inbox') ? shortcut : null;
  return preference('singleKeys') ? shortcut : null;
}

function isWriting(target) {
  return target.closest('input, textarea, select, [contenteditable]') !== null;
}
