// The way in and out, and what the browser is trusted with.

import { expect, signIn, test } from '../fixture/test.js';
import { status } from '../fixture/guard.js';
import * as at from '../fixture/console.js';

const ADA = '+14155550101';
const COOKIE = 'switchboard_console';

test('a wrong token, no token and a bot’s are refused in words', async ({ open, guard }) => {
  guard.allow(status(401), status(403));
  const page = await open('/console');
  await at.button(page, 'Sign in').click();
  await expect(page.getByRole('alert')).toHaveText('Enter your access token.');
  await page.getByLabel('Access token').fill('wrong');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('alert')).toHaveText('This token is unknown or has been revoked.');
  await expect(page.getByLabel('Access token')).toBeFocused();
  await page.getByLabel('Access token').fill('demo-bot');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('alert')).toContainText('This token belongs to a bot.');
  await signIn(page, 'demo-agent');
});

test('who is signed in stays so over a reload, and not after signing out', async ({ agentAt }) => {
  const page = await agentAt();
  await page.reload();
  await expect(page.locator('.desk')).toHaveAttribute('data-connection', 'open');
  await at.button(page, 'Settings').click();
  await expect(at.dialog(page, 'Settings')).toContainText('Signed in as demo-agent');
  await at.button(page, 'Sign out').click();
  await expect(page.getByLabel('Access token')).toBeFocused();
  expect(await page.context().cookies()).toEqual([]);
  await page.reload();
  await expect(page.getByLabel('Access token')).toBeVisible();
});

// A token is revoked while the call is on its way: a moment before that the page might hear of it by itself.
function revokedOnTheWay(daemon, id) {
  return async (route) => {
    await daemon.call('DELETE', `/v1/tokens/${id}`);
    await route.continue();
  };
}

test('a revoked token leads back to the way in, and what was typed is there after it', async ({
  agentAt,
  people,
  daemon,
  guard,
}) => {
  guard.allow(status(401), /net::ERR_/);
  await people.writer(ADA, 'Ada Lovelace', 'Hello?');
  const { id, secret } = await people.agent('kim');
  const page = await agentAt({ token: secret });
  await at.openRow(page, /Ada Lovelace/);
  await at.composer(page).fill('a long answer');
  await page.route('**/sessions/current/messages', revokedOnTheWay(daemon, id), { times: 1 });
  await at.sendButton(page).click();
  await expect(page.getByText('You were signed out. What you typed is kept')).toBeVisible();

  await signIn(page, 'demo-agent');
  await at.openRow(page, /Ada Lovelace/);
  const kept = at.composer(page).or(at.message(page, 'a long answer'));
  await expect(kept.first()).toBeVisible();
  await at.button(page, 'Put it back to write').click();
  await expect(at.composer(page)).toHaveValue('a long answer');
});

test('a draft outlives a token that was revoked while one wrote', async ({ agentAt, people, daemon, guard }) => {
  guard.allow(status(401), /net::ERR_/);
  await people.writer(ADA, 'Ada Lovelace', 'Hello?');
  const { id, secret } = await people.agent('kim');
  const page = await agentAt({ token: secret });
  await at.openRow(page, /Ada Lovelace/);
  await at.composer(page).fill('not yet sent');
  await page.route('**/sessions/current/assign', revokedOnTheWay(daemon, id), { times: 1 });
  await at.button(page, 'Assign to me').click();
  await expect(page.getByText('You were signed out. What you typed is kept')).toBeVisible();
  await signIn(page, 'demo-agent');
  await expect(at.composer(page)).toHaveValue('not yet sent');
});

test('scripts cannot read the cookie, other sites cannot send it, and it holds only with the console’s header', async ({
  agentAt,
  daemon,
}) => {
  const page = await agentAt();
  const cookie = (await page.context().cookies()).find(({ name }) => name === COOKIE);
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/' });
  expect(await page.evaluate(() => document.cookie)).toBe('');
  expect(cookie.value).not.toContain('demo-agent');

  const as = (headers) =>
    fetch(`${daemon.url}/v1/me`, { headers: { cookie: `${COOKIE}=${cookie.value}`, ...headers } });
  expect((await as({})).status).toBe(401);
  expect((await as({ 'x-requested-with': 'XMLHttpRequest' })).status).toBe(401);
  expect((await as({ 'x-requested-with': 'switchboard-console' })).status).toBe(200);

  // A form of another site could send a POST, but not that header.
  const forged = await fetch(`${daemon.url}/console/session`, {
    method: 'POST',
    headers: { 'content-type': 'text/plain', origin: 'https://evil.example' },
    body: JSON.stringify({ token: 'demo-agent' }),
  });
  expect(forged.ok).toBe(false);
  expect(forged.headers.get('set-cookie')).toBeNull();
});

test('no token is kept where scripts can read it', async ({ agentAt }) => {
  const page = await agentAt();
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, location.href]));
  expect(kept).not.toContain('demo-agent');
});
