// What happens, and the subscription that tells.

import type { SwitchboardError, EventsForgottenError } from './errors';
import type {
  Attention,
  Customer,
  DeliveryError,
  DeliveryStatus,
  Message,
  Session,
  SuggestedMessage,
  Timestamp,
} from './objects';
import type { Id } from './calls';

export interface MessageEventData extends Message {
  customer_id: string;
  author: string;
  status: DeliveryStatus;
  error: DeliveryError | null;
}

export interface DeliveryEventData {
  message_id: string;
  session_id: string;
  customer_id: string;
  status: DeliveryStatus;
  error: DeliveryError | null;
  segments: number;
  channel: string;
  delivered_at: Timestamp | null;
  updated_at: Timestamp;
}

export interface SessionEventData extends Session {
  attention: Attention;
}

export interface VerificationEventData extends Customer {
  status: 'needs_confirmation' | 'confirmed';
  /** For bots and admins, never for agents. */
  confirmation_token?: string;
}

export interface BotRefusedEventData {
  turn_id: string | null;
  session_id: string | null;
  customer_id: string;
  reason: string;
  texts: number;
}

export interface BotFailedEventData {
  turn_id: string;
  session_id: string;
  customer_id: string;
  reason: string;
}

/** In the place of its data, if what an event is about was erased or pruned since. */
export interface Gone {
  id?: string;
  message_id?: string;
  turn_id?: string;
  session_id?: string;
  customer_id?: string;
  gone: true;
}

/** The data of each event, by its name. */
export interface EventData {
  'message.created': MessageEventData;
  'message.updated': MessageEventData;
  'delivery.sent': DeliveryEventData;
  'delivery.delivered': DeliveryEventData;
  'delivery.undelivered': DeliveryEventData;
  'delivery.failed': DeliveryEventData;
  'delivery.canceled': DeliveryEventData;
  'delivery.expired': DeliveryEventData;
  'delivery.unknown': DeliveryEventData;
  'delivery.held': DeliveryEventData;
  'delivery.queued': DeliveryEventData;
  'session.created': SessionEventData;
  'session.updated': SessionEventData;
  'session.typing': { session_id: string; customer_id: string; name: string; typing: boolean };
  'customer.created': Customer;
  'customer.updated': Customer;
  'customer.subscribed': Customer;
  'customer.unsubscribed': Customer;
  'customer.verification': VerificationEventData;
  'customer.erased': { id: string };
  'bot.refused': BotRefusedEventData;
  'bot.failed': BotFailedEventData;
  'bot.suggested': { session_id: string; customer_id: string; suggested_messages: SuggestedMessage[] };
  'bot.disabled': { endpoint: 'bot'; reason: string };
  'bot.enabled': { endpoint: 'bot'; reason: null };
  'webhook.disabled': { endpoint: string; reason: string };
  'webhook.enabled': { endpoint: string; reason: null };
}

export type EventName = keyof EventData;

/** A name; or all whose names begin alike, `message.*`; or all. */
export type EventPattern = EventName | `${Family<EventName>}.*` | '*';

type Family<Name extends string> = Name extends `${infer First}.${string}` ? First : never;

type Named<Name extends EventName> = Name extends EventName
  ? { id: string | null; name: Name; created_at: Timestamp; data: EventData[Name] | Gone }
  : never;

/** The events that a pattern stands for; compare `name`, and `data` is of that event. */
export type EventOf<Pattern extends EventPattern = EventName> = Named<
  Pattern extends '*'
    ? EventName
    : Pattern extends EventName
      ? Pattern
      : Pattern extends `${infer First}.*`
        ? Extract<EventName, `${First}.${string}`>
        : never
>;

export type Status =
  | { state: 'connecting' | 'open'; error: null; delayMs: null }
  | { state: 'reconnecting'; error: SwitchboardError; delayMs: number }
  | { state: 'closed'; error: unknown; delayMs: null };

export interface SubscribeOptions<Pattern extends EventPattern = EventPattern> {
  /** All, if left out. */
  types?: readonly Pattern[];
  customerId?: Id;
  sessionId?: Id;
  /** Resumes after that event; without it: what happens from now on. */
  lastEventId?: string | null;
  /** Aborted, it ends the subscription, quietly. */
  signal?: AbortSignal;
  /** After so long without a byte the line counts as dead. 40000 if left out: the daemon is heard of every 15 s. */
  silenceMs?: number;
  onStatus?: (status: Status) => void;
  /** The daemon's log does not reach back that far. Called when the new stream stands, and awaited before its first event. */
  onForgotten?: (error: EventsForgottenError) => unknown;
}

export interface CallbackOptions<Pattern extends EventPattern = EventPattern> extends SubscribeOptions<Pattern> {
  /** In order; what it returns is awaited. What it throws ends the subscription. */
  onEvent: (event: EventOf<Pattern>) => unknown;
}

/** A subscription, with a callback or to iterate over. */
export class Subscription {
  private constructor();
  readonly status: Status['state'];
  /** To resume after, another time: the last event that was handed over, or where the stream stands. */
  readonly lastEventId: string | null;
  /** Resolves once the stream stands: what happens from then on is heard of. */
  readonly opened: Promise<void>;
  /** Resolves when it is closed; rejects with the error that ended it. */
  readonly done: Promise<void>;
  /** While it waits to reconnect: does so at once. */
  reconnect(): void;
  close(): void;
}

export interface IterableSubscription<Event> extends Subscription {
  [Symbol.asyncIterator](): AsyncIterableIterator<Event>;
}

export interface Events {
  subscribe<const Pattern extends EventPattern = EventPattern>(options: CallbackOptions<Pattern>): Subscription;
  subscribe<const Pattern extends EventPattern = EventPattern>(
    options?: SubscribeOptions<Pattern>,
  ): IterableSubscription<EventOf<Pattern>>;
}
