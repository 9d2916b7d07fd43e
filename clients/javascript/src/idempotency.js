// The key by which the daemon knows that a call is the same again.
'use strict';

/** A random UUID. `crypto.randomUUID` is missing from pages that came over plain HTTP, and Node 18 has no global
 * `crypto`: the key must differ from all others, but need not be a secret. */
function idempotencyKey() {
  const bytes = new Uint8Array(16);
  if (globalThis.crypto) globalThis.crypto.getRandomValues(bytes);
  else bytes.forEach((_, place) => (bytes[place] = Math.random() * 256));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

module.exports = { idempotencyKey };
