// Owns choosing one of many by typing: a field with a list under it, in a dialog. Arrows move, Enter takes, Escape
// leaves.

import { openDialog } from './dialogs.js';
import { fill, freshId, h, setAttribute } from './dom.js';

/** Resolves to the chosen item, or to null. `items` are `{title, content}`. */
export function pick({ title, label, items, empty }) {
  return new Promise((resolve) => {
    let chosen = null;
    let shown = items;
    let active = 0;
    const listId = freshId('choices');
    const list = h('ul', { class: 'choices', id: listId, role: 'listbox', 'aria-label': title });
    const input = h('input', {
      type: 'text',
      role: 'combobox',
      'aria-label': label,
      'aria-controls': listId,
      'aria-expanded': 'true',
      'aria-autocomplete': 'list',
      autocomplete: 'off',
      placeholder: label,
    });
    const none = h('p', { class: 'hint', role: 'status' });

    function draw() {
      const words = input.value.trim().toLocaleLowerCase();
      shown = items.filter((item) => `${item.title} ${item.content}`.toLocaleLowerCase().includes(words));
      active = Math.min(active, Math.max(0, shown.length - 1));
      fill(list, shown.map(option));
      list.hidden = shown.length === 0;
      none.textContent = shown.length > 0 ? '' : items.length > 0 ? 'Nothing matches.' : empty;
      setAttribute(input, 'aria-activedescendant', shown.length > 0 ? `${listId}-${active}` : null);
      list.children[active]?.scrollIntoView({ block: 'nearest' });
    }

    function option(item, at) {
      return h(
        'li',
        {
          class: 'choice',
          role: 'option',
          id: `${listId}-${at}`,
          'aria-selected': String(at === active),
          onclick: () => take(item),
        },
        h('span', { class: 'choice-title' }, item.title),
        h('span', { class: 'choice-content' }, item.content),
      );
    }

    function take(item) {
      chosen = item;
      dialog.close();
    }

    input.addEventListener('input', () => {
      active = 0;
      draw();
    });
    input.addEventListener('keydown', (event) => {
      if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
        event.preventDefault();
        const step = event.key === 'ArrowDown' ? 1 : -1;
        active = (active + step + shown.length) % Math.max(1, shown.length);
        draw();
      } else if (event.key === 'Enter' && shown[active]) {
        event.preventDefault();
        take(shown[active]);
      }
    });
    const dialog = openDialog({
      title,
      kind: 'dialog-picker',
      body: [input, list, none],
      onclose: () => resolve(chosen),
    });
    draw();
    input.focus();
  });
}
