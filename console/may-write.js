// Owns whether an agent may text a customer now, and if not, why not and what helps.

/**
 * `{open, kind, words, action}`: `action` is `takeOver` or `assign` where that would open it, else null; `words` may
 * also stand beside an open one. `me` is the agent's name.
 */
export function mayWrite({ customer, session, loading, missing }, me) {
  if (missing) return shut('missing', '');
  if (loading && !session) return shut('loading', '');
  if (!customer) return shut('loading', '');
  if (customer.unsubscribed) {
    return shut(
      'unsubscribed',
      'This customer has unsubscribed and must not be texted. They can text START to subscribe again.',
    );
  }
  if (!customer.confirmed_at || !customer.phone_number) {
    return shut(
      'unconfirmed',
      'This number is not confirmed yet. It can be texted once the customer has confirmed it, or has texted first.',
    );
  }
  if (!session)
    return { open: true, kind: 'over', words: 'There is no conversation now. What you send starts one.', action: null };
  if (!session.need_attention) return shut('bot', 'The bot has this conversation, and answers by itself.', 'takeOver');
  const assignee = session.attention?.assignee ?? null;
  if (assignee !== null && assignee !== me) {
    return { ...shut('assigned', `${assignee} has this conversation.`, 'assign'), holder: assignee };
  }
  return { open: true, kind: 'open', words: '', action: null };
}

function shut(kind, words, action = null) {
  return { open: false, kind, words, action };
}
