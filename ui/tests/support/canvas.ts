/** What the tests of the canvas have in common: the page with the fake behind it, cards, ports and what was called. */
import { expect, type Page } from '@playwright/test';

/** Opens the canvas; gives the errors of the page as they come. */
export async function open(page: Page, options: Record<string, string> = {}) {
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await page.goto(`/?${new URLSearchParams({ language: 'en', theme: 'dark', tick: '20', step: '60', ...options })}`);
  await page.locator('[data-place=canvas]').click();
  await expect(card(page, /Source|Nguồn/)).toBeVisible();
  return errors;
}

/** A card by what is written on it. */
export const card = (page: Page, name: RegExp | string) => page.locator('.svelte-flow__node-card').filter({ hasText: name });
export const port = (page: Page, name: RegExp, of: RegExp | string) => card(page, of).getByRole('button', { name });
/** Calls of the door that begin so. */
export const calls = (page: Page, what: string) =>
  page.evaluate((what) => (window as unknown as { fakeIpc: { calls: string[] } }).fakeIpc.calls.filter((call) => call.startsWith(what)), what);

export async function middle(locator: ReturnType<typeof port>) {
  const box = await locator.boundingBox();
  if (!box) throw new Error('it is not drawn');
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

export async function pull(page: Page, from: { x: number; y: number }, to: { x: number; y: number }) {
  await page.mouse.move(from.x, from.y);
  await page.mouse.down();
  await page.mouse.move((from.x + to.x) / 2, (from.y + to.y) / 2, { steps: 4 });
  await page.mouse.move(to.x, to.y, { steps: 4 });
  await page.mouse.up();
}

/** The graph that was submitted last. */
export async function submitted(page: Page) {
  await expect.poll(async () => (await calls(page, 'submitGraph')).length).toBeGreaterThan(0);
  const last = (await calls(page, 'submitGraph')).at(-1) ?? '';
  return JSON.parse(last.replace('submitGraph ', '')) as {
    graph: { nodes: { op: string; params?: object }[]; edges: { from: string; to: string }[] };
    inputs: Record<string, string>;
    output: string;
  };
}
