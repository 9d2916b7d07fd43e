// What calls take beside their subject, and what lists are.

/** An id; or an object whose only property is one, such as `{ CUSTOMER_ID }`. */
export type Id = string | { readonly [name: string]: string };

export type ExtraHeaders = Headers | Record<string, string> | [name: string, value: string][];

export interface ClientOptions {
  /** Where the daemon is. In a page it may be left out: then it is where the page is from. */
  url?: string | URL;
  /** Left out, calls carry no token: see `credentials`. */
  token?: string;
  fetch?: typeof fetch;
  /** For every call. */
  headers?: ExtraHeaders;
  credentials?: 'omit' | 'same-origin' | 'include';
  /** How long one attempt may take; 60000 if left out. */
  timeoutMs?: number;
  /** How often a failed call is made again; 3 if left out. */
  retries?: number;
  /** The first pause before that, which doubles each time; 250 if left out. */
  backoffMs?: number;
}

export interface CallOptions {
  /** Aborted, the call rejects with the signal's reason. */
  signal?: AbortSignal;
  timeoutMs?: number;
  retries?: number;
  headers?: ExtraHeaders;
}

export interface CreateOptions extends CallOptions {
  /** A random one if left out: the daemon does it once, however often the call arrives. */
  idempotencyKey?: string;
}

export interface PageParameters {
  /** How many a page has, 1 to 1000. */
  limit?: number;
  /** Where to begin: `cursor` of a page. */
  cursor?: string;
}

/** One or several. */
export type Expand<Name extends string> = Name | readonly Name[];

export type MessageExpand = 'delivery' | 'author' | 'media';
export type SessionExpand = 'customer' | 'last_message' | 'messages' | 'attention' | 'suggested_messages';

export interface InboxParameters extends PageParameters {
  need_attention?: boolean;
  tag?: string;
  topic?: string;
  /** A token's name, `me`, or `none`, which null is too. */
  assignee?: string | null;
  expand?: Expand<SessionExpand>;
}

/** Goes through all of it, a page at a time as it is needed. */
export class List<Item> implements AsyncIterable<Item> {
  private constructor();
  /** The first page. */
  page(): Promise<Page<Item>>;
  pages(): AsyncIterableIterator<Page<Item>>;
  [Symbol.asyncIterator](): AsyncIterableIterator<Item>;
  /** All of it, or the first so many. */
  toArray(most?: number): Promise<Item[]>;
}

export class Page<Item> implements Iterable<Item> {
  private constructor();
  readonly items: Item[];
  /** What to pass as `cursor` to go on after this page another time; null at the list's end. */
  readonly cursor: string | null;
  readonly hasNext: boolean;
  next(): Promise<Page<Item> | null>;
  [Symbol.iterator](): IterableIterator<Item>;
}
