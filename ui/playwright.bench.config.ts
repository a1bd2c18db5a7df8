import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from '@playwright/test';
import pages, { browser } from './playwright.config';

/** As the tests of the page, on pages built as for the product, one measurement at a time. */
const port = process.env['FRAMELOOM_PAGE_PORT'];
const folder = join(tmpdir(), `frameloom-pages-${port}`);

export default defineConfig({
  ...pages,
  testDir: 'bench',
  testMatch: browser ? '**/*.bench.ts' : [],
  fullyParallel: false,
  workers: 1,
  webServer: browser
    ? {
        command: `npx vite build --mode fake --logLevel warn --outDir ${folder} && npx vite preview --outDir ${folder} --port ${port}`,
        url: `http://127.0.0.1:${port}`,
        reuseExistingServer: false,
        timeout: 240_000,
      }
    : undefined,
});
