// A list of the API: to go through with `for await`, page after page as they are needed, or to take one page of.
'use strict';

const { UnexpectedAnswerError } = require('./errors.js');

/** Nothing is asked for before the first item is. */
class List {
  #load;

  /** `load(url)` loads a page; without a URL, the first. */
  constructor(load) {
    this.#load = load;
  }

  /** The first page. */
  page() {
    return this.#load();
  }

  /** Page after page. */
  async *pages() {
    for (let page = await this.page(); page; page = await page.next()) yield page;
  }

  async *[Symbol.asyncIterator]() {
    for await (const page of this.pages()) yield* page.items;
  }

  /** All of it, or the first so many. */
  async toArray(most = Infinity) {
    const items = [];
    if (most <= 0) return items;
    for await (const item of this) {
      items.push(item);
      if (items.length >= most) break;
    }
    return items;
  }
}

/** Some items of a list, in its order. */
class Page {
  #next;

  constructor(items, cursor, next) {
    this.items = items;
    /** What to pass as `cursor` to go on from here another time. Null at the list's end. */
    this.cursor = cursor;
    this.#next = next;
  }

  get hasNext() {
    return this.#next !== null;
  }

  /** The page after this one; null if there is none. */
  async next() {
    return this.#next ? this.#next() : null;
  }

  [Symbol.iterator]() {
    return this.items[Symbol.iterator]();
  }
}

/** The list at that path. */
function listOf(transport, path, parameters, options) {
  const load = async (next) => {
    const call = next ? { path: next } : { path, query: parameters };
    const answer = await transport.send({ method: 'GET', ...call }, options);
    if (!Array.isArray(answer.body)) throw new UnexpectedAnswerError('The answer is no list.');
    const link = nextLink(answer.headers.get('link'), answer.url, transport.settings.base);
    const cursor = link && new URLSearchParams(link.split('?')[1]).get('cursor');
    return new Page(answer.body, cursor, link && (() => load(link)));
  };
  return new List(load);
}

/** The path of the next page (RFC 8288), below the client's own base: the token goes nowhere else. */
function nextLink(header, url, base) {
  const link = /<([^>]*)>\s*;(?:[^,<]*;)?\s*rel="?next"?\s*(?:[;,]|$)/i.exec(header ?? '');
  if (!link) return null;
  const next = new URL(link[1], url);
  const { origin, pathname } = new URL(base);
  if (next.origin !== origin) throw new UnexpectedAnswerError(`The next page is said to be at ${next.origin}.`);
  // A proxy that has the daemon below a path of its own does not rewrite links.
  const own = pathname.replace(/\/$/, '');
  const path = own && next.pathname.startsWith(`${own}/`) ? next.pathname.slice(own.length) : next.pathname;
  return path + next.search;
}

module.exports = { List, Page, listOf, nextLink };
