import { existsSync } from 'node:fs';
import { defineConfig } from '@playwright/test';

/** A browser of the system: none is downloaded. */
const candidates = [process.env['FRAMELOOM_BROWSER'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
export const browser = candidates.find((path) => path !== undefined && existsSync(path));
if (!browser) console.log('skipped: no Chromium on this machine; install one or set FRAMELOOM_BROWSER');

export default defineConfig({
  testDir: 'tests',
  testMatch: browser ? '**/*.page.ts' : [],
  fullyParallel: true,
  workers: 2,
  timeout: 240_000,
  expect: { timeout: 30_000 },
  reporter: 'list',
  use: {
    baseURL: 'http://127.0.0.1:5198',
    launchOptions: { executablePath: browser, args: ['--no-sandbox'] },
  },
  webServer: browser
    ? {
        command: 'npx vite --mode fake --port 5198',
        url: 'http://127.0.0.1:5198',
        reuseExistingServer: !process.env['CI'],
        timeout: 120_000,
      }
    : undefined,
});
