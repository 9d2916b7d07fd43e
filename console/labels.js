// Owns the editing of a session's tags and topics: chips that can be taken away, and a field for another.

import { announce } from './announcer.js';
import { fill, freshId, h, setAttribute } from './dom.js';
import { icon, iconButton } from './icons.js';

const MOST = 50;

/** `singular` is `tag` or `topic`. `change(list)` saves all of them and resolves to whether that worked. */
export function createLabels({ title, singular, change }) {
  const chips = h('ul', { class: 'chips' });
  const input = h('input', {
    type: 'text',
    id: freshId(singular),
    maxlength: 100,
    autocomplete: 'off',
    placeholder: `Add a ${singular}`,
    enterkeyhint: 'done',
  });
  const add = iconButton('plus', `Add the ${singular}`, { type: 'submit' });
  const form = h(
    'form',
    { class: 'add-label', onsubmit: submit },
    h('label', { class: 'spoken', for: input.id }, `Add a ${singular}`),
    input,
    add,
  );
  const element = h('section', { class: 'details-part', 'aria-label': title }, h('h3', {}, title), chips, form);
  let names = [];
  let enabled = null;
  let saving = Promise.resolve();

  input.addEventListener('keydown', (event) => {
    if (event.key === ',') submit(event);
  });

  function submit(event) {
    event.preventDefault();
    const name = input.value.trim();
    if (!name || names.includes(name) || names.length >= MOST) return;
    input.value = '';
    save([...names, name], `${name} added.`);
  }

  function remove(name) {
    const at = names.indexOf(name);
    save(
      names.filter((one) => one !== name),
      `${name} removed.`,
    );
    // The chip is gone; the focus goes to the one that took its place.
    (chips.children[Math.min(at, chips.children.length - 1)]?.querySelector('button') ?? input).focus();
  }

  // Shown at once, one save after the other, and put back if it does not work.
  function save(next, words) {
    const before = names;
    show(next);
    saving = saving.then(async () => {
      if (await change(next)) announce(words);
      else show(before);
    });
  }

  function show(next) {
    names = next;
    fill(
      chips,
      names.map((name) =>
        h(
          'li',
          { class: 'chip chip-tag' },
          h('span', {}, name),
          enabled
            ? h(
                'button',
                {
                  class: 'plain chip-remove',
                  type: 'button',
                  'aria-label': `Remove ${singular} ${name}`,
                  onclick: () => remove(name),
                },
                icon('close'),
              )
            : null,
        ),
      ),
    );
    chips.hidden = names.length === 0;
  }

  function draw(list, editable) {
    if (enabled === editable && names.join('\n') === list.join('\n')) return;
    enabled = editable;
    setAttribute(input, 'disabled', !editable);
    setAttribute(add, 'disabled', !editable);
    show(list);
  }

  return { element, draw, focus: () => input.focus() };
}
