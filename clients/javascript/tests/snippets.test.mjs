// The documented snippets, word for word, in a project that has the package installed.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';

import { Daemon } from './fixture/daemon.mjs';
import { project } from './fixture/installed.mjs';

const snippet = (name) => readFileSync(new URL(`snippets/${name}.js`, import.meta.url), 'utf8');
/** As an ES module has it. Nothing but the first line differs. */
const imported = (source) =>
  source.replace("const switchboard = require('switchboard');", "import switchboard from 'switchboard';");

describe('a project of its own', { concurrency: true }, () => {
  for (const [kind, written] of [
    ['cjs', (source) => source],
    ['mjs', imported],
  ]) {
    test(`the snippets take a conversation over and text the customer, as .${kind}`, async (t) => {
      const daemon = await Daemon.start(t, { bot: 'kind = "echo"' });
      const run = project(t);
      await daemon.text('+14155550101', 'Is anybody there?');
      const { id } = await daemon.customer('+14155550101');
      const env = { SWITCHBOARD_URL: daemon.url, SWITCHBOARD_TOKEN: 'agent-secret' };
      const scope = `const CUSTOMER_ID = '${id}';\nconst SESSION_ID = 'current';\n`;

      await run(`sessions.${kind}`, scope + written(snippet('sessions')), env);
      const session = await daemon.client().sessions.retrieve(id, 'current');
      assert.equal(session.need_attention, true);
      assert.deepEqual([session.tags, session.topics], [['mobile'], ['sleep', 'skin+hair']]);

      await run(`messages.${kind}`, scope + written(snippet('messages')), env);
      await daemon.arrived('+14155550101', 'Hey Ho!');
      const [message] = await daemon.client().messages.list(id, 'current', { limit: 1 }).toArray(1);
      assert.deepEqual([message.content, message.content_type, message.sender_role], ['Hey Ho!', 'text', 'agent']);
    });
  }

  test('a snippet that is refused ends its program with the refusal', async (t) => {
    const daemon = await Daemon.start(t);
    const run = project(t);
    const scope = `const CUSTOMER_ID = '018f0000-0000-7000-8000-000000000000';\nconst SESSION_ID = 'current';\n`;
    const env = { SWITCHBOARD_URL: daemon.url, SWITCHBOARD_TOKEN: 'agent-secret' };
    await assert.rejects(run('messages.cjs', scope + snippet('messages'), env), /NotFoundError: 404 not-found/);
  });
});
