/** Backgrounds: the node on the canvas with its form, and the cards of Home. */
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';
import { open } from './support/canvas';

const WORDS = {
  en: { node: 'Background', mode: 'Instead of it', blurred: 'itself, blurred', card: 'Cut out' },
  vi: { node: 'Phông nền', mode: 'Thay bằng', blurred: 'chính nó, làm mờ', card: 'Xoá phông nền' },
  fr: { node: 'Arrière-plan', mode: 'À la place', blurred: 'lui-même, flou', card: 'Détourer' },
} as const;

async function findings(page: Page) {
  await page.waitForTimeout(300);
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 200)).join(' | ')}`);
}

for (const theme of ['dark', 'light']) {
  for (const language of ['en', 'vi', 'fr'] as const) {
    test(`the node for backgrounds has a form in words: ${theme}, ${language}`, async ({ page }, { outputDir }) => {
      const { node, mode, blurred } = WORDS[language];
      const errors = await open(page, { theme, language });
      await page.keyboard.press('Shift+A');
      await page.keyboard.type(node);
      await page.keyboard.press('Enter');
      await expect(page.getByRole('dialog')).toHaveCount(0);
      const field = page.getByRole('combobox', { name: mode });
      await expect(field).toBeVisible();
      await field.selectOption({ label: blurred });
      // No word is missing: the key of a message shows instead of one.
      await expect(page.locator('.side')).not.toContainText(/\b(op|param|help|port|choice)\.\w/);
      expect(await findings(page)).toEqual([]);
      await page.screenshot({ path: `${outputDir}/background-${language}-${theme}.png` });
      expect(errors).toEqual([]);
    });

    test(`the cards for backgrounds say what they do: ${theme}, ${language}`, async ({ page }, { outputDir }) => {
      await page.goto(`/?${new URLSearchParams({ language, theme, tick: '20', step: '60', files: '/home/mai/Phim/harbour.mov' })}`);
      const card = page.locator('label.card').filter({ has: page.getByText(WORDS[language].card, { exact: true }) });
      await card.scrollIntoViewIfNeeded();
      await card.click();
      await expect(page.getByRole('radio', { name: WORDS[language].card })).toBeChecked();
      expect(await findings(page)).toEqual([]);
      await page.screenshot({ path: `${outputDir}/cards-${language}-${theme}.png` });
    });
  }
}

test('without a model for it the cards say what is missing', async ({ page }) => {
  await page.goto(`/?${new URLSearchParams({ language: 'en', theme: 'dark', files: '/home/mai/Phim/harbour.mov', matting: 'none' })}`);
  const card = page.locator('label.card').filter({ has: page.getByText('Cut out', { exact: true }) });
  await expect(card).toContainText('Needs a model that can do this');
  await expect(page.getByRole('radio', { name: 'Cut out' })).toBeDisabled();
});

test('a cut-out is started by two clicks and is transparent by its name', async ({ page }) => {
  await page.goto(`/?${new URLSearchParams({ language: 'en', theme: 'dark', tick: '20', step: '60', files: '/home/mai/Phim/harbour.mov' })}`);
  await page.locator('label.card').filter({ has: page.getByText('Cut out', { exact: true }) }).click();
  await page.locator('#start').click();
  const outputs = () =>
    page.evaluate(() => {
      const fake = (window as unknown as { fakeIpc: { jobs: Map<string, { spec: { output: string } }> } }).fakeIpc;
      return [...fake.jobs.values()].map(({ spec }) => spec.output);
    });
  await expect.poll(outputs).toEqual(['/home/mai/Phim/harbour_cutout.mov']);
});
