// The package itself: its three entries are one client, and browsers get one file that is up to date.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import switchboard, * as named from 'switchboard';
import * as browsers from 'switchboard/client.mjs';
import { bundle } from '../bundle.mjs';
import required from '../index.js';
import { project } from './fixture/installed.mjs';

const browsersFile = readFileSync(new URL('../client.mjs', import.meta.url), 'utf8');

test('the file for browsers is what bundle.mjs makes of the sources', () => {
  assert.ok(browsersFile === bundle(), 'it is not: run `node bundle.mjs` in clients/javascript');
});

test('the file for browsers needs no other, and nothing that a strict page forbids', () => {
  const code = browsersFile.replace(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, '');
  assert.doesNotMatch(code, /^\s*import\b|\bimport\s*\(|\bfrom '|node:|\beval\b|\bFunction\s*\(|innerHTML/m);
  const paths = [...code.matchAll(/require\('([^']+)'\)/g)].map(([, path]) => path.split('/').at(-1));
  assert.ok(paths.length > 20);
  for (const path of paths) assert.ok(code.includes(`files['${path}'] =`), path);
});

test('each entry has the same names', () => {
  const names = Object.keys(required)
    .filter((name) => typeof required[name] === 'function')
    .sort();
  for (const entry of [named, browsers]) assert.deepEqual(Object.keys(entry).sort(), [...names, 'default'].sort());
});

test('in Node, both ways in lead to the same classes', () => {
  assert.equal(switchboard, required);
  assert.equal(named.ProblemError, required.ProblemError);
});

test('the package is whole as it is installed, required or imported', async (t) => {
  const run = project(t);
  const show = 'console.log(switchboard instanceof switchboard.Client, typeof switchboard.messages.create)';
  assert.equal(await run('a.cjs', `const switchboard = require('switchboard'); ${show}`), 'true function\n');
  assert.equal(
    await run('b.mjs', `import switchboard, { Client } from 'switchboard'; ${show}; new Client({ url: 'http://h' })`),
    'true function\n',
  );
  assert.equal(await run('c.mjs', `import switchboard from 'switchboard/client.mjs'; ${show}`), 'true function\n');
});

test('without its environment, a program starts, and its first call says what is missing', async (t) => {
  const run = project(t);
  const call = `require('switchboard').me().catch((error) => console.log(error.name, error.message))`;
  assert.match(
    await run('a.cjs', call),
    /^TypeError SWITCHBOARD_URL and SWITCHBOARD_TOKEN must be set in the environment/,
  );
  const half = await run('b.cjs', call, { SWITCHBOARD_URL: 'http://127.0.0.1:8080' });
  assert.match(half, /^TypeError SWITCHBOARD_TOKEN must be set/);
});

test('where there is no environment at all, as in a page, the error is the same', async (t) => {
  const run = project(t);
  const source = `
    const { log } = console;
    delete globalThis.process;
    const { default: switchboard } = await import('switchboard/client.mjs');
    await switchboard.me().catch((error) => log(error.message));
  `;
  assert.match(await run('page.mjs', source), /^SWITCHBOARD_URL and SWITCHBOARD_TOKEN must be set/);
});
