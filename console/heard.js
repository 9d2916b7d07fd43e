// Owns what events told of customers and of the last words of sessions, for a while: who is new to the inbox was told of
// just before, and need not be asked for.

const MOST = 500;

export function createHeard(most = MOST) {
  const customers = new Map();
  const messages = new Map();

  function take(events) {
    for (const { name, data } of events) {
      if (name === 'customer.erased' || data.gone) customers.delete(data.id);
      else if (name.startsWith('customer.')) remember(customers, data.id, data);
      else if (name === 'message.created') remember(messages, data.session_id, data);
    }
  }

  function remember(kept, id, what) {
    kept.delete(id);
    kept.set(id, what);
    if (kept.size > most) kept.delete(kept.keys().next().value);
  }

  /** What is known of a session's row: `{customer, last_message}`, each null if it is not. */
  function about({ id, customer_id: customerId }) {
    return { customer: customers.get(customerId) ?? null, last_message: messages.get(id) ?? null };
  }

  return { take, about };
}
