// Runs Twilio's Node client against the simulator: simulator_client.js BASE_URL ACCOUNT_SID AUTH_TOKEN FROM [SERVICE].
// Prints `ok`, or fails with what was not as expected.

"use strict";

const assert = require("node:assert");
const crypto = require("node:crypto");
const twilio = require("twilio");

assert.strictEqual(require("twilio/package.json").version, "6.2.0");

const DAY_MS = 24 * 3600 * 1000;

// The client's own transport, with another host.
class Redirected extends twilio.RequestClient {
  constructor(base) {
    super();
    this.base = base.replace(/\/$/, "");
  }

  request(options) {
    assert.ok(options.uri.startsWith("https://api.twilio.com/"), options.uri);
    return super.request({ ...options, uri: options.uri.replace("https://api.twilio.com", this.base) });
  }
}

async function main(base, account, token, from, service) {
  const client = twilio(account, token, { httpClient: new Redirected(base) });
  const to = `+1415555${crypto.randomInt(2000, 3000)}`;
  const body = `hello ${crypto.randomUUID()}`;
  const now = Date.now();

  const sent = await client.messages.create({ to, from, body });
  assert.match(sent.sid, /^SM[0-9a-f]{32}$/);
  assert.deepStrictEqual([sent.status, sent.direction, sent.numSegments], ["queued", "outbound-api", "1"]);
  assert.ok(!Number.isNaN(sent.dateCreated.getTime()));

  const fetched = await client.messages(sent.sid).fetch();
  assert.deepStrictEqual([fetched.sid, fetched.body, fetched.to, fetched.from], [sent.sid, body, to, from]);

  for (let more = 0; more < 3; more += 1) await client.messages.create({ to, from, body });
  const dates = { dateSentAfter: new Date(now - DAY_MS), dateSentBefore: new Date(now + DAY_MS) };
  const listed = await client.messages.list({ to, from, ...dates, pageSize: 2 });
  const mine = listed.filter((text) => text.body === body).map((text) => text.sid);
  assert.ok(mine.length === 4 && mine.at(-1) === sent.sid, `all four, newest first: ${mine}`);
  assert.deepStrictEqual(await client.messages.list({ to, dateSentAfter: new Date(now + 2 * DAY_MS) }), []);
  assert.strictEqual((await client.api.v2010.accounts(account).fetch()).status, "active");

  await assert.rejects(client.messages.create({ to: "+15005550001", from, body }), { code: 21211, status: 400 });
  await assert.rejects(client.messages(sent.sid).update({ status: "canceled" }), { code: 30409 });
  await assert.rejects(client.messages(`SM${"0".repeat(32)}`).fetch(), { code: 20404, status: 404 });
  const wrong = twilio(account, "wrong", { httpClient: new Redirected(base) });
  await assert.rejects(wrong.messages.list({ limit: 1 }), { code: 20003, status: 401 });

  if (service) {
    const sendAt = new Date(now + 3600 * 1000);
    const schedule = { scheduleType: "fixed", sendAt };
    const scheduled = await client.messages.create({ to, messagingServiceSid: service, body, ...schedule });
    assert.deepStrictEqual([scheduled.status, scheduled.from], ["scheduled", null]);
    assert.strictEqual((await client.messages(scheduled.sid).update({ status: "canceled" })).status, "canceled");
    assert.strictEqual((await client.messages(scheduled.sid).update({ body: "" })).body, "");
    assert.ok(await client.messages(scheduled.sid).remove());
  }
  console.log("ok");
}

main(...process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exit(1);
});
