// Owns how the tests run: which browser, how many at once, and what is kept of those that fail.

import { availableParallelism } from 'node:os';
import { defineConfig } from '@playwright/test';

export default defineConfig({
  testDir: 'rules',
  outputDir: 'results',
  // Each test has a daemon of its own: they only share the processors.
  fullyParallel: true,
  workers: Math.min(4, availableParallelism()),
  retries: 0,
  forbidOnly: true,
  reporter: 'list',
  // Long, for a machine that is slow and busy; what is awaited ends the waiting.
  timeout: 90_000,
  expect: { timeout: 15_000 },
  use: {
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      // The sandbox does not start as root, and a container's /dev/shm is small.
      args: ['--no-sandbox', '--disable-dev-shm-usage'],
    },
    actionTimeout: 15_000,
    navigationTimeout: 15_000,
    locale: 'en-US',
    timezoneId: 'UTC',
    viewport: { width: 1280, height: 800 },
    trace: { mode: 'retain-on-failure', screenshots: false },
    screenshot: 'only-on-failure',
  },
});
