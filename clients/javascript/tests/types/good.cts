// What must compile, as CommonJS.

import switchboard = require('switchboard');
import { Client, NotFoundError, type Message } from 'switchboard';

const CUSTOMER_ID = 'c';

export async function conversation(client: switchboard.Client): Promise<Message> {
  const own = new switchboard.Client({ url: 'http://127.0.0.1:8080', token: 'demo-agent' });
  const other: Client = new Client({ url: 'http://127.0.0.1:8080', token: 'demo-agent' });
  await own.me().catch((error: unknown) => error instanceof NotFoundError && error instanceof switchboard.ProblemError);
  await other.bot.enable();
  const list: switchboard.List<switchboard.Message> = client.messages.list({ CUSTOMER_ID }, 'current');
  const [newest] = await list.toArray(1);
  return newest ?? switchboard.messages.create({ CUSTOMER_ID }, 'current', { content: 'Hey', content_type: 'text' });
}
