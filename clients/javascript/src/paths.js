// Paths and queries of the API, from what callers have in hand.
'use strict';

/** `path('/v1/messages/:messageId', { messageId })`. Each id may be what `idOf` takes. */
function path(pattern, ids = {}) {
  return pattern.replace(/:(\w+)/g, (_, name) => encodeURIComponent(idOf(name, ids[name])));
}

/** An id: a string; or an object with one property, which is a string, as the documentation's `{CUSTOMER_ID}` is. */
function idOf(name, value) {
  const id = typeof value === 'object' && value !== null ? theOnlyValue(value) : value;
  if (typeof id === 'string' && id !== '' && id !== '.' && id !== '..') return id;
  throw new TypeError(
    `${name} must be an id: a string, or an object with exactly one property that is one, such as { CUSTOMER_ID }.`,
  );
}

function theOnlyValue(object) {
  if (Array.isArray(object)) return undefined;
  const values = Object.values(object);
  return values.length === 1 ? values[0] : undefined;
}

/** `?a=1&b=2`, or nothing. Lists are written with commas; what is undefined is left out. */
function query(parameters = {}) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined) continue;
    // Left out, it would ask for more than was meant.
    if (value === null) throw new TypeError(`${name} must not be null; leave it out.`);
    search.append(name, Array.isArray(value) ? value.join(',') : String(value));
  }
  const text = search.toString();
  return text && `?${text}`;
}

module.exports = { path, idOf, query };
