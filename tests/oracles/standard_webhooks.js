// Verifies signed webhooks with the `standardwebhooks` library for Node, 1.1.1.
// Reads JSON lines {"secret", "headers": {…}, "body": "…"} and prints `ok` for each, or why not. Their timestamps have
// to be of now: the library takes five minutes of difference.
"use strict";

const assert = require("node:assert");
const readline = require("node:readline");
const { Webhook } = require("standardwebhooks");

assert.strictEqual(require("standardwebhooks/package.json").version, "1.1.1", "pinned to 1.1.1");

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const { secret, headers, body } = JSON.parse(line);
  try {
    new Webhook(secret).verify(body, headers);
    console.log("ok");
  } catch (error) {
    console.log(`refused: ${error}`);
  }
});
