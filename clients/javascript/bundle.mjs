// Writes client.mjs: index.js and all that it requires, word for word, as one ES module for browsers. To be run after a
// change: `node bundle.mjs`. A test says if it was forgotten.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import switchboard from './index.js';

const target = new URL('client.mjs', import.meta.url);

/** A file as a function, as Node wraps it. */
function wrapped(name) {
  const source = readFileSync(new URL(name, import.meta.url), 'utf8').trimEnd();
  return `files['${name.split('/').at(-1)}'] = (module, require) => {\n${source}\n};\n`;
}

/** What client.mjs has to say. */
export function bundle() {
  const sources = readdirSync(new URL('src', import.meta.url))
    .sort()
    .map((name) => `src/${name}`);
  // What stands beside the parts of the client itself: its classes.
  const named = Object.keys(switchboard)
    .filter((name) => typeof switchboard[name] === 'function')
    .sort();
  return `// The JavaScript client in one ES module, for browsers. Made by bundle.mjs from src/ and index.js: change these.

const files = {};
const loaded = {};

/** Each file is evaluated once, when it is first required. */
function load(path) {
  const name = path.split('/').at(-1);
  if (!(name in loaded)) {
    const module = { exports: {} };
    files[name](module, load);
    loaded[name] = module.exports;
  }
  return loaded[name];
}

${[...sources, 'index.js'].map(wrapped).join('\n')}
const switchboard = load('./index.js');
export default switchboard;
export const {
${named.map((name) => `  ${name},\n`).join('')}} = switchboard;
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(target, bundle());
