// Owns the address: which customer's conversation the URL's hash names.

const THREAD = /^#\/c\/([0-9a-f-]{36})$/i;

/** The customer whose conversation the hash opens; null for the inbox. */
export function customerOf(hash) {
  return THREAD.exec(hash)?.[1].toLowerCase() ?? null;
}

export function hashOf(customerId) {
  return customerId ? `#/c/${customerId}` : '#/';
}

/** Opens a conversation, or with null the inbox. */
export function goTo(customerId) {
  if (location.hash !== hashOf(customerId)) location.hash = hashOf(customerId);
}
