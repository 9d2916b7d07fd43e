// Owns what was typed and not sent: one draft per customer, kept over a reload and a signing in, in this tab only.

const PREFIX = 'switchboard draft ';

/** `storage` is the tab's. */
export function createDrafts(storage = tabStorage()) {
  return {
    read: (customerId) => storage.getItem(PREFIX + customerId) ?? '',
    write(customerId, text) {
      if (text) storage.setItem(PREFIX + customerId, text);
      else storage.removeItem(PREFIX + customerId);
    },
  };
}

/** What is kept in it outlives a reload; where a browser has none, it lives as long as the page. */
export function tabStorage() {
  try {
    sessionStorage.setItem(`${PREFIX}?`, '');
    sessionStorage.removeItem(`${PREFIX}?`);
    return sessionStorage;
  } catch {
    return memoryStorage();
  }
}

/** The same, without a browser. */
export function memoryStorage() {
  const kept = new Map();
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, String(value)),
    removeItem: (key) => void kept.delete(key),
  };
}
