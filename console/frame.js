// Owns the frame of the desk: which parts stand side by side, which one is alone on a narrow screen, and where the
// details of a customer go.

import { openDialog } from './dialogs.js';
import { fill, h, setAttribute } from './dom.js';
import { mark } from './icons.js';
import { preference, setPreference } from './preferences.js';

const wide = matchMedia('(min-width: 72rem)');
const narrow = matchMedia('(max-width: 47.99rem)');

/**
 * `parts` are the elements: `connection`, `side` (a list), `conversation` (a list), `details`. `buttons` stand at the
 * top.
 */
export function createFrame({ connection, side: sideParts, conversation, details, buttons, detailsShown }) {
  const side = h(
    'div',
    { class: 'side' },
    h(
      'nav',
      { class: 'side-nav', 'aria-label': 'Customers' },
      h(
        'div',
        { class: 'side-head' },
        mark(),
        h('p', { class: 'brand', 'aria-hidden': 'true' }, 'Switchboard'),
        buttons,
      ),
      sideParts,
    ),
  );
  const main = h('main', { class: 'main', 'aria-label': 'Conversation' });
  const aside = h('aside', { class: 'aside', 'aria-label': 'Customer details' });
  const nothing = nothingOpen();
  const element = h(
    'div',
    { class: 'desk', 'data-pane': 'list' },
    h('header', { class: 'top' }, h('h1', { class: 'spoken' }, 'Switchboard'), connection),
    side,
    main,
    aside,
  );
  let open = false;
  let dialog = null;

  /** Shows the conversation, or that there is none. */
  function show(hasConversation) {
    open = hasConversation;
    element.dataset.pane = open ? 'thread' : 'list';
    fill(main, open ? conversation : nothing);
    place();
  }

  function place() {
    dialog?.close();
    // Where there is room for one of them only, the one that is there is the main one.
    setAttribute(side, 'role', narrow.matches && !open ? 'main' : null);
    const beside = open && wide.matches && preference('details');
    aside.hidden = !beside;
    element.classList.toggle('has-details', beside);
    if (beside) fill(aside, h('h2', { class: 'spoken' }, 'Customer details'), details);
    detailsShown(wide.matches ? beside : null);
  }

  /** Beside the conversation where there is room, else over it. */
  function toggleDetails() {
    if (!open) return;
    if (wide.matches) {
      setPreference('details', !preference('details'));
      place();
    } else if (!dialog) {
      dialog = openDialog({
        title: 'Customer details',
        kind: 'dialog-details',
        body: details,
        onclose: () => (dialog = null),
      });
    }
  }

  function showDetails() {
    if (open && !details.isConnected) toggleDetails();
  }

  function close() {
    wide.removeEventListener('change', place);
    narrow.removeEventListener('change', place);
  }

  wide.addEventListener('change', place);
  narrow.addEventListener('change', place);
  show(false);
  return { element, show, toggleDetails, showDetails, isNarrow: () => narrow.matches, close };
}

function nothingOpen() {
  const key = (name) => h('kbd', {}, name);
  return h(
    'div',
    { class: 'nothing-open' },
    mark(),
    h('h2', {}, 'Choose a conversation'),
    h('p', {}, 'Who has waited longest stands first.'),
    h(
      'p',
      { class: 'nothing-keys' },
      key('j'),
      key('k'),
      ' move, ',
      key('Enter'),
      ' opens, ',
      key('?'),
      ' shows all keys',
    ),
  );
}
