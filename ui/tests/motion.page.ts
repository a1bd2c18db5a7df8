/** Calmer cameras and frames in between: the nodes on the canvas with their forms, and the cards of Home. */
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';
import { open } from './support/canvas';

const WORDS = {
  en: { stabilise: 'Stabilise', border: 'Border', mirrored: 'fill with the mirrored picture', interpolate: 'Smoother motion', times: 'Times the frame rate', slow: 'Slow motion', sound: 'Sound in slow motion', cards: ['Steady the camera', 'Smoother motion'] },
  vi: { stabilise: 'Chống rung', border: 'Viền', mirrored: 'lấp bằng hình phản chiếu', interpolate: 'Chuyển động mượt', times: 'Gấp mấy lần tốc độ khung hình', slow: 'Quay chậm', sound: 'Âm thanh khi quay chậm', cards: ['Chống rung máy quay', 'Chuyển động mượt'] },
  fr: { stabilise: 'Stabiliser', border: 'Bord', mirrored: 'remplir avec l’image en miroir', interpolate: 'Mouvement fluide', times: 'Multiple de la cadence', slow: 'Ralenti', sound: 'Son au ralenti', cards: ['Stabiliser la caméra', 'Mouvement fluide'] },
} as const;

async function findings(page: Page) {
  await page.waitForTimeout(300);
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 200)).join(' | ')}`);
}

async function add(page: Page, node: string) {
  await page.keyboard.press('Shift+A');
  await page.keyboard.type(node);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog')).toHaveCount(0);
}

for (const language of ['en', 'vi', 'fr'] as const) {
  const words = WORDS[language];

  test(`the nodes for motion have forms in words: ${language}`, async ({ page }, { outputDir }) => {
    const errors = await open(page, { theme: language === 'vi' ? 'light' : 'dark', language });
    await add(page, words.stabilise);
    const border = page.getByRole('combobox', { name: words.border });
    await expect(border).toBeVisible();
    await border.selectOption({ label: words.mirrored });
    // No word is missing: the key of a message shows instead of one.
    await expect(page.locator('.side')).not.toContainText(/\b(op|param|help|port|choice)\.\w/);
    await page.screenshot({ path: `${outputDir}/stabilise-${language}.png` });
    await add(page, words.interpolate);
    for (const name of [words.times, words.slow, words.sound]) await expect(page.locator('.side').getByText(name, { exact: true })).toBeVisible();
    await expect(page.locator('.side')).not.toContainText(/\b(op|param|help|port|choice)\.\w/);
    expect(await findings(page)).toEqual([]);
    await page.screenshot({ path: `${outputDir}/interpolate-${language}.png` });
    expect(errors).toEqual([]);
  });

  test(`the cards for motion say what they do: ${language}`, async ({ page }, { outputDir }) => {
    await page.goto(`/?${new URLSearchParams({ language, theme: 'dark', tick: '20', step: '60', files: '/home/mai/Phim/harbour.mov' })}`);
    for (const name of words.cards) {
      const card = page.locator('label.card').filter({ has: page.getByText(name, { exact: true }) });
      await card.scrollIntoViewIfNeeded();
      await card.click();
      await expect(card.getByRole('radio')).toBeChecked();
    }
    await expect(page.locator('body')).not.toContainText(/\bpreset\.\w/);
    await page.screenshot({ path: `${outputDir}/cards-${language}.png` });
  });
}
