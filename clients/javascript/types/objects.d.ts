// What goes over the wire, named as it is there.

/** RFC 3339, in UTC with milliseconds. */
export type Timestamp = string;

export type TokenRole = 'agent' | 'bot' | 'admin';

/** `end-user`: the customer; `agent`: a human at the brand; `init`: the bot. */
export type SenderRole = 'end-user' | 'agent' | 'init';

export interface Me {
  name: string;
  role: TokenRole;
}

export interface Message {
  id: string;
  session_id: string;
  content: string;
  content_type: 'text';
  sender_role: SenderRole;
  sent_at: Timestamp;
  /** Null until the handset has it. */
  delivered_at: Timestamp | null;
  created_at: Timestamp;
  updated_at: Timestamp;
  /** With `expand: 'delivery'`. */
  delivery?: Delivery;
  /** With `expand: 'author'`: a token's name; `customer`, `bot` or `gateway` where there was none. */
  author?: string;
  /** With `expand: 'media'`. */
  media?: Media[];
}

export interface Media {
  url: string;
  content_type: string;
}

export interface NewMessage {
  content: string;
  content_type: 'text';
  /** What the token makes of the message anyway. */
  sender_role?: 'agent' | 'init' | 'bot';
  /** For how many seconds it is worth sending: 1 to 604800. */
  valid_for_s?: number;
  /** With a bot's token: the turn that it answers. It counts only while an answer to that would. */
  turn_id?: string | null;
}

export type DeliveryStatus =
  'queued' | 'sending' | 'sent' | 'delivered' | 'undelivered' | 'failed' | 'canceled' | 'expired' | 'unknown';

export interface DeliveryError {
  /** The provider's. */
  code: string | null;
  class:
    'permanent' | 'transient' | 'opted_out' | 'credentials' | 'configuration' | 'throttled' | 'content' | 'unknown';
  text: string;
}

/** One time that the message was handed to the provider. */
export interface Attempt {
  at: Timestamp;
  ended_at: Timestamp | null;
  /** `accepted`, `throttled`, `transient`, `permanent`, `unknown`; null while it is under way. */
  outcome: string | null;
  /** What was found out about an `unknown` one. */
  evidence: string | null;
}

/** One thing that the provider said. */
export interface ProviderStatus {
  /** In the provider's own word. */
  status: string;
  error_code: string | null;
  at: Timestamp;
  /** Whether it did not say so by itself, but was asked. */
  asked: boolean;
}

export interface Delivery {
  message_id: string;
  /** `unknown`: it may or may not have left; evidence will tell. */
  status: DeliveryStatus;
  channel: string;
  from: string | null;
  to: string;
  segments: number;
  encoding: 'GSM-7' | 'UCS-2';
  provider_ids: string[];
  attempts: Attempt[];
  error: DeliveryError | null;
  queued_at: Timestamp;
  dispatched_at: Timestamp | null;
  passed_at: Timestamp | null;
  /** Since when it waits for somebody to decide whether it is sent again. */
  held_at: Timestamp | null;
  /** All that the provider said about it. */
  provider_status_history: ProviderStatus[];
  author: string;
  keyword: 'stop' | 'start' | 'help' | null;
  recovered: boolean;
}

export interface Session {
  id: string;
  customer_id: string;
  /** `true`: agents have it, and the bot is paused. `false`: the bot has it, and agents may not speak. */
  need_attention: boolean;
  tags: string[];
  topics: string[];
  created_at: Timestamp;
  updated_at: Timestamp;
  /** With `expand: 'customer'`. */
  customer?: Customer;
  /** With `expand: 'last_message'`. */
  last_message?: Message;
  /** With `expand: 'messages'`: the newest 100, the oldest of them first. */
  messages?: Message[];
  /** With `expand: 'attention'`. */
  attention?: Attention;
  /** With `expand: 'suggested_messages'`. */
  suggested_messages?: SuggestedMessage[];
}

export interface SessionUpdate {
  need_attention?: boolean;
  /** All of them: these replace the ones before. */
  tags?: string[];
  topics?: string[];
}

export interface Attention {
  /** Why agents have it; null: an agent took it. */
  reason: string | null;
  waiting_since: Timestamp | null;
  /** A token's name. */
  assignee: string | null;
  escalations: number;
  version: number;
  last_message_at: Timestamp;
}

export interface Assignment {
  /** A token's name; null gives it up; the caller's own if it is left out. */
  assignee?: string | null;
  /** Takes it from another. */
  force?: boolean;
}

export interface SuggestedMessage {
  id: string;
  remote_id: string | null;
  content: string;
  content_type: 'text';
  selected_count: number;
  created_at: Timestamp;
}

export interface Customer {
  id: string;
  /** The number that the customer proved to be theirs, in E.164. */
  phone_number: string | null;
  /** The number that somebody said is theirs, in E.164. */
  unconfirmed_phone_number: string | null;
  country_code: string | null;
  email: string | null;
  first_name: string | null;
  last_name: string | null;
  time_zone: string;
  unsubscribed: boolean;
  confirmed_at: Timestamp | null;
  confirmation_sent_at: Timestamp | null;
  created_at: Timestamp;
  updated_at: Timestamp;
}

export interface NewCustomer {
  unconfirmed_phone_number: string;
  email?: string;
  first_name?: string;
  last_name?: string;
  time_zone?: string;
  /** `false`: you vouch for the number, and the customer is created confirmed. */
  confirmation?: boolean;
}

/** What is left out stays, and null clears. */
export interface CustomerUpdate {
  email?: string | null;
  first_name?: string | null;
  last_name?: string | null;
  time_zone?: string;
}

export interface CannedReply {
  title: string;
  content: string;
}

export interface Disabled {
  at: Timestamp;
  reason: string;
}

export interface BotStatus {
  /** The author of its messages; null where there is no bot. */
  name: string | null;
  /** `open`: it failed again and again, and is only probed now and then. */
  breaker: 'closed' | 'open' | 'probing';
  /** Since when it is not called at all: it asked for that. */
  disabled: Disabled | null;
}

export interface Turn {
  id: string;
  session_id: string;
  customer_id: string;
  /** Its number in the session, from 1; null before the bot is first told. */
  turn: number | null;
  type: 'message.received' | 'message.created' | 'session.updated';
  status: 'pending' | 'in_flight' | 'done' | 'dropped' | 'refused' | 'failed';
  reason: string | null;
  attempts: number;
  message_ids: string[];
  /** What the bot said and what was not sent. */
  refused_messages: string[];
  created_at: Timestamp;
}

/** What a bot answers to a turn. */
export interface BotAnswer {
  messages?: { content: string; content_type?: 'text'; delay_ms?: number; valid_for_s?: number }[];
  handoff?: { needed: boolean; reason?: string; note?: string };
  session?: { tags?: string[]; topics?: string[]; state?: unknown };
  [more: string]: unknown;
}

export interface BotReply {
  turn_id: string;
  messages: Message[];
}

export interface Webhook {
  name: string;
  kind: 'standard' | 'slack';
  events: string[];
  disabled: Disabled | null;
  /** Since when nothing has reached it. */
  failing_since: Timestamp | null;
}

export interface WebhookDelivery {
  /** Null if the log does not have it any more. */
  event_id: string | null;
  event_name: string | null;
  attempts: number;
  /** When it is told again; null: it is a dead letter. */
  next_attempt_at: Timestamp | null;
  dead: boolean;
  last_error: string;
  created_at: Timestamp;
}

export interface NewToken {
  name: string;
  role: TokenRole;
}

export interface Token extends NewToken {
  id: string;
  created_at: Timestamp;
  revoked_at: Timestamp | null;
}

export interface MintedToken extends NewToken {
  id: string;
  created_at: Timestamp;
  /** Shown this once. */
  secret: string;
}

export interface Recovery {
  since: Timestamp;
  recovered: number;
  known: number;
  unreadable: number;
}
