/** Models of the catalogue: agreed to, fetched, given up; and what left the computer by that. */
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';

interface Fake {
  calls: string[];
  chooseFile(): Promise<string | null>;
  fetchPace: { millis: number };
}

async function open(page: Page, options: Record<string, string> = {}) {
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await page.goto(`/?${new URLSearchParams({ language: 'en', theme: 'dark', tick: '20', ...options })}`);
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await page.keyboard.press('Control+6');
  return errors;
}

const calls = (page: Page) => page.evaluate(() => (window as unknown as { fakeIpc: Fake }).fakeIpc.calls);
const choosing = (page: Page, path: string | null) =>
  page.evaluate((chosen) => {
    (window as unknown as { fakeIpc: Fake }).fakeIpc.chooseFile = async () => chosen;
  }, path);

/** Slow enough that a fetch is still under way when it is looked at, on any machine. */
const slowly = (page: Page, millis = 1e9) =>
  page.evaluate((pace) => {
    (window as unknown as { fakeIpc: Fake }).fakeIpc.fetchPace.millis = pace;
  }, millis);

async function check(page: Page) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' | ')}`)).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth)).toBe(false);
}

for (const [theme, language] of [
  ['dark', 'en'],
  ['light', 'vi'],
  ['dark', 'fr'],
] as const) {
  test(`a licence, and what was sent, are free of axe findings: ${theme}, ${language}`, async ({ page }) => {
    await page.setViewportSize({ width: 560, height: 700 });
    await open(page, { theme, language });
    const models = page.locator('.catalogue li');
    await models.last().locator('button').click();
    await expect(page.getByRole('dialog')).toContainText('MIT');
    await check(page);
    await slowly(page, 3000);
    await page.getByRole('dialog').locator('button.primary').click();
    await expect(models.last().locator('progress')).toBeVisible();
    await check(page);
    await slowly(page, 0);
    await expect(models.last().locator('.there')).toBeVisible();
    await page.keyboard.press('Control+7');
    await expect(page.locator('tbody tr')).toHaveCount(1);
    await page.locator('summary').click();
    await check(page);
  });
}

test('a model is fetched after its licence was shown, and that is listed', async ({ page }) => {
  const errors = await open(page);
  const before = await page.locator('.models > li').count();
  await page.getByRole('button', { name: 'Get… Nomos Uni Compact x2' }).focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Get “Nomos Uni Compact x2”?' });
  await expect(dialog).toContainText('CC-BY-4.0: free with a credit, also for commercial work');
  await expect(dialog).toContainText('helaman');
  await expect(dialog).toContainText('raw.githubusercontent.com');
  expect((await calls(page)).filter((call) => call.startsWith('get'))).toEqual([]);
  await slowly(page, 3000);
  await dialog.getByRole('button', { name: 'Agree and get' }).click();
  await expect(dialog).toBeHidden();
  const card = page.locator('.catalogue li').first();
  await expect(card.getByRole('progressbar')).toBeVisible();
  await slowly(page, 0);
  await expect(card).toContainText('Installed');
  await expect(page.locator('.models > li')).toHaveCount(before + 1);
  await expect(page.getByRole('status').filter({ hasText: 'Nomos' })).toBeVisible();
  expect(await calls(page)).toContain('get nomos-uni-x2 from catalogue');

  await page.keyboard.press('Control+7');
  const row = page.locator('tbody tr');
  await expect(row).toHaveCount(1);
  await expect(row).toContainText('Model nomos-uni-x2');
  await expect(row).toContainText('raw.githubusercontent.com');
  await row.getByText('All that was sent').click();
  await expect(row.locator('pre')).toContainText('user-agent: Frameloom/');
  await expect(page.getByText('Nothing.', { exact: true })).toBeHidden();
  expect(errors).toEqual([]);
});

test('a fetch is ended, and goes on where it was; a wrong file is refused in words', async ({ page }) => {
  const errors = await open(page);
  const card = page.locator('.catalogue li').first();
  await slowly(page);
  await card.getByRole('button').click();
  await page.getByRole('button', { name: 'Agree and get' }).click();
  await card.getByRole('button', { name: 'Stop' }).click();
  await expect(card).toContainText('241 kB of 2.4 MB are here already');
  await slowly(page, 0);
  await expect(card.getByRole('alert')).toHaveCount(0);
  await card.getByRole('button', { name: 'Go on…' }).click();
  await page.getByRole('dialog').getByText('A file or bundle on this computer').click();
  await choosing(page, '/models/another.onnx');
  await page.getByRole('button', { name: 'Agree and get' }).click();
  await expect(card).toContainText('does not hold the weights');
  // Nothing chosen changes nothing, and the question stays.
  await card.getByRole('button', { name: 'Go on…' }).click();
  await page.getByRole('dialog').getByText('A file or bundle on this computer').click();
  await choosing(page, null);
  await page.getByRole('button', { name: 'Agree and get' }).click();
  await expect(page.getByRole('dialog')).toBeVisible();
  await choosing(page, '/models/nomos-uni-x2.onnx');
  await page.getByRole('button', { name: 'Agree and get' }).click();
  await expect(card).toContainText('Installed');
  expect(await calls(page)).toContain('get nomos-uni-x2 from /models/nomos-uni-x2.onnx');
  expect(errors).toEqual([]);
});

test('connections are switched off in the settings, and that is said where they are listed', async ({ page }) => {
  await open(page);
  await page.keyboard.press('Control+7');
  await expect(page.getByText('Nothing.', { exact: true })).toBeVisible();
  await expect(page.getByText('switched off')).toBeHidden();
  await page.keyboard.press('Control+,');
  await page.getByRole('radio', { name: 'Never' }).and(page.locator('[name=offline]')).check({ force: true });
  await page.keyboard.press('Control+7');
  await expect(page.getByText('Connections are switched off in the settings.')).toBeVisible();
});
