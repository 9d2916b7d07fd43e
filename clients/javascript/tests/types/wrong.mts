// What must not compile: each line that says so, and no other.

import switchboard, { Client, ProblemError } from 'switchboard';

new Client({ url: 'http://h', tokn: 'x' }); // wrong
new Client({ url: 7 }); // wrong
switchboard.messages.create('c', 'current', { content: 'Hey', content_type: 'html' }); // wrong
switchboard.messages.create('c', 'current', { content: 'Hey' }); // wrong
switchboard.messages.create('c', 'current'); // wrong
switchboard.messages.create({ CUSTOMER_ID: 7 }, 'current', { content: 'Hey', content_type: 'text' }); // wrong
switchboard.messages.create(undefined, 'current', { content: 'Hey', content_type: 'text' }); // wrong
switchboard.messages.resend('m', { idempotencyKey: 'k' }); // wrong
switchboard.sessions.update('c', 'current', { needs_attention: true }); // wrong
switchboard.sessions.inbox({ expand: ['customers'] }); // wrong
switchboard.tokens.mint({ name: 'desk', role: 'root' }); // wrong
switchboard.customers.list().then((customers) => customers); // wrong
switchboard.events.subscribe({ types: ['message.craeted'] }); // wrong
switchboard.events.subscribe({ types: ['mail.*'] }); // wrong
const listening = switchboard.events.subscribe({ onEvent: (event) => event.name });
for await (const event of listening) event; // wrong
for await (const event of switchboard.events.subscribe({ types: ['session.*'] })) {
  event.data.tags; // wrong
  if (event.name === 'message.created') event; // wrong
}
const message = await switchboard.messages.retrieve('m');
message.delivered_at.length; // wrong
message.body; // wrong
export const nobody: ProblemError = new Error('x'); // wrong

export {};
