/** Silence cut and voices cleaned: the cards of Home with their forms, and the node on the canvas. */
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';
import { open } from './support/canvas';

const WORDS = {
  en: { silence: 'Cut silence', stays: /^0:\d\d of 0:20 stays/, padding: /Margin around speech/, voice: 'Clean up a voice', strength: 'How much noise is taken', copied: 'pictures copied', node: 'Cut', keep: 'Kept' },
  vi: { silence: 'Cắt khoảng lặng', stays: /^Giữ 0:\d\d trong 0:20/, padding: /Phần đệm quanh tiếng nói/, voice: 'Làm sạch giọng nói', strength: 'Bỏ bao nhiêu nhiễu', copied: 'hình ảnh được sao chép', node: 'Cắt bỏ', keep: 'Phần giữ lại' },
  fr: { silence: 'Couper les silences', stays: /^0:\d\d sur 0:20 restent/, padding: /Marge autour de la parole/, voice: 'Nettoyer une voix', strength: 'Part du bruit retirée', copied: 'images copiées', node: 'Monter', keep: 'Gardé' },
} as const;

async function findings(page: Page) {
  await page.waitForTimeout(300);
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 200)).join(' | ')}`);
}

const home = (more: Record<string, string>) =>
  `/?${new URLSearchParams({ tick: '20', step: '60', files: '/home/mai/Phim/harbour.mov', language: 'en', theme: 'dark', ...more })}`;
const cardOf = (page: Page, name: string) => page.locator('label.card').filter({ has: page.getByText(name, { exact: true }) });
const calls = (page: Page) => page.evaluate(() => (window as unknown as { fakeIpc: { calls: string[] } }).fakeIpc.calls);

for (const theme of ['dark', 'light']) {
  for (const language of ['en', 'vi', 'fr'] as const) {
    test(`what would stay of a clip is drawn and told: ${theme}, ${language}`, async ({ page }, { outputDir }) => {
      const words = WORDS[language];
      await page.goto(home({ language, theme }));
      await cardOf(page, words.silence).click();
      await expect(page.getByRole('status').filter({ hasText: words.stays })).toBeVisible();
      await expect(page.locator('.silence figure rect.speech')).toHaveCount(2);
      await expect(page.locator('#draft')).not.toContainText(/\b(silence|voice|preset)\.\w/);
      expect(await findings(page)).toEqual([]);
      await page.locator('.silence figure').scrollIntoViewIfNeeded();
      await page.screenshot({ path: `${outputDir}/silence-${language}-${theme}.png` });
      await cardOf(page, words.voice).click();
      await expect(page.locator('.plan')).toContainText(words.copied);
      await expect(page.getByRole('slider', { name: words.strength })).toBeVisible();
      expect(await findings(page)).toEqual([]);
      await page.screenshot({ path: `${outputDir}/voice-${language}-${theme}.png` });
    });
  }
}

test('another margin is answered with other stretches, and goes into the job', async ({ page }) => {
  await page.goto(home({}));
  await cardOf(page, WORDS.en.silence).click();
  const told = page.getByRole('status').filter({ hasText: WORDS.en.stays });
  await expect(told).toContainText('0:09 of 0:20');
  await page.getByRole('slider', { name: WORDS.en.padding }).fill('1000');
  await expect(told).toContainText('0:13 of 0:20');
  expect((await calls(page)).filter((call) => call.startsWith('silence ')).at(-1)).toContain('"padding_millis":1000');
  await page.locator('#start').click();
  const outputs = () =>
    page.evaluate(() => {
      const fake = (window as unknown as { fakeIpc: { jobs: Map<string, { spec: { output: string } }> } }).fakeIpc;
      return [...fake.jobs.values()].map(({ spec }) => spec.output);
    });
  await expect.poll(outputs).toEqual(['/home/mai/Phim/harbour_cut.mov']);
});

test('without a model that hears speech the card says what is missing', async ({ page }) => {
  await page.goto(home({ voice: 'none' }));
  await expect(cardOf(page, 'Cut silence')).toContainText('Needs a model that hears speech');
  await expect(page.getByRole('radio', { name: 'Cut silence' })).toBeDisabled();
});

test('which model hears is chosen on the card, for each card by itself', async ({ page }) => {
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await page.goto(home({ ears: 'two' }));
  const plan = async () => JSON.parse((await calls(page)).filter((call) => call.startsWith('plan ')).at(-1)?.slice('plan '.length) ?? 'null') as { preset: string; model: string | null };
  const field = page.getByRole('combobox', { name: 'Model', exact: true });
  const named = (names: string[]) => expect.poll(() => field.locator('option').allTextContents()).toEqual(names);
  await cardOf(page, 'Cut silence').click();
  await page.locator('#draft summary').click();
  await named(['Silero VAD (default)', 'Silero VAD', 'MarbleNet']);
  await expect.poll(async () => (await calls(page)).filter((call) => call.startsWith('silence ')).at(-1)).toContain('by null');
  await field.selectOption({ label: 'MarbleNet' });
  // It listens anew, and the job will be made with it.
  await expect.poll(async () => (await calls(page)).filter((call) => call.startsWith('silence ')).at(-1)).toContain('by marble');
  await expect.poll(plan).toMatchObject({ preset: 'silence', model: 'marble' });
  await named(['Automatic', 'Silero VAD', 'MarbleNet']);

  await cardOf(page, 'Clean up a voice').click();
  await named(['GTCRN (default)', 'GTCRN', 'DNS']);
  await expect.poll(plan).toMatchObject({ preset: 'voice', model: null });
  await field.selectOption({ label: 'DNS' });
  await expect.poll(plan).toMatchObject({ preset: 'voice', model: 'dns' });
  expect(await findings(page)).toEqual([]);

  // Neither enlarges.
  await cardOf(page, 'Enlarge').click();
  await expect.poll(plan).toMatchObject({ preset: 'enlarge', model: null });
  await cardOf(page, 'Cut silence').click();
  await expect.poll(plan).toMatchObject({ preset: 'silence', model: 'marble' });
  await field.selectOption({ label: 'Automatic' });
  await expect.poll(plan).toMatchObject({ preset: 'silence', model: null });
  expect(errors).toEqual([]);
});

for (const language of ['en', 'vi', 'fr'] as const) {
  test(`the node that cuts has a form in words: ${language}`, async ({ page }) => {
    const { node, keep } = WORDS[language];
    const errors = await open(page, { theme: 'dark', language });
    await page.keyboard.press('Shift+A');
    await page.keyboard.type(node);
    await page.keyboard.press('Enter');
    await expect(page.getByRole('dialog')).toHaveCount(0);
    await page.getByRole('textbox', { name: keep }).fill('0-2\n3-');
    await expect(page.locator('.side')).not.toContainText(/\b(op|param|help|port|choice|unit)\.\w/);
    expect(await findings(page)).toEqual([]);
    expect(errors).toEqual([]);
  });
}
