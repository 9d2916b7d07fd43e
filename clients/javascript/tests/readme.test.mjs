// Every snippet of README.md, as it stands there.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { Daemon } from './fixture/daemon.mjs';
import { project } from './fixture/installed.mjs';

test('every snippet runs', async (t) => {
  const daemon = await Daemon.start(t, { bot: 'kind = "echo"' });
  const run = project(t);
  const env = { SWITCHBOARD_URL: daemon.url, SWITCHBOARD_TOKEN: 'agent-secret' };
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const snippets = [...readme.matchAll(/```js\n([^]*?)```/g)].map(([, source]) => source);
  assert.equal(snippets.length, 4);
  await daemon.text('+14155550101', 'Is anybody there?');

  const [inbox, client, calls, events] = snippets;
  assert.equal(await run('calls.mjs', calls, env), '');
  await daemon.arrived('+14155550101', 'Hey Ho!');
  assert.equal(await run('inbox.mjs', inbox, env), '+14155550101 waits\n');
  const here = client.replace('http://127.0.0.1:8080', daemon.url).replace('demo-agent', 'agent-secret');
  assert.equal(await run('client.mjs', here), "{ name: 'desk', role: 'agent' }\n");
  const listening = run('events.mjs', events, env);
  let heard = false;
  const heardOf = listening.then((output) => (heard = output));
  for (let count = 0; heard === false; count += 1) {
    await daemon.text('+14155550101', `Still there? ${count}`);
    await Promise.race([heardOf, new Promise((resolve) => setTimeout(resolve, 100))]);
  }
  assert.match(await listening, /^message\.created [0-9a-f-]{36}\n/);
});
