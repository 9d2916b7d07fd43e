// Owns the frame of every dialog: its title, its way out, and where the focus goes before and after.

import { freshId, h } from './dom.js';
import { iconButton } from './icons.js';

/** Opens a dialog over the page. Escape, the cross and a click beside it close it; the focus goes back by itself. */
export function openDialog({ title, kind = '', body, onclose = () => {} }) {
  const labelId = freshId('dialog');
  const close = () => dialog.close();
  const dialog = h(
    'dialog',
    { class: `dialog ${kind}`, 'aria-labelledby': labelId },
    h(
      'header',
      { class: 'dialog-head' },
      h('h2', { id: labelId }, title),
      iconButton('close', 'Close', { onclick: close }),
    ),
    h('div', { class: 'dialog-body' }, body),
  );
  const opener = document.activeElement;
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) close();
  });
  dialog.addEventListener('close', () => {
    dialog.remove();
    if (opener?.isConnected) opener.focus();
    onclose();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Asks; resolves to whether the answer was yes. The focus begins on the way out. */
export function confirmed({ title, words, yes, no = 'Cancel' }) {
  return new Promise((resolve) => {
    let answer = false;
    const say = (value) => () => {
      answer = value;
      dialog.close();
    };
    const cancel = h('button', { type: 'button', autofocus: true, onclick: say(false) }, no);
    const dialog = openDialog({
      title,
      kind: 'dialog-small',
      body: [
        h('p', {}, words),
        h(
          'div',
          { class: 'dialog-actions' },
          cancel,
          h('button', { class: 'primary', type: 'button', onclick: say(true) }, yes),
        ),
      ],
      onclose: () => resolve(answer),
    });
    cancel.focus();
  });
}

/** Whether a dialog is open now: then the page's own keys are silent. */
export function dialogIsOpen() {
  return document.querySelector('dialog[open]') !== null;
}
