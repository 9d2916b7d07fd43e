// What must compile, as an ES module.

import switchboard, {
  Client,
  ConflictError,
  EventsForgottenError,
  ProblemError,
  SessionNotHeldError,
} from 'switchboard';
import type { Customer, EventOf, Message, Page, Session, Status } from 'switchboard';
import * as browsers from 'switchboard/client.mjs';

const client: Client = new Client({ url: new URL('http://127.0.0.1:8080'), token: 'demo-agent', retries: 5 });
const inPage = new browsers.Client({
  credentials: 'same-origin',
  headers: { 'X-Requested-With': 'switchboard-console' },
});
export const same: browsers.Client = switchboard;

const CUSTOMER_ID = 'c';
const SESSION_ID = 'current';

export async function conversation(signal: AbortSignal): Promise<void> {
  const message: Message = await switchboard.messages.create(
    { CUSTOMER_ID },
    { SESSION_ID },
    {
      content: 'Hey Ho!',
      content_type: 'text',
    },
  );
  const session: Session = await client.sessions.update(
    CUSTOMER_ID,
    SESSION_ID,
    { need_attention: true, tags: ['mobile'] },
    { signal },
  );
  const role: 'end-user' | 'agent' | 'init' = message.sender_role;
  const delivered: string | null = message.delivered_at;
  await inPage.sessions.assign(session.customer_id, 'current', { assignee: null });
  await inPage.customers.erase({ CUSTOMER_ID }).then((nothing: void) => nothing);
  const answer = await inPage.request<{ name: string }>('POST', '/console/session', {
    body: { token: role + delivered },
  });
  answer.name.toUpperCase();
}

export async function lists(): Promise<void> {
  for await (const session of client.sessions.inbox({ need_attention: true, expand: ['customer', 'last_message'] })) {
    session.last_message?.content.trim();
  }
  const page: Page<Customer> = await client.customers.search('ada').page();
  const next: Page<Customer> | null = await page.next();
  for (const customer of next ?? []) customer.phone_number?.slice(1);
  const turns = await client.bot.turns({ failed: true }).toArray(10);
  turns.map((turn) => turn.refused_messages.length);
}

export async function events(): Promise<void> {
  for await (const event of client.events.subscribe({ types: ['message.*', 'session.typing'] })) {
    if (event.name === 'session.typing') {
      if (!('gone' in event.data)) event.data.typing.valueOf();
    } else {
      const name: 'message.created' | 'message.updated' = event.name;
      if (!('gone' in event.data)) event.data.content.concat(name, event.data.author);
    }
  }
  const listening = client.events.subscribe({
    types: ['customer.verification'],
    onEvent: (event) => {
      if (!('gone' in event.data)) event.data.confirmation_token?.length;
    },
    onStatus: (status: Status) => {
      if (status.state === 'reconnecting') status.delayMs.toFixed(status.error.message.length);
    },
    onForgotten: (error: EventsForgottenError) => error.slug satisfies 'events-forgotten',
  });
  await listening.opened;
  listening.close();
  const all = client.events.subscribe();
  for await (const event of all)
    if (event.name === 'delivery.held' && !('gone' in event.data)) event.data.segments.toFixed();
  const one: EventOf<'bot.*'>['name'] = 'bot.suggested';
  const any: EventOf<'*'>['name'] = 'webhook.disabled';
  one.concat(any);
}

export function caught(error: unknown): string {
  if (error instanceof SessionNotHeldError) return error.slug satisfies 'session-not-held';
  if (error instanceof ConflictError) return error.detail;
  if (error instanceof ProblemError)
    return `${error.status} ${error.retryAfter?.toFixed()} ${error.errors.map((each) => each.pointer)}`;
  return String(error);
}
