// What a client is told once: where the daemon is, who calls, and how patient to be.
'use strict';

const KNOWN = ['url', 'token', 'fetch', 'headers', 'credentials', 'timeoutMs', 'retries', 'backoffMs'];

/** The settings in a caller's words. What is wrong with them is a TypeError, now and not at the first call. */
function settingsOf(options = {}) {
  const unknown = Object.keys(options).find((name) => !KNOWN.includes(name));
  if (unknown) throw new TypeError(`${unknown} is no option of a client; there are ${KNOWN.join(', ')}.`);
  return Object.freeze({
    base: baseOf(options.url ?? originOfPage()),
    token: options.token === undefined ? null : tokenOf(options.token),
    fetch: options.fetch ?? null,
    headers: new Headers(options.headers),
    credentials: options.credentials,
    timeoutMs: amountOf('timeoutMs', options.timeoutMs ?? 60_000),
    retries: amountOf('retries', options.retries ?? 3),
    backoffMs: amountOf('backoffMs', options.backoffMs ?? 250),
  });
}

/** The settings that the environment gives. It is read at each call, so that a program without them may start. */
function settingsOfEnvironment() {
  const env = globalThis.process?.env ?? {};
  const missing = ['SWITCHBOARD_URL', 'SWITCHBOARD_TOKEN'].filter((name) => !env[name]);
  if (missing.length > 0) {
    throw new TypeError(
      `${missing.join(' and ')} must be set in the environment, such as SWITCHBOARD_URL=http://127.0.0.1:8080 ` +
        'and SWITCHBOARD_TOKEN=demo-agent. Or make a client of your own: new Client({ url, token }).',
    );
  }
  return settingsOf({ url: env.SWITCHBOARD_URL, token: env.SWITCHBOARD_TOKEN });
}

/** In a page that the daemon serves, the daemon is where the page is from. */
function originOfPage() {
  if (globalThis.location?.origin) return globalThis.location.origin;
  throw new TypeError('url must say where the daemon is, such as http://127.0.0.1:8080.');
}

/** Without a slash at its end, so that paths can follow. A proxy may have the daemon below a path of its own. */
function baseOf(url) {
  let parsed;
  try {
    parsed = new URL(url, globalThis.location?.href);
  } catch {
    throw new TypeError(`url must be a URL such as http://127.0.0.1:8080, and is ${JSON.stringify(String(url))}.`);
  }
  if (!/^https?:$/.test(parsed.protocol)) throw new TypeError('url must begin with http:// or https://.');
  if (parsed.username || parsed.password) throw new TypeError('url must be without a password; pass a token.');
  return parsed.origin + parsed.pathname.replace(/\/+$/, '');
}

/** A token read from a file has its line's end with it. What is wrong is told without the token. */
function tokenOf(token, name = 'token') {
  const trimmed = typeof token === 'string' ? token.trim() : '';
  if (!/^[\x21-\x7e]+$/.test(trimmed)) throw new TypeError(`${name} must be a string of visible ASCII characters.`);
  return trimmed;
}

function amountOf(name, value) {
  if (typeof value !== 'number' || !(value >= 0)) throw new TypeError(`${name} must be a number, 0 or more.`);
  return value;
}

module.exports = { settingsOf, settingsOfEnvironment, tokenOf, amountOf };
