import { existsSync } from 'node:fs';
import { defineConfig } from '@playwright/test';

/** A browser of the system: none is downloaded. */
const candidates = [process.env['FRAMELOOM_BROWSER'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
export const browser = candidates.find((path) => path !== undefined && existsSync(path));
if (!browser) console.log('skipped: no Chromium on this machine; install one or set FRAMELOOM_BROWSER');

// A port of its own for each run: two runs on one machine must not share a server that one of them
// ends. Workers read this file again and inherit the number.
const port = (process.env['FRAMELOOM_PAGE_PORT'] ??= String(20_000 + (process.pid % 20_000)));

export default defineConfig({
  testDir: 'tests',
  testMatch: browser ? '**/*.page.ts' : [],
  fullyParallel: true,
  workers: 2,
  timeout: 240_000,
  expect: { timeout: 30_000 },
  reporter: 'list',
  use: {
    baseURL: `http://127.0.0.1:${port}`,
    launchOptions: { executablePath: browser, args: ['--no-sandbox'] },
  },
  webServer: browser
    ? {
        command: `npx vite --mode fake --port ${port}`,
        url: `http://127.0.0.1:${port}`,
        reuseExistingServer: false,
        timeout: 120_000,
      }
    : undefined,
});
