/** Subtitles burned in or beside the pictures: the card of Home with its form. */
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';

const WORDS = {
  en: { card: 'Add subtitles', own: 'those of the video', choose: 'Choose a file', box: 'A box behind the letters', later: /Seconds later/ },
  vi: { card: 'Thêm phụ đề', own: 'của chính video', choose: 'Chọn tệp', box: 'Khung nền sau chữ', later: /Số giây hiện muộn hơn/ },
  fr: { card: 'Ajouter des sous-titres', own: 'ceux de la vidéo', choose: 'Choisir un fichier', box: 'Un fond derrière les lettres', later: /Secondes de retard/ },
} as const;

const home = (more: Record<string, string>) =>
  `/?${new URLSearchParams({ tick: '20', step: '60', files: '/home/mai/Phim/harbour.mov', language: 'en', theme: 'dark', ...more })}`;
const cardOf = (page: Page, name: string) => page.locator('label.card').filter({ has: page.getByText(name, { exact: true }) });

for (const language of ['en', 'vi', 'fr'] as const) {
  test(`subtitles are chosen and moved in the form: ${language}`, async ({ page }, { outputDir }) => {
    const words = WORDS[language];
    await page.goto(home({ language }));
    await cardOf(page, words.card).click();
    await expect(page.getByText(words.own, { exact: true })).toBeVisible();
    await page.locator('#draft').getByRole('button', { name: words.choose }).click();
    await expect(page.locator('#draft .file')).toHaveText(/ngõ nhỏ Hà Nội/);
    await page.getByLabel(words.box).check();
    await page.getByLabel(words.later).fill('-1.5');
    await expect(page.locator('#draft')).not.toContainText(/\b(subtitles|preset)\.\w/);
    await page.waitForTimeout(300);
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 200)).join(' | ')}`)).toEqual([]);
    await page.screenshot({ path: `${outputDir}/subtitles-${language}.png` });
    await page.locator('#start').click();
    const outputs = () =>
      page.evaluate(() => {
        const fake = (window as unknown as { fakeIpc: { jobs: Map<string, { spec: { output: string } }> } }).fakeIpc;
        return [...fake.jobs.values()].map(({ spec }) => spec.output);
      });
    await expect.poll(outputs).toContain('/home/mai/Phim/harbour_subtitled.mov');
  });
}

test('subtitles become a track with a language, and nothing is asked of their look', async ({ page }) => {
  await page.goto(home({}));
  await cardOf(page, 'Add subtitles').click();
  await page.getByRole('radio', { name: 'As a track' }).check({ force: true });
  await expect(page.getByText('none chosen yet', { exact: true })).toBeVisible();
  await expect(page.getByLabel('A box behind the letters')).toHaveCount(0);
  await page.locator('#draft').getByRole('button', { name: 'Choose a file' }).click();
  await page.getByLabel(/^Language/).fill('vi');
  const plan = () =>
    page.evaluate(() => {
      const { calls } = (window as unknown as { fakeIpc: { calls: string[] } }).fakeIpc;
      return JSON.parse(calls.filter((call) => call.startsWith('plan ')).at(-1)?.slice('plan '.length) ?? 'null') as Record<string, unknown>;
    });
  await expect.poll(plan).toMatchObject({ preset: 'subtitles', subtitles: { place: 'track', language: 'vi' } });
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id }) => id)).toEqual([]);
});
