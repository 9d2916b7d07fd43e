// Prints random webhooks, signed by Twilio's own Node library, as JSON lines.
//
//     node twilio_signatures.js [count] [seed]
//
// The same seed prints the same lines. Each is {method, url, content_type, body, signature, token}.

"use strict";

const querystring = require("querystring");
const twilio = require("twilio");
const { version } = require("twilio/package.json");
const { getExpectedTwilioSignature, getExpectedBodyHash } = require("twilio/lib/webhooks/webhooks");

const assert = (holds, what) => {
  if (!holds) throw new Error(what);
};
assert(version === "6.2.0", `twilio ${version} is installed, not 6.2.0`);

const COUNT = Number(process.argv[2] ?? 1000);
const SEED = Number(process.argv[3] ?? Math.floor(Math.random() * 2 ** 32));
console.error(`seed ${SEED}`);

// mulberry32: small, seeded, good enough to pick pieces with.
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const random = generator(SEED);
const below = (limit) => Math.floor(random() * limit);
const pick = (list) => list[below(list.length)];
const times = (count, make) => Array.from({ length: count }, make);

const FORM = "application/x-www-form-urlencoded";
const NAMES = [
  "AccountSid", "ApiVersion", "Body", "From", "FromCity", "FromZip", "MessageSid", "MessageStatus", "NumMedia",
  "NumSegments", "SmsSid", "To", "ToCity", "ToZip", "body", "Digits", "Messaging.Address", "A", "AA", "Ünïcode",
];
// Nothing from U+E000 to U+FFFF: JavaScript sorts by UTF-16 units, and would put it behind emoji, which bytes do not.
const PIECES = [
  "a", "Z", "7", " ", "  ", "+", "%", "%20", "%C3", "&", "=", "?", "#", "'", '"', "<", "\\", "/", "\n", "\r\n", "\t",
  "é", "ß", "€", "中文", "短信", "😀", "👩‍💻", "e\u0301", "שלום", "\u200f", "हिन्दी", "~", "*", "(", ".", "-", "_", "\0", "\x7f",
];

const text = (most) => times(below(most + 1), () => pick(PIECES)).join("");

// Any of the spellings that decode to the same text.
function encode(value) {
  const spellings = [
    () => encodeURIComponent(value),
    () => encodeURIComponent(value).replaceAll("%20", "+"),
    () => new URLSearchParams([["", value]]).toString().slice(1),
    () => [...Buffer.from(value)].map((byte) => "%" + byte.toString(16).padStart(2, "0")).join(""),
  ];
  return pick(spellings)();
}

function shuffled(list) {
  const left = [...list];
  return times(left.length, () => left.splice(below(left.length), 1)[0]);
}

function randomParams() {
  const params = {};
  for (const name of shuffled(NAMES).slice(0, below(13))) {
    const values = times(pick([1, 1, 1, 1, 2, 3]), () => text(8));
    if (random() < 0.3) values.push(values[0]);
    params[name] = values.length === 1 ? values[0] : values;
  }
  return params;
}

function bodyOf(params) {
  const pairs = Object.entries(params).flatMap(([name, values]) => [values].flat().map((value) => [name, value]));
  return shuffled(pairs).map(([name, value]) => `${encode(name)}=${encode(value)}`).join("&");
}

function webhook() {
  const token = times(32, () => pick([..."0123456789abcdef"])).join("");
  const scheme = pick(["https", "https", "http"]);
  const user = pick(["", "", "user@", "user:pass@"]);
  const host = pick(["gw.example.com", "10.0.0.7", "a.b.example", "[2001:db8::7]"]);
  const port = pick(["", "", ":8443"]);
  const standard = scheme === "https" ? ":443" : ":80";
  const segments = times(below(5), () => pick(["v1", "receive", "twilio", "status", "%C3%A9", "a-b", "it's"]));
  const path = "/" + segments.join("/") + (segments.length ? pick(["", "/"]) : "");
  const query = times(pick([0, 0, 1, 2, 3]), () => `${encodeURIComponent(pick(NAMES))}=${encodeURIComponent(text(4))}`);

  const kind = below(10);
  let [method, contentType, params, body] = ["POST", FORM, randomParams(), ""];
  if (kind === 0) {
    [method, params] = ["GET", {}];
  } else if (kind === 1) {
    [contentType, params, body] = ["application/json", {}, JSON.stringify({ [text(3)]: text(8) })];
    query.push(`bodySHA256=${getExpectedBodyHash(body)}`);
  } else {
    body = bodyOf(params);
  }
  const at = (port) => `${scheme}://${user}${host}${port}${path}` + (query.length ? `?${query.join("&")}` : "");
  const url = at(pick([port, port || standard]));
  let signedUrl = at(pick(["", port || standard]));
  const spelling = below(10);
  if (spelling === 0) {
    // What browsers make of it: `'` in a query becomes %27.
    signedUrl = signedUrl.includes(":443/") || signedUrl.includes(":80/") ? signedUrl : new URL(signedUrl).toString();
  } else if (spelling === 1 && kind !== 1 && query.length && new Set(query.map((q) => q.split("=")[0])).size === query.length) {
    // The query taken apart and put together again. (Repeated names would be moved.)
    const [before] = new URL(at("")).toString().split("?");
    signedUrl = before + "?" + querystring.stringify(querystring.parse(query.join("&")));
  }
  const signature = getExpectedTwilioSignature(token, signedUrl, params);
  const believed = kind === 1
    ? twilio.validateRequestWithBody(token, signature, url, body)
    : twilio.validateRequest(token, signature, url, params);
  assert(believed, `the library does not believe itself: ${url} signed as ${signedUrl}`);
  return { method, url, content_type: contentType, body, signature, token };
}

for (let index = 0; index < COUNT; index++) console.log(JSON.stringify(webhook()));
