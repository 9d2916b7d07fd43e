// The client and its parts.

import type {
  CallOptions,
  ClientOptions,
  CreateOptions,
  Expand,
  Id,
  InboxParameters,
  List,
  MessageExpand,
  PageParameters,
  SessionExpand,
} from './calls';
import type { Events } from './events';
import type {
  Assignment,
  BotAnswer,
  BotReply,
  BotStatus,
  CannedReply,
  Customer,
  CustomerUpdate,
  Delivery,
  Me,
  Message,
  MintedToken,
  NewCustomer,
  NewMessage,
  NewToken,
  Recovery,
  Session,
  SessionUpdate,
  SuggestedMessage,
  Timestamp,
  Token,
  Turn,
  Webhook,
  WebhookDelivery,
} from './objects';

type MessageParameters = { expand?: Expand<MessageExpand> };
type SessionParameters = { expand?: Expand<SessionExpand> };

export class Client {
  constructor(options?: ClientOptions);
  /** Its daemon and token are those of SWITCHBOARD_URL and SWITCHBOARD_TOKEN, at the time of each call. */
  static fromEnvironment(): Client;

  readonly bot: Bot;
  readonly cannedReplies: CannedReplies;
  readonly channels: Channels;
  readonly customers: Customers;
  readonly events: Events;
  readonly messages: Messages;
  readonly sessions: Sessions;
  readonly suggestedMessages: SuggestedMessages;
  readonly tokens: Tokens;
  readonly webhooks: Webhooks;

  /** Whose token this is. */
  me(options?: CallOptions): Promise<Me>;
  /** Any call: for what this client has no name for. What it answers, in JSON. */
  request<Answer = unknown>(
    method: string,
    path: string,
    call?: { query?: Record<string, unknown>; body?: unknown },
    options?: CreateOptions,
  ): Promise<Answer>;
}

export interface Messages {
  /** Texts the customer. Repeatable: it carries an `Idempotency-Key`. */
  create(customerId: Id, sessionId: Id, message: NewMessage, options?: CreateOptions): Promise<Message>;
  /** A session's messages, the newest first. */
  list(
    customerId: Id,
    sessionId: Id,
    parameters?: PageParameters & MessageParameters,
    options?: CallOptions,
  ): List<Message>;
  retrieve(messageId: Id, parameters?: MessageParameters, options?: CallOptions): Promise<Message>;
  delivery(messageId: Id, options?: CallOptions): Promise<Delivery>;
  /** Only while it is queued. */
  cancel(messageId: Id, options?: CallOptions): Promise<Delivery>;
  /** The texts of which nobody can say whether they left. The oldest first. */
  listHeld(parameters?: PageParameters & MessageParameters, options?: CallOptions): List<Message>;
  /** Sends a held one again. It may arrive twice. */
  resend(messageId: Id, options?: CallOptions): Promise<Delivery>;
}

export interface Sessions {
  update(customerId: Id, sessionId: Id, changes: SessionUpdate, options?: CallOptions): Promise<Session>;
  /** The oldest first. */
  list(customerId: Id, parameters?: PageParameters & SessionParameters, options?: CallOptions): List<Session>;
  /** By its id, or `current`. */
  retrieve(customerId: Id, sessionId: Id, parameters?: SessionParameters, options?: CallOptions): Promise<Session>;
  /** The sessions of all customers: who waits for an agent first. */
  inbox(parameters?: InboxParameters, options?: CallOptions): List<Session>;
  assign(customerId: Id, sessionId: Id, assignment?: Assignment, options?: CallOptions): Promise<Session>;
  typing(customerId: Id, sessionId: Id, typing?: boolean, options?: CallOptions): Promise<void>;
}

export interface SuggestedMessages {
  use(suggestedMessageId: Id, options?: CallOptions): Promise<SuggestedMessage>;
}

export interface Customers {
  /** Repeatable: it carries an `Idempotency-Key`. */
  create(customer: NewCustomer, options?: CreateOptions): Promise<Customer>;
  /** The oldest first; or the one with that number. */
  list(parameters?: PageParameters & { phone_number?: string }, options?: CallOptions): List<Customer>;
  search(text: string, parameters?: PageParameters, options?: CallOptions): List<Customer>;
  retrieve(customerId: Id, options?: CallOptions): Promise<Customer>;
  update(customerId: Id, changes: CustomerUpdate, options?: CallOptions): Promise<Customer>;
  erase(customerId: Id, options?: CallOptions): Promise<void>;
  confirm(customerId: Id, confirmation: { confirmation_token: string }, options?: CallOptions): Promise<Customer>;
  generateConfirmation(customerId: Id, options?: CallOptions): Promise<void>;
  sendConfirmation(customerId: Id, options?: CallOptions): Promise<void>;
  subscribe(customerId: Id, options?: CallOptions): Promise<void>;
  unsubscribe(customerId: Id, options?: CallOptions): Promise<void>;
}

export interface Bot {
  /** Those that the bot could not be told, and those whose answer did not count. The newest first. */
  turns(parameters?: PageParameters & { failed?: true }, options?: CallOptions): List<Turn>;
  turn(turnId: Id, options?: CallOptions): Promise<Turn>;
  /** Asks the bot once more, and answers with the new turn. */
  replay(turnId: Id, options?: CallOptions): Promise<Turn>;
  /** For the bot: answers a turn later, with the `reply_token` that came with it. */
  reply(turnId: Id, replyToken: string, answer: BotAnswer, options?: CreateOptions): Promise<BotReply>;
  status(options?: CallOptions): Promise<BotStatus>;
  enable(options?: CallOptions): Promise<void>;
}

export interface Webhooks {
  list(options?: CallOptions): List<Webhook>;
  enable(name: Id, options?: CallOptions): Promise<void>;
  deliveries(name: Id, parameters?: PageParameters & { dead?: boolean }, options?: CallOptions): List<WebhookDelivery>;
  replay(name: Id, eventId: Id, options?: CallOptions): Promise<void>;
}

export interface Tokens {
  list(options?: CallOptions): List<Token>;
  /** The secret is in this answer and in no other. */
  mint(token: NewToken, options?: CallOptions): Promise<MintedToken>;
  revoke(tokenId: Id, options?: CallOptions): Promise<void>;
}

export interface Channels {
  recover(channel: Id, parameters?: { since?: Timestamp }, options?: CallOptions): Promise<Recovery>;
}

export interface CannedReplies {
  list(options?: CallOptions): List<CannedReply>;
}
