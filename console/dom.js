// Owns how elements are made and kept up to date. Text is always text here: nothing that is given is ever read as HTML.

/**
 * `h('button', {class: 'quiet', onclick: close}, 'Close')`. Handlers are functions under `on…`; `true` writes an empty
 * attribute, and null, undefined and false write none. Children are nodes, strings, arrays of them, or nothing.
 */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) setAttribute(element, key, value);
  element.append(...present(children));
  return element;
}

/** Sets one attribute, or takes it away. */
export function setAttribute(element, key, value) {
  if (key.startsWith('on')) {
    element.addEventListener(key.slice(2), value);
  } else if (value === null || value === undefined || value === false) {
    element.removeAttribute(key);
  } else {
    element.setAttribute(key, value === true ? '' : String(value));
  }
}

/** Changes a text only if it differs, so that screen readers and selections are left alone. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Puts other children into an element. */
export function fill(element, ...children) {
  element.replaceChildren(...present(children));
  return element;
}

/**
 * Keeps the children of `parent` in step with `items`: one element for each `key`, made once by `make(item)`, brought up
 * to date by `update(element, item)`, and moved only where the order changed. Focus and selections survive.
 */
export function keyed(parent, items, { key, make, update }) {
  const before = parent.keyedChildren ?? new Map();
  const after = new Map();
  for (const item of items) {
    const id = key(item);
    const element = before.get(id) ?? make(item);
    update(element, item);
    after.set(id, element);
  }
  for (const [id, element] of before) if (after.get(id) !== element) element.remove();
  let place = parent.firstChild;
  for (const element of after.values()) {
    if (element === place) place = place.nextSibling;
    else parent.insertBefore(element, place);
  }
  parent.keyedChildren = after;
}

/** A text for screen readers only. */
export function spoken(text) {
  return h('span', { class: 'spoken' }, text);
}

let lastId = 0;

/** An id that no other element has, to label one element by another. */
export function freshId(prefix) {
  lastId += 1;
  return `${prefix}-${lastId}`;
}

function present(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}
