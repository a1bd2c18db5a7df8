/** Scenes found and split: the card of Home with its form. */
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';

const WORDS = {
  en: { card: 'Find scenes', found: 'Shots: 5', sensitivity: /How little must change/, sheet: 'Sheet', clips: 'Clips' },
  vi: { card: 'Tìm cảnh', found: 'Số cảnh: 5', sensitivity: /Thay đổi ít đến đâu/, sheet: 'Tờ ảnh', clips: 'Clip' },
  fr: { card: 'Trouver les plans', found: 'Plans : 5', sensitivity: /Le changement qui suffit/, sheet: 'Planche', clips: 'Clips' },
} as const;

const home = (more: Record<string, string>) =>
  `/?${new URLSearchParams({ tick: '20', step: '60', files: '/home/mai/Phim/harbour.mov', language: 'en', theme: 'dark', ...more })}`;
const cardOf = (page: Page, name: string) => page.locator('label.card').filter({ has: page.getByText(name, { exact: true }) });
const calls = (page: Page) => page.evaluate(() => (window as unknown as { fakeIpc: { calls: string[] } }).fakeIpc.calls);

for (const theme of ['dark', 'light']) {
  for (const language of ['en', 'vi', 'fr'] as const) {
    test(`every shot that is found has its picture: ${theme}, ${language}`, async ({ page }, { outputDir }) => {
      const words = WORDS[language];
      await page.goto(home({ language, theme }));
      await cardOf(page, words.card).click();
      await expect(page.getByRole('status').filter({ hasText: words.found })).toBeVisible();
      await expect(page.locator('.scenes .strip img')).toHaveCount(5);
      await expect(page.locator('#draft')).not.toContainText(/\b(scenes|preset)\.\w/);
      await page.waitForTimeout(300);
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 200)).join(' | ')}`)).toEqual([]);
      await page.locator('.scenes').scrollIntoViewIfNeeded();
      await page.screenshot({ path: `${outputDir}/scenes-${language}-${theme}.png` });
    });
  }
}

test('a higher sensitivity is answered with more shots, each of which becomes a job', async ({ page }) => {
  await page.goto(home({}));
  await cardOf(page, WORDS.en.card).click();
  await expect(page.locator('.scenes .strip img')).toHaveCount(5);
  await page.getByRole('slider', { name: WORDS.en.sensitivity }).fill('0.75');
  await expect(page.locator('.scenes .strip img')).toHaveCount(7);
  expect((await calls(page)).filter((call) => call.startsWith('scenes ')).at(-1)).toContain('"sensitivity":0.75');
  await page.locator('#start').click();
  const outputs = () =>
    page.evaluate(() => {
      const fake = (window as unknown as { fakeIpc: { jobs: Map<string, { spec: { output: string } }> } }).fakeIpc;
      return [...fake.jobs.values()].map(({ spec }) => spec.output);
    });
  await expect.poll(outputs).toHaveLength(7);
  expect((await outputs())[6]).toBe('/home/mai/Phim/harbour_007.mov');
});

test('a sheet is written at once, and the file stays for something else', async ({ page }) => {
  await page.goto(home({}));
  await cardOf(page, WORDS.en.card).click();
  await page.getByText(WORDS.en.sheet, { exact: true }).click();
  await expect(page.locator('#start')).toBeEnabled();
  await page.locator('#start').click();
  await expect(page.getByText('Written: harbour_sheet.png')).toBeVisible();
  expect(await calls(page)).toContain('save scenes sheet');
  await expect(cardOf(page, WORDS.en.card)).toBeVisible();
});
