// Owns what is news to an agent in a batch of events: who begins to wait, and who writes. Knows no page.

import { nameOf } from './words.js';

/**
 * What to tell of, given the rows `before` and `after` the events: `{row, kind, body}`, where
 * `kind` is `waits` (a session that nobody had to look at begins to need somebody) or `writes` (one more word of who
 * waits already).
 */
export function news(before, after, events) {
  const told = new Map();
  for (const { name, data } of events) {
    if (data.gone) continue;
    const id = name.startsWith('session.') ? data.id : data.session_id;
    const row = after.get(id);
    if (!row?.need_attention || !row.attention?.waiting_since) continue;
    const waited = Boolean(before.get(id)?.attention?.waiting_since);
    const wrote = name === 'message.created' && data.sender_role === 'end-user';
    const again =
      (row.attention.escalations ?? 0) > (before.get(id)?.attention?.escalations ?? row.attention.escalations ?? 0);
    // Without a reason an agent took it: they know.
    const asked = !waited && row.attention.reason !== null;
    if (!wrote && !asked && !again) continue;
    const earlier = told.get(id);
    told.set(id, {
      row,
      kind: waited && !again ? 'writes' : 'waits',
      body: wrote ? data.content : (earlier?.body ?? row.last_message?.content ?? ''),
    });
  }
  return [...told.values()];
}

/** The same as a sentence. */
export function newsInWords({ row: { customer }, kind, body }) {
  const name = customer ? nameOf(customer) : 'A customer';
  return kind === 'waits' ? `${name} needs attention. ${body}`.trim() : `${name} wrote: ${body || 'an attachment'}`;
}
