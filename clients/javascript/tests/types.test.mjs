// The types: what is right compiles, what is wrong does not, and all that is there at run time is there in them.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import switchboard from 'switchboard';

const here = fileURLToPath(new URL('types/', import.meta.url));
const read = (path) => readFileSync(new URL(path, import.meta.url), 'utf8');

function compiler() {
  try {
    return createRequire(import.meta.url).resolve('typescript/bin/tsc');
  } catch (cause) {
    throw new Error('the types are checked by TypeScript: run `npm ci` in clients/javascript', { cause });
  }
}

/** What the compiler has to say: `file:line` and its words. */
async function complaints() {
  const tsc = compiler();
  const output = await new Promise((resolve) => {
    execFile(process.execPath, [tsc, '--project', here, '--pretty', 'false'], { cwd: here }, (_, stdout) =>
      resolve(stdout),
    );
  });
  return [...output.matchAll(/^(.+?)\((\d+),\d+\): error (.*)$/gm)].map(([, file, line, words]) => [
    `${file}:${line}`,
    words,
  ]);
}

test('what is right compiles, and each line that is wrong does not', async () => {
  const found = await complaints();
  const wrong = ['wrong.mts', 'wrong.cts'].flatMap((file) =>
    read(`types/${file}`)
      .split('\n')
      .flatMap((line, place) => (line.endsWith('// wrong') ? [`${file}:${place + 1}`] : [])),
  );
  assert.ok(wrong.length > 15);
  const unexpected = found.filter(([place]) => !wrong.includes(place));
  assert.deepEqual(unexpected, []);
  assert.deepEqual(
    wrong.filter((place) => !found.some(([at]) => at === place)),
    [],
  );
});

/** What the files under types/ declare for others. */
function declared(kinds) {
  const files = readdirSync(new URL('../types', import.meta.url));
  const pattern = new RegExp(`^export (?:${kinds}) (\\w+)`, 'gm');
  return new Set(files.flatMap((file) => [...read(`../types/${file}`).matchAll(pattern)].map(([, name]) => name)));
}

test('every class is there at run time, and none that has no type', () => {
  const classes = Object.keys(switchboard).filter((name) => typeof switchboard[name] === 'function');
  assert.deepEqual([...declared('class')].sort(), classes.sort());
});

test('every type can be had from CommonJS, too', () => {
  const again = [...read('../index.d.ts').matchAll(/^ {2}type (\w+)/gm)].map(([, name]) => name);
  assert.deepEqual(again, [...declared('class|interface|type')].sort());
});

test('every method is in the types, and none that is not there', () => {
  const source = read('../types/client.d.ts');
  for (const [, part, type] of source.matchAll(/^ {2}readonly (\w+): (\w+);/gm)) {
    if (part === 'events') continue;
    const body = new RegExp(`^export interface ${type} \\{([^]*?)^\\}`, 'm').exec(source)[1];
    const typed = [...body.matchAll(/^ {2}(\w+)\(/gm)].map(([, name]) => name);
    const methods = Object.getOwnPropertyNames(Object.getPrototypeOf(switchboard[part])).filter(
      (name) => name !== 'constructor',
    );
    assert.deepEqual(typed.sort(), methods.sort(), part);
  }
});
