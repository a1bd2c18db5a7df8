/** Faces made unrecognisable: the node on the canvas with its form, and the card of Home. */
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';
import { open } from './support/canvas';

const WORDS = {
  en: { node: 'Redact', cover: 'Covered by', squares: 'squares', areas: 'Always covered', card: 'Hide faces' },
  vi: { node: 'Che mặt', cover: 'Che bằng', squares: 'ô vuông', areas: 'Luôn che', card: 'Che khuôn mặt' },
  fr: { node: 'Masquer', cover: 'Couvert par', squares: 'des carrés', areas: 'Toujours couvert', card: 'Masquer les visages' },
} as const;

const FACES = {
  en: { look: 'Look for faces', stop: 'Stop', all: 'Cover all', none: 'Cover none of them', face: 'Face', covered: ', seen 0:08 to 0:13, covered', visible: ', seen 0:08 to 0:13, visible', text: 'Text' },
  vi: { look: 'Tìm khuôn mặt', stop: 'Dừng', all: 'Che tất cả', none: 'Không che ai trong số này', face: 'Khuôn mặt', covered: ', thấy từ 0:08 đến 0:13, được che', visible: ', thấy từ 0:08 đến 0:13, để lộ', text: 'Chữ' },
  fr: { look: 'Chercher les visages', stop: 'Arrêter', all: 'Tout couvrir', none: 'N’en couvrir aucun', face: 'Visage', covered: ', vu de 0:08 à 0:13, couvert', visible: ', vu de 0:08 à 0:13, visible', text: 'Texte' },
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

for (const [theme, language] of [
  ['dark', 'en'],
  ['light', 'vi'],
  ['dark', 'fr'],
] as const) {
  test(`single faces stay visible: ${theme}, ${language}`, async ({ page }, { outputDir }) => {
    const { look, stop, all, none, face, visible, covered, text } = FACES[language];
    await page.goto(`/?${new URLSearchParams({ language, theme, tick: '20', step: '60', files: '/home/mai/Phim/harbour.mov' })}`);
    await page.locator('label.card:has(input[value="redact"])').click();
    const calls = () => page.evaluate(() => (window as unknown as { fakeIpc: { calls: string[] } }).fakeIpc.calls);
    const kept = async () => {
      const last = (await calls()).findLast((call) => call.startsWith('plan '));
      const { redact } = JSON.parse(last?.slice(5) ?? '{}') as { redact?: { keep: string | null; keep_from_micros: number | null } };
      return redact?.keep ?? null;
    };
    await page.getByRole('button', { name: look, exact: true }).click();
    const strip = page.locator('.people ul').getByRole('button');
    await expect(strip).toHaveCount(4);
    await expect(strip.nth(2)).toHaveAccessibleName(`${face} 3${covered}`);
    await expect(strip.nth(2)).toHaveAttribute('aria-pressed', 'true');
    expect(await kept()).toBeNull();
    // By the keyboard alone.
    await strip.nth(2).focus();
    await page.keyboard.press('Space');
    await expect(strip.nth(2)).toHaveAttribute('aria-pressed', 'false');
    await expect(strip.nth(2)).toHaveAccessibleName(`${face} 3${visible}`);
    await expect.poll(kept).toBe('8 40 20 15 30');
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Enter');
    await expect.poll(kept).toBe('4 30 20 15 30\n\n8 40 20 15 30');
    await expect(page.locator('#draft')).not.toContainText(/\b(faces|redact|param|help)\.\w/);
    expect(await findings(page)).toEqual([]);
    await page.locator('.people').scrollIntoViewIfNeeded();
    await page.screenshot({ path: `${outputDir}/faces-${language}.png` });
    await page.getByRole('button', { name: none, exact: true }).click();
    await expect.poll(async () => (await kept())?.split('\n\n').length).toBe(4);
    await page.getByRole('button', { name: all, exact: true }).click();
    await expect.poll(kept).toBeNull();
    await strip.first().click();
    await expect.poll(kept).toBe('0 20 20 15 30');
    // Faces are none of the text: what was chosen holds no more, and comes back with the faces.
    await page.getByText(text, { exact: true }).click();
    await expect(strip).toHaveCount(0);
    await expect.poll(kept).toBeNull();
    await expect(page.getByRole('button', { name: stop, exact: true })).toHaveCount(0);
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
