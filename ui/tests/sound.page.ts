/** Files of sound alone: their cards, their player, their plan and their jobs. */
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';

const TALK = '/home/mai/Âm thanh/phỏng vấn bà.mp3';
const CLIP = '/home/mai/Phim/harbour.mov';

const WORDS = {
  en: { card: 'Extract or convert sound', loudness: 'Even out loudness', enlarge: 'Enlarge', none: 'There is no picture in this file.', plan: /Sound, 0:\d\d/, time: 'Moment in the sound', play: 'Play', done: 'Done', before: 'Before', real: 'real time' },
  vi: { card: 'Tách hoặc đổi âm thanh', loudness: 'Cân bằng âm lượng', enlarge: 'Phóng to', none: 'Tệp này không có hình.', plan: /Âm thanh, 0:\d\d/, time: 'Thời điểm trong âm thanh', play: 'Phát', done: 'Hoàn tất', before: 'Trước', real: 'thời gian thực' },
  fr: { card: 'Extraire ou convertir le son', loudness: 'Égaliser le volume', enlarge: 'Agrandir', none: 'Ce fichier ne contient pas d’image.', plan: /Son, 0:\d\d/, time: 'Instant dans le son', play: 'Lire', done: 'Terminé', before: 'Avant', real: 'le temps réel' },
} as const;

async function open(page: Page, more: Record<string, string> = {}) {
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await page.goto(`/?${new URLSearchParams({ files: TALK, tick: '20', step: '60', language: 'en', theme: 'dark', ...more })}`);
  return errors;
}

async function findings(page: Page) {
  await page.waitForTimeout(300);
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 200)).join(' | ')}`);
}

const cardOf = (page: Page, name: string) => page.locator('label.card').filter({ has: page.getByText(name, { exact: true }) });
const calls = (page: Page, start: string) =>
  page.evaluate((start) => (window as unknown as { fakeIpc: { calls: string[] } }).fakeIpc.calls.filter((call) => call.startsWith(start)), start);
const lastPlan = async (page: Page) => JSON.parse((await calls(page, 'plan ')).at(-1)?.slice('plan '.length) ?? 'null') as Record<string, unknown>;
const jobs = (page: Page) =>
  page.evaluate(() => {
    const fake = (window as unknown as { fakeIpc: { jobs: Map<string, { spec: { input: string; output: string } }> } }).fakeIpc;
    return [...fake.jobs.values()].map(({ spec }) => spec);
  });
const wave = (page: Page) => page.getByRole('slider', { name: 'Moment in the sound' });

for (const theme of ['dark', 'light']) {
  for (const language of ['en', 'vi', 'fr'] as const) {
    test(`a file of sound has its cards, its player and a plan, and becomes a result to hear: ${theme}, ${language}`, async ({ page }, { outputDir }) => {
      const words = WORDS[language];
      const errors = await open(page, { language, theme });
      await expect(page.getByRole('radio', { name: words.loudness })).toBeChecked();
      await expect(page.locator('.plan')).toContainText(words.plan);
      await expect(page.getByRole('radio', { name: words.card })).toBeEnabled();
      await expect(page.getByRole('radio', { name: words.enlarge })).toBeDisabled();
      await expect(cardOf(page, words.enlarge)).toContainText(words.none);
      // Those that it is for stand in front.
      await expect(page.locator('label.card').nth(3)).toContainText(words.card);
      await expect(page.getByRole('slider', { name: words.time })).toBeVisible();
      await expect(page.locator('.stage img, .stage canvas, .strip .card img')).toHaveCount(0);
      await expect(page.locator('main')).not.toContainText(/\b(sound|player|preset|plan|facts)\.\w/);
      await expect.poll(async () => (await calls(page, 'sound ')).length).toBeGreaterThan(0);
      expect(await findings(page)).toEqual([]);
      await page.screenshot({ path: `${outputDir}/sound-home-${language}-${theme}.png` });

      await page.locator('#start').click();
      await expect(page.locator('.status .headline')).toContainText(words.done);
      await expect(page.getByRole('radio', { name: words.before, exact: true })).toBeVisible();
      await expect(page.locator('.stage img, .stage canvas')).toHaveCount(0);
      await expect(page.locator('.inspector')).not.toContainText(/0 × 0|NaN|null|undefined/);
      expect(await findings(page)).toEqual([]);
      await page.screenshot({ path: `${outputDir}/sound-done-${language}-${theme}.png` });
      expect(errors).toEqual([]);
    });
  }
}

test('its sound is played by the space bar and moved through by keys and by the pointer', async ({ page }) => {
  await open(page);
  await wave(page).focus();
  await expect(wave(page)).toHaveAttribute('aria-valuetext', '0 seconds');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('PageUp');
  await expect(wave(page)).toHaveAttribute('aria-valuetext', '11 seconds');
  await page.keyboard.press('Home');
  await page.keyboard.press('Space');
  await expect(page.getByRole('button', { name: 'Pause', exact: true })).toBeVisible();
  await expect.poll(async () => Number(await wave(page).getAttribute('aria-valuenow'))).toBeGreaterThan(0);
  // Where it is moved while it plays, it plays on.
  const box = await wave(page).boundingBox();
  if (!box) throw new Error('no slider');
  await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
  const length = Number(await wave(page).getAttribute('aria-valuemax'));
  await expect.poll(async () => Number(await wave(page).getAttribute('aria-valuenow'))).toBeGreaterThanOrEqual(Math.floor(length / 2));
  await expect(page.getByRole('button', { name: 'Pause', exact: true })).toBeVisible();
  await page.keyboard.press('Space');
  await expect(page.getByRole('button', { name: 'Play', exact: true })).toBeVisible();
});

test('a stretch of it can be taken, and goes into the job', async ({ page }) => {
  await open(page);
  await wave(page).focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('i');
  await page.keyboard.press('Shift+ArrowRight');
  await page.keyboard.press('o');
  await expect(page.getByText('Taken: 0:05.03')).toBeVisible();
  await expect(page.locator('.plan')).toContainText('Sound, 0:05');
  expect(await lastPlan(page)).toMatchObject({ span: { from_micros: 1_000_000 } });
  await page.keyboard.press('Alt+x');
  await expect(page.getByText(/^Taken/)).toHaveCount(0);
});

test('formats are those of sound, for a file of sound and for the sound of a clip', async ({ page }) => {
  await open(page, { files: [TALK, CLIP].join(',') });
  await cardOf(page, 'Extract or convert sound').click();
  await expect(page.locator('.plan')).toContainText('sound copied');
  const format = page.getByRole('combobox', { name: /^Format/ });
  expect(await format.locator('option').allTextContents()).toEqual(['Automatic', 'M4A', 'MP3', 'WAV', 'FLAC', 'Ogg', 'Opus']);
  await format.selectOption({ label: 'FLAC' });
  await expect(page.getByText('phỏng vấn bà.flac', { exact: true })).toBeVisible();
  // Sound has no size to name it by.
  await expect(page.locator('#draft')).not.toContainText('{width}');
  await expect(page.getByRole('button', { name: 'Try 3 seconds' })).toHaveCount(0);
  await page.locator('#start').click();
  await expect.poll(async () => (await jobs(page)).map(({ output }) => output)).toEqual(['/home/mai/Âm thanh/phỏng vấn bà.flac', '/home/mai/Phim/harbour.flac']);
  // The result of the clip is heard, and so is the clip.
  await page.getByRole('option', { name: /harbour/ }).click();
  await expect(page.getByRole('radio', { name: 'After', exact: true })).toBeChecked();
  await expect(page.locator('section.stage')).toContainText('harbour.flac');
});

test('source and result are heard at the same moment, also where silence was cut', async ({ page }) => {
  await open(page);
  await cardOf(page, 'Cut silence').click();
  await expect(page.getByRole('status').filter({ hasText: 'of 0:20 stays' })).toBeVisible();
  await expect(page.locator('.plan')).toContainText('Sound, 0:09');
  await page.locator('#start').click();
  await expect(page.getByRole('radio', { name: 'After', exact: true })).toBeChecked();
  // The first stretch begins at 3.8 s of the source.
  await wave(page).focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('b');
  await expect(page.getByRole('radio', { name: 'Before', exact: true })).toBeChecked();
  await expect(page.getByText('0:05.80 /')).toBeVisible();
  await expect(page.locator('section.stage')).toContainText('phỏng vấn bà.mp3');
  // By the keys of the switch itself, too.
  await page.getByRole('radio', { name: 'Before', exact: true }).focus();
  await page.keyboard.press('ArrowRight');
  await expect(page.getByRole('radio', { name: 'After', exact: true })).toBeChecked();
  await expect(page.getByText('0:02.00 /')).toBeVisible();
});

test('a job of sound counts seconds, not frames', async ({ page }) => {
  await open(page, { step: '1', tick: '300', files: '/home/mai/Âm thanh/long.wav' });
  await page.locator('#start').click();
  await expect(page.locator('.status')).toContainText(/\d+ of 600 s/);
  await expect(page.locator('.status')).toContainText('× real time');
  await expect(page.locator('.status')).toContainText('Working on the sound');
  await expect(page.locator('.inspector')).not.toContainText(/fps|[Ff]rames|Size/);
  await page.keyboard.press('Control+4');
  await expect(page.locator('li.row')).toContainText(/\d+ of 600 s/);
  await expect(page.locator('li.row')).toContainText('× real time');
  await expect(page.locator('li.row img')).toHaveCount(0);
  expect(await findings(page)).toEqual([]);
});

test('the receipt of sound tells its loudness and no frames, and the history how fast it was', async ({ page }, { outputDir }) => {
  await open(page);
  await page.locator('#start').click();
  await page.getByText('Checked', { exact: true }).click();
  await expect(page.locator('.receipt')).toContainText('-16 LUFS (asked for: -16)');
  await expect(page.locator('.receipt')).not.toContainText('Frames');
  await page.screenshot({ path: `${outputDir}/sound-receipt.png` });
  await page.keyboard.press('Control+5');
  await page.getByRole('option').first().click();
  await expect(page.getByRole('region', { name: 'What was done' })).toContainText('× real time');
  await page.screenshot({ path: `${outputDir}/sound-history.png` });
  expect(await findings(page)).toEqual([]);
});

test('what source and result sound like is measured when it is asked for, and told in figures', async ({ page }) => {
  const errors = await open(page);
  // Before there is a result there is nothing to compare.
  await expect(page.getByRole('button', { name: 'Measure the sound' })).toHaveCount(0);
  await page.locator('#start').click();
  await expect(page.getByRole('radio', { name: 'After', exact: true })).toBeChecked();
  expect(await calls(page, 'sound of both')).toEqual([]);
  await page.getByRole('button', { name: 'Measure the sound' }).click();
  const figures = page.locator('section.stage .figures');
  await expect(figures).toContainText('loudness -23.4 LUFS → -16.0 LUFS');
  await expect(figures).toContainText('true peak -4.1 dBTP → -1.3 dBTP');
  await expect(figures).toContainText(/length 0:16\.00 → 0:16\.00/);
  await expect(figures).toContainText(/\d+ kB became \d+ kB/);
  expect(await findings(page)).toEqual([]);
  expect(errors).toEqual([]);
});

test('silence has no loudness, and says so', async ({ page }) => {
  await open(page, { files: '/home/mai/Âm thanh/mute.wav' });
  await page.locator('#start').click();
  await page.getByRole('button', { name: 'Measure the sound' }).click();
  await expect(page.locator('section.stage .figures')).toContainText('loudness silence → silence');
});

test('a clip of which the sound was changed tells figures of pictures and of sound, another one of pictures alone', async ({ page }) => {
  await open(page, { files: CLIP });
  await cardOf(page, 'Even out loudness').click();
  await expect(page.locator('#start')).toBeEnabled();
  await page.locator('#start').click();
  await page.getByRole('button', { name: 'Measure this frame' }).click();
  const figures = page.locator('section.stage .figures');
  await expect(figures).toContainText('PSNR 38.4 dB');
  await expect(figures).toContainText('loudness -23.4 LUFS → -16.0 LUFS');
  // Of another frame the pictures are measured anew; the sound is that of the whole, and known.
  await page.getByRole('button', { name: 'Next frame' }).click();
  await expect(figures).not.toContainText('PSNR');
  await page.getByRole('button', { name: 'Measure this frame' }).click();
  await expect(figures).toContainText('PSNR 38.4 dB');
  expect((await calls(page, 'sound of both')).length).toBe(1);
  expect(await findings(page)).toEqual([]);

  await open(page, { files: CLIP });
  await page.locator('#start').click();
  await page.getByRole('button', { name: 'Measure this frame' }).click();
  await expect(figures).toContainText('PSNR 38.4 dB');
  await expect(figures).not.toContainText('LUFS');
  expect(await calls(page, 'sound of both')).toEqual([]);
});

test('sound of the library is worked on at Home', async ({ page }) => {
  await open(page, { files: '', library: '40' });
  await page.getByRole('button', { name: 'Library', exact: true }).click();
  await page.getByRole('gridcell', { name: /\.(flac|mp3)/ }).first().click();
  await page.getByRole('button', { name: 'Work on it' }).click();
  await expect(page.getByRole('radio', { name: 'Even out loudness' })).toBeChecked();
  await expect(wave(page)).toBeVisible();
});
