// Writes ../fixtures/segments.json with the verdicts of Twilio's own segment calculator
// (sms-segments-calculator, encoding "auto", smart encoding off).
//
//     npm install && npm run segments
//
// The same seed writes the same bytes. A text is stored as pieces `[text, times]`, to keep the file small.

"use strict";

const fs = require("fs");
const path = require("path");
const { SegmentedMessage } = require("sms-segments-calculator");

const SEED = 20261121;
const TARGET = path.join(__dirname, "..", "fixtures", "segments.json");

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

const POOLS = {
  gsm: ["a", "Z", "7", " ", "@", "\n", "\r\n", "é", "ß", "Ω", "ñ", "_"],
  extension: ["€", "{", "}", "[", "]", "~", "|", "\\", "^", "\f"],
  ucs: ["ç", "`", "“", "”", "—", "\u00a0", "\t", "á", "я", "ş", "\u0000"],
  cjk: ["中", "文", "短", "信", "日", "ひ", "カ", "、", "\u{20000}"],
  korean: ["한", "글", "\u1112\u1161\u11ab"],
  hindi: ["क", "ि", "्", "ष", "न", "म", "स", "ते", "क्ष"],
  thai: ["ส", "วั", "ดี", "ำ", "ก้"],
  arabic: ["م", "ر", "حَ", "ب", "ا", "\u200f"],
  combining: ["e\u0301", "a\u0308\u0304", "n\u0303", "o\u0302\u0301"],
  emoji: ["😀", "🚀", "❤️", "👍🏽", "👨‍👩‍👧‍👦", "👩‍💻", "🏳️‍🌈", "1️⃣", "🇩🇪", "🇫🇷", "👋"],
};

const MIXES = [
  ["gsm"],
  ["gsm", "extension"],
  ["extension"],
  ["gsm", "ucs"],
  ["gsm", "extension", "ucs"],
  ["cjk"],
  ["cjk", "gsm", "extension"],
  ["korean"],
  ["hindi"],
  ["hindi", "gsm"],
  ["thai"],
  ["arabic", "gsm"],
  ["combining"],
  ["combining", "gsm", "extension"],
  ["emoji"],
  ["emoji", "gsm"],
  ["emoji", "cjk", "extension"],
];

// Where one more unit may cost one more part.
const GSM_EDGES = [160, 153, 306, 459, 1600];
const UCS_EDGES = [70, 67, 134, 201, 1600];

const expand = (pieces) => pieces.map(([text, times]) => text.repeat(times)).join("");

function edgeRow() {
  const unicode = random() < 0.5;
  const edge = pick(unicode ? UCS_EDGES : GSM_EDGES);
  const filler = unicode ? pick(POOLS.cjk.slice(0, 6)) : pick(["a", "0", " ", "é"]);
  const special = pick(unicode ? [...POOLS.emoji, ...POOLS.combining, ...POOLS.hindi, "€", "\r\n"] : POOLS.extension);
  const count = 1 + below(3);
  const before = Math.max(0, edge - below(6) - special.length * count);
  return [[filler, before], [special, count], [filler, below(170)]];
}

function mixedRow() {
  const pools = pick(MIXES).map((name) => POOLS[name]);
  const length = below(random() < 0.2 ? 330 : 110);
  const pieces = [];
  for (let used = 0; used < length; ) {
    const text = pick(pick(pools));
    const times = random() < 0.15 ? 1 + below(40) : 1;
    pieces.push([text, times]);
    used += text.length * times;
  }
  return pieces;
}

function fixedRows() {
  const rows = [[]];
  for (const [text, edges] of [["a", [160, 153]], ["€", [80, 76]], ["中", [70, 67]], ["😀", [35, 33]]]) {
    for (const edge of edges) {
      for (const parts of [1, 2, 3]) {
        for (const step of [-1, 0, 1]) rows.push([[text, edge * parts + step]]);
      }
    }
  }
  rows.push([["a", 152], ["€", 1], ["a", 10]], [["a", 1600]], [["中", 1600]], [["it’s", 1]], [["`", 1]]);
  rows.push([["👨‍👩‍👧‍👦", 1]], [["👨‍👩‍👧‍👦", 7]], [["中", 60], ["👨‍👩‍👧‍👦", 1]], [["\r\n", 80]], [["\r\n", 81]]);
  rows.push([["中", 66], ["\r\n", 1], ["中", 20]], [["🇩🇪", 40]], [["🇩", 75]]);
  return rows;
}

function judge(pieces) {
  const text = expand(pieces);
  const message = new SegmentedMessage(text, "auto", false);
  const encoding = message.getEncodingName();
  // In UCS-2 the calculator's own character count is of grapheme clusters; what travels is UTF-16 code units.
  const units = encoding === "GSM-7" ? message.numberOfCharacters : text.length;
  return { pieces, encoding, units, segments: message.segmentsCount };
}

function alphabet() {
  const basic = [];
  const extension = [];
  for (let code = 0; code <= 0xffff; code += 1) {
    if (code >= 0xd800 && code <= 0xdfff) continue;
    const message = new SegmentedMessage(String.fromCharCode(code), "auto", false);
    if (message.getEncodingName() !== "GSM-7") continue;
    (message.numberOfCharacters === 1 ? basic : extension).push(code);
  }
  return { basic, extension };
}

function main() {
  const pieces = fixedRows();
  while (pieces.length < 260) pieces.push(edgeRow());
  while (pieces.length < 420) pieces.push(mixedRow());
  const rows = pieces.map((row) => JSON.stringify(judge(row)));
  const { basic, extension } = alphabet();
  const head = [
    `"oracle": "sms-segments-calculator 1.3.0, encoding auto, smart encoding off"`,
    `"seed": ${SEED}`,
    `"basic": ${JSON.stringify(basic)}`,
    `"extension": ${JSON.stringify(extension)}`,
  ];
  fs.writeFileSync(TARGET, `{\n${head.join(",\n")},\n"texts": [\n${rows.join(",\n")}\n]\n}\n`);
}

main();
