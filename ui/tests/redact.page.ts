/** Faces made unrecognisable: the node on the canvas with its form, and the card of Home. */
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';
import { open } from './support/canvas';

const WORDS = {
  en: { node: 'Redact', cover: 'Covered by', squares: 'squares', areas: 'Always covered', card: 'Hide faces' },
  vi: { node: 'Che mặt', cover: 'Che bằng', squares: 'ô vuông', areas: 'Luôn che', card: 'Che khuôn mặt' },
  fr: { node: 'Masquer', cover: 'Couvert par', squares: 'des carrés', areas: 'Toujours couvert', card: 'Masquer les visages' },
} as const;

async function findings(page: Page) {
  await page.waitForTimeout(300);
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 200)).join(' | ')}`);
}

for (const [theme, language] of [
  ['dark', 'en'],
  ['light', 'vi'],
  ['dark', 'fr'],
] as const) {
  test(`the node has a form in words, and the card says what it does: ${theme}, ${language}`, async ({ page }) => {
    const { node, cover, squares, areas, card } = WORDS[language];
    const errors = await open(page, { theme, language });
    await page.keyboard.press('Shift+A');
    await page.keyboard.type(node);
    await page.keyboard.press('Enter');
    await expect(page.getByRole('dialog')).toHaveCount(0);
    await page.getByRole('combobox', { name: cover }).selectOption({ label: squares });
    await page.getByRole('textbox', { name: areas }).fill('0 80 100 20 from 1 to 2');
    // No word is missing: the key of a message shows instead of one.
    await expect(page.locator('.side')).not.toContainText(/\b(op|param|help|port|choice)\.\w/);
    expect(await findings(page)).toEqual([]);
    expect(errors).toEqual([]);

    await page.goto(`/?${new URLSearchParams({ language, theme, tick: '20', step: '60', files: '/home/mai/Phim/harbour.mov' })}`);
    const shown = page.locator('label.card').filter({ has: page.getByText(card, { exact: true }) });
    await shown.scrollIntoViewIfNeeded();
    await shown.click();
    await expect(page.getByRole('radio', { name: card })).toBeChecked();
    expect(await findings(page)).toEqual([]);
  });
}

test('faces are hidden by two clicks, and without a model the card says what is missing', async ({ page }) => {
  const files = '/home/mai/Phim/harbour.mov';
  await page.goto(`/?${new URLSearchParams({ language: 'en', theme: 'dark', tick: '20', step: '60', files })}`);
  await page.locator('label.card').filter({ has: page.getByText('Hide faces', { exact: true }) }).click();
  await page.locator('#start').click();
  const outputs = () =>
    page.evaluate(() => {
      const fake = (window as unknown as { fakeIpc: { jobs: Map<string, { spec: { output: string } }> } }).fakeIpc;
      return [...fake.jobs.values()].map(({ spec }) => spec.output);
    });
  await expect.poll(outputs).toEqual(['/home/mai/Phim/harbour_redacted.mov']);

  await page.goto(`/?${new URLSearchParams({ language: 'en', theme: 'dark', files, matting: 'none' })}`);
  const card = page.locator('label.card').filter({ has: page.getByText('Hide faces', { exact: true }) });
  await expect(card).toContainText('Needs a model that can do this');
  await expect(page.getByRole('radio', { name: 'Hide faces' })).toBeDisabled();
});
