/** Settings of cards that are about one node: what is chosen is what is asked for. */
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';

const home = (more: Record<string, string> = {}) =>
  `/?${new URLSearchParams({ tick: '20', step: '60', files: '/home/mai/Phim/harbour.mov', language: 'en', theme: 'dark', ...more })}`;
const card = (page: Page, preset: string) => page.locator(`label.card:has(input[value="${preset}"])`);
const asked = async (page: Page) => {
  const calls = await page.evaluate(() => (window as unknown as { fakeIpc: { calls: string[] } }).fakeIpc.calls);
  const last = calls.findLast((call) => call.startsWith('plan '));
  return JSON.parse(last?.slice(5) ?? '{}') as Record<string, Record<string, unknown>>;
};

for (const language of ['en', 'vi', 'fr'] as const) {
  test(`every card that is about one node has its fields: ${language}`, async ({ page }, { outputDir }) => {
    await page.goto(home({ language, theme: language === 'vi' ? 'light' : 'dark' }));
    for (const preset of ['cutout', 'defocus', 'backdrop', 'redact', 'steady', 'smooth', 'reframe', 'light', 'style', 'depth']) {
      await card(page, preset).click();
      const fold = page.locator('#draft details').filter({ has: page.locator('.options') });
      if (!(await fold.evaluate((details) => (details as HTMLDetailsElement).open))) await fold.locator('summary').click();
      expect(await fold.locator('.param').count()).toBeGreaterThan(0);
      await expect(page.locator('#draft')).not.toContainText(/\b(param|help|choice|redact|backdrop)\.\w/);
      const { violations } = await new AxeBuilder({ page }).include('#draft').analyze();
      expect(violations.map(({ id, nodes }) => `${preset} ${id}: ${nodes.map((node) => node.html.slice(0, 200)).join(' | ')}`)).toEqual([]);
      await fold.scrollIntoViewIfNeeded();
      await page.screenshot({ path: `${outputDir}/tuning-${preset}-${language}.png` });
    }
  });
}

test('a shape is asked for, and stays with its card', async ({ page }) => {
  await page.goto(home());
  await card(page, 'reframe').click();
  await page.getByLabel('Shape', { exact: true }).selectOption({ label: 'square' });
  await expect.poll(async () => (await asked(page))['reframe']?.['shape']).toBe('1:1');
  await card(page, 'redact').click();
  await expect.poll(async () => (await asked(page))['redact']?.['what']).toBe('faces');
  await page.getByText('Text', { exact: true }).click();
  await expect.poll(async () => (await asked(page))['redact']?.['what']).toBe('text');
  // A colour is asked for only where one colour covers.
  await expect(page.getByLabel('Colour', { exact: true })).toHaveCount(0);
  await page.getByLabel('Covered by', { exact: true }).selectOption({ label: 'one colour' });
  await expect(page.getByLabel('Colour', { exact: true })).toBeVisible();
  await card(page, 'reframe').click();
  await expect(page.getByLabel('Shape', { exact: true })).toHaveValue('1:1');
});

test('a clip is put behind, and no colour is asked for then', async ({ page }) => {
  await page.goto(home());
  await card(page, 'backdrop').click();
  await expect(page.getByLabel('Colour', { exact: true })).toBeVisible();
  await page.getByRole('button', { name: 'Choose', exact: true }).click();
  await expect.poll(async () => typeof (await asked(page))['background']?.['behind']).toBe('string');
  await expect(page.getByLabel('Colour', { exact: true })).toHaveCount(0);
});

test('slow motion is asked for, and then what becomes of the sound', async ({ page }) => {
  await page.goto(home());
  await card(page, 'smooth').click();
  const fold = page.locator('#draft details').filter({ has: page.locator('.options') });
  await fold.locator('summary').click();
  const sound = page.getByLabel('Sound in slow motion', { exact: true });
  await expect(sound).toHaveCount(0);
  await page.getByLabel('Slow motion', { exact: true }).fill('1.5');
  const wish = async () => (await asked(page))['motion']?.['interpolate'] as Record<string, unknown>;
  await expect.poll(async () => (await wish())['slow']).toEqual({ num: 3, den: 2 });
  await sound.selectOption({ label: 'none' });
  await expect.poll(async () => (await wish())['sound']).toBe('drop');
});
