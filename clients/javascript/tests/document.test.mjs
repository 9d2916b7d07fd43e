// The client beside the API's own document: each call is there, and each field has its type.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { Client } from 'switchboard';
import ts from 'typescript';

const api = JSON.parse(readFileSync(new URL('../../../tests/fixtures/openapi.json', import.meta.url), 'utf8'));

/** Not for clients: what providers call, what operators do, and other ways to say the same. */
const NOT_OURS = [
  /^\w+ (?!\/v1\/)/,
  /^\w+ \/v1\/receive\//,
  /^GET \/v1\/export$/,
  /^POST \/v1\/customers\/ID\/sessions\/ID$/,
  /^PATCH \/v1\/customers\/ID\/sessions\/ID\/messages$/,
];

const CALLS = [
  (client) => client.me(),
  (client) => client.bot.enable(),
  (client) => client.bot.replay('ID'),
  (client) => client.bot.reply('ID', 'token', {}),
  (client) => client.bot.status(),
  (client) => client.bot.turn('ID'),
  (client) => client.bot.turns({ failed: true, limit: 1, cursor: 'x' }).page(),
  (client) => client.cannedReplies.list().page(),
  (client) => client.channels.recover('ID'),
  (client) => client.customers.confirm('ID', {}),
  (client) => client.customers.create({}),
  (client) => client.customers.erase('ID'),
  (client) => client.customers.generateConfirmation('ID'),
  (client) => client.customers.list({ phone_number: '+1', limit: 1, cursor: 'x' }).page(),
  (client) => client.customers.retrieve('ID'),
  (client) => client.customers.search('ada').page(),
  (client) => client.customers.sendConfirmation('ID'),
  (client) => client.customers.subscribe('ID'),
  (client) => client.customers.unsubscribe('ID'),
  (client) => client.customers.update('ID', {}),
  (client) => client.events.subscribe({ types: ['*'], customerId: 'ID', sessionId: 'ID' }).done.catch(() => {}),
  (client) => client.messages.cancel('ID'),
  (client) => client.messages.create('ID', 'ID', {}),
  (client) => client.messages.delivery('ID'),
  (client) => client.messages.list('ID', 'ID', { expand: 'x', limit: 1, cursor: 'x' }).page(),
  (client) => client.messages.listHeld({ expand: 'x', limit: 1, cursor: 'x' }).page(),
  (client) => client.messages.resend('ID'),
  (client) => client.messages.retrieve('ID', { expand: 'x' }),
  (client) => client.sessions.assign('ID', 'ID'),
  (client) => client.sessions.inbox({ need_attention: true, tag: 'x', topic: 'x', assignee: 'me', expand: 'x' }).page(),
  (client) => client.sessions.inbox({ limit: 1, cursor: 'x' }).page(),
  (client) => client.sessions.list('ID', { expand: 'x', limit: 1, cursor: 'x' }).page(),
  (client) => client.sessions.retrieve('ID', 'ID', { expand: 'x' }),
  (client) => client.sessions.typing('ID', 'ID'),
  (client) => client.sessions.update('ID', 'ID', {}),
  (client) => client.suggestedMessages.use('ID'),
  (client) => client.tokens.list().page(),
  (client) => client.tokens.mint({}),
  (client) => client.tokens.revoke('ID'),
  (client) => client.webhooks.deliveries('ID', { dead: true, limit: 1, cursor: 'x' }).page(),
  (client) => client.webhooks.enable('ID'),
  (client) => client.webhooks.list().page(),
  (client) => client.webhooks.replay('ID', 'ID'),
];

test('each call of the document is made by a method, with each of its parameters, and no method makes another', async () => {
  const made = new Map();
  const watching = async (address, { method }) => {
    const { pathname, searchParams } = new URL(address);
    const call = `${method} ${pathname}`;
    made.set(call, new Set([...(made.get(call) ?? []), ...searchParams.keys()]));
    return new Response('[]');
  };
  const client = new Client({ url: 'http://127.0.0.1:8080', fetch: watching });
  for (const call of CALLS) await call(client);

  const documented = new Map();
  for (const [path, operations] of Object.entries(api.paths)) {
    for (const [method, { parameters = [] }] of Object.entries(operations)) {
      const call = `${method.toUpperCase()} ${path.replace(/\{\w+\}/g, 'ID')}`;
      // The subscription has its own way to say after which event it begins: the header.
      const names = parameters.filter((each) => each.in === 'query' && each.name !== 'last_event_id');
      if (!NOT_OURS.some((other) => other.test(call))) documented.set(call, new Set(names.map(({ name }) => name)));
    }
  }
  const lines = (calls) => [...calls].map(([call, names]) => `${call} ${[...names].sort()}`).sort();
  assert.deepEqual(lines(made), lines(documented));
});

/** What the types call by another name. */
const NAMES = { TurnReplied: 'BotReply' };

/** Not of clients, or written where they are taken; and what a bot answers, of which the types are stricter. */
const NOT_NAMED = [
  /^(Health|Readiness|Checks|BotEvent\w*)$/,
  /^(Confirmation|Recover|TypingNow|Problem|Event)$/,
  /^(TurnReply|Reply\w+)$/,
];

/** `name`, `name?` where it may be left out, `name|null` where it may be null. */
const field = (name, optional, nullable) => `${name}${optional ? '?' : ''}${nullable ? '|null' : ''}`;

function documentedFields({ properties, required = [] }) {
  return Object.entries(properties).map(([name, { type, oneOf = [] }]) => {
    const nullable = [type].flat().includes('null') || oneOf.some((each) => each.type === 'null');
    return field(name, !required.includes(name), nullable);
  });
}

/** The fields of each type, as the compiler has them. */
function typedFields() {
  const file = fileURLToPath(new URL('../types/all.d.ts', import.meta.url));
  const program = ts.createProgram([file], { strict: true, noLib: true });
  const checker = program.getTypeChecker();
  const all = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(file)));
  return new Map(all.map((symbol) => [symbol.name, fieldsOf(checker, symbol)]));
}

function fieldsOf(checker, symbol) {
  return checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol)).map((property) => {
    const type = checker.getTypeOfSymbol(property);
    const parts = type.isUnion() ? type.types : [type];
    const nullable = parts.some((part) => part.flags & ts.TypeFlags.Null);
    return field(property.name, Boolean(property.flags & ts.SymbolFlags.Optional), nullable);
  });
}

test('each object of the document has a type with the same fields, and the same of them may be missing or null', () => {
  const typed = typedFields();
  const named = Object.entries(api.components.schemas).filter(([name]) => !NOT_NAMED.some((not) => not.test(name)));
  assert.ok(named.length > 20);
  for (const [name, schema] of named) {
    assert.deepEqual(typed.get(NAMES[name] ?? name)?.sort(), documentedFields(schema).sort(), name);
  }
});
