import { AxeBuilder } from '@axe-core/playwright';
import { expect, test, type Locator, type Page } from '@playwright/test';

const CLIP = '/home/mai/Phim/ngõ nhỏ Hà Nội.mp4';
const HARBOUR = '/home/mai/Phim/harbour.mov';
const PICTURE = '/home/mai/Ảnh/chợ Đồng Xuân.png';

async function open(page: Page, options: Record<string, string> = {}) {
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  const query = new URLSearchParams({ language: 'en', theme: 'dark', tick: '20', step: '60', ...options });
  await page.goto(`/?${query}`);
  return errors;
}

const strip = (page: Page) => page.getByRole('listbox').getByRole('option');
const card = (page: Page, name: string) => page.getByRole('radio', { name });
/** The card itself, which a pointer presses: its radio button is not shown. */
const pressable = (page: Page, name: string) => page.locator('label.card').filter({ has: page.getByText(name, { exact: true }) });

async function jobs(page: Page) {
  return page.evaluate(() => {
    const fake = (window as unknown as { fakeIpc: { jobs: Map<string, { spec: { input: string; output: string } }> } }).fakeIpc;
    return [...fake.jobs.values()].map(({ spec }) => spec);
  });
}

async function calls(page: Page, start: string) {
  return page.evaluate((start) => {
    const fake = (window as unknown as { fakeIpc: { calls: string[] } }).fakeIpc;
    return fake.calls.filter((call) => call.startsWith(start));
  }, start);
}

test('from a file to a running job of another kind takes two clicks', async ({ page }) => {
  const errors = await open(page, { files: CLIP });
  await pressable(page, 'Shrink for sharing').click();
  await page.locator('#start').click();
  await expect.poll(async () => (await jobs(page)).map(({ output }) => output)).toEqual(['/home/mai/Phim/ngõ nhỏ Hà Nội_small.mp4']);
  expect(errors).toEqual([]);
});

/** Those pictures that cannot be shown. */
async function broken(pictures: Locator) {
  return pictures.evaluateAll(async (images) => {
    const bad: string[] = [];
    for (const image of images as HTMLImageElement[]) {
      image.loading = 'eager';
      await image.decode().catch(() => bad.push(image.src));
      if (image.naturalWidth === 0) bad.push(image.src);
    }
    return bad;
  });
}

test('cards have samples that the program made where it can make one, and say what they do', async ({ page }) => {
  await open(page, { files: CLIP });
  await expect(page.locator('label.card')).toHaveCount(24);
  expect(await broken(page.locator('label.card img'))).toEqual([]);
  // A style has none.
  await expect(page.locator('label.card', { hasNot: page.locator('img') })).toHaveCount(1);
  await expect(pressable(page, 'Paint in a style').locator('img')).toHaveCount(0);
});

for (const theme of ['dark', 'light']) {
  test(`presets of the shelf show what comes of them: ${theme}`, async ({ page }) => {
    await open(page, { files: CLIP, theme });
    await page.getByRole('radio', { name: 'Presets' }).check({ force: true });
    const cards = page.locator('.card:has(input[name="saved"])');
    await expect(cards).toHaveCount(24);
    await expect(cards.locator('img')).toHaveCount(24);
    expect(await broken(cards.locator('img'))).toEqual([]);
    // All of a card chooses it, the picture too.
    await cards.filter({ hasText: 'Podcast clean-up' }).locator('img').click();
    await expect(page.getByRole('radio', { name: 'Podcast clean-up' })).toBeChecked();
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' ')}`)).toEqual([]);
  });
}

test('cards that a file is not for cannot be chosen and say why', async ({ page }) => {
  await open(page, { files: PICTURE });
  for (const name of ['Fix interlaced video', 'Make an animation', 'Frames as pictures']) {
    await expect(card(page, name)).toBeDisabled();
    await expect(pressable(page, name)).toContainText('For videos only.');
  }
  await open(page, { files: '/home/mai/Phim/silent long.mp4' });
  await expect(pressable(page, 'Even out loudness')).toContainText('This video has no sound.');
  await expect(pressable(page, 'Fix interlaced video')).toContainText('This video is not interlaced.');
  await expect(pressable(page, 'Make an animation')).toContainText('Longer than a minute');
  // A short stretch of it is no longer too long.
  await page.keyboard.press('o');
  await expect(card(page, 'Make an animation')).toBeEnabled();
  await page.keyboard.press('Alt+x');
  await expect(card(page, 'Make an animation')).toBeDisabled();
});

test('arrows go through the cards and Enter starts', async ({ page }) => {
  await open(page, { files: CLIP });
  await card(page, 'Enlarge').focus();
  await page.keyboard.press('ArrowRight');
  await expect(card(page, 'Clean up noise')).toBeChecked();
  // The next one is not for this file and is passed over.
  await page.keyboard.press('ArrowRight');
  await expect(card(page, 'Shrink for sharing')).toBeChecked();
  await page.keyboard.press('Enter');
  await expect.poll(async () => (await jobs(page)).length).toBe(1);
});

test('of several files each gets what fits it, or only the one that is shown', async ({ page }) => {
  await open(page, { files: [CLIP, PICTURE, HARBOUR].join(',') });
  await expect(page.locator('#start')).toHaveText(/Start 3 files/);
  await expect(pressable(page, 'Archive without loss')).toContainText('For 2 of 3 files.');
  await pressable(page, 'Archive without loss').click();
  await expect(strip(page).nth(1)).toContainText('Enlarge');
  await page.getByText('This file', { exact: true }).click();
  await pressable(page, 'Make an animation').click();
  await page.locator('#start').click();
  await expect
    .poll(async () => (await jobs(page)).map(({ output }) => output))
    .toEqual(['/home/mai/Phim/ngõ nhỏ Hà Nội.webp', '/home/mai/Ảnh/chợ Đồng Xuân_2x.png', '/home/mai/Phim/harbour_archive.mkv']);
});

test('format and name of a result can be chosen', async ({ page }) => {
  await open(page, { files: CLIP });
  await pressable(page, 'Make an animation').click();
  await page.getByRole('combobox', { name: 'Format' }).selectOption({ label: 'GIF' });
  await page.getByLabel('File name').fill('{name} moves');
  await page.getByLabel('File name').press('Tab');
  await expect(page.getByText('ngõ nhỏ Hà Nội moves.gif')).toBeVisible();
});

test('a picture on the clipboard is pasted by its button and by its keys, and there is no button without one', async ({ page }) => {
  await open(page);
  await expect(page.getByRole('button', { name: 'Choose files…' })).toBeVisible();
  await expect(page.getByRole('button', { name: /Paste/ })).toHaveCount(0);
  await page.keyboard.press('Control+v');
  await expect(page.getByText('Copy a picture or files first, then paste again.').or(page.getByRole('alert'))).toBeVisible();
  await open(page, { clipboard: 'picture' });
  await page.getByRole('button', { name: 'Paste picture' }).click();
  await expect(page.getByRole('listbox').getByRole('option', { name: /^Pasted .*2/ })).toBeVisible();
  // Names tell the second.
  await page.waitForTimeout(1100);
  await page.keyboard.press('Control+v');
  await expect(strip(page)).toHaveCount(2);
});

test('the stretch between I and O is what is done, and its ends can be moved', async ({ page }) => {
  await open(page, { files: HARBOUR });
  const time = page.getByRole('slider', { name: 'Moment in the clip' });
  await time.focus();
  for (let n = 0; n < 10; n += 1) await page.keyboard.press('ArrowRight');
  await page.keyboard.press('i');
  for (let n = 0; n < 24; n += 1) await page.keyboard.press('ArrowRight');
  await page.keyboard.press('o');
  await expect(page.getByText('Taken: 0:01.00')).toBeVisible();
  const end = page.getByRole('slider', { name: 'End of the stretch' });
  await end.focus();
  await page.keyboard.press('ArrowRight');
  await expect(page.getByText('Taken: 0:01.04')).toBeVisible();
  const box = await end.boundingBox();
  if (!box) throw new Error('no handle');
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + 160, box.y + box.height / 2, { steps: 5 });
  await page.mouse.up();
  expect(Number(await end.getAttribute('aria-valuenow'))).toBeGreaterThan(3_000_000);
  await page.locator('#start').click();
  const [spec] = (await jobs(page)) as unknown as { graph: { nodes: { op: string; params: unknown }[] } }[];
  expect(spec?.graph.nodes.find(({ op }) => op === 'trim')?.params).toMatchObject({ start: { num: 400_000, den: 1_000_000 } });
});

test('sound is heard in step with the pictures, without a gap, and stops with them', async ({ page }) => {
  await page.addInitScript(() => {
    const log: { when: number; first: number; length: number; rate: number; samples: number[] }[] = [];
    const contexts: BaseAudioContext[] = [];
    Object.assign(window, { heardLog: log, heardContexts: contexts });
    const start = AudioBufferSourceNode.prototype.start;
    AudioBufferSourceNode.prototype.start = function (this: AudioBufferSourceNode, when = 0, ...rest: number[]) {
      const left = this.buffer?.getChannelData(0);
      if (left) log.push({ when, first: left[0] ?? 0, length: left.length, rate: this.context.sampleRate, samples: [...left.slice(0, 64)] });
      contexts.push(this.context);
      return start.call(this, when, ...rest);
    };
    // Which frame is drawn while what is heard.
    const drawn: number[] = [];
    Object.assign(window, { drawnDrift: drawn });
    const draw = CanvasRenderingContext2D.prototype.drawImage as (...all: unknown[]) => void;
    CanvasRenderingContext2D.prototype.drawImage = function (this: CanvasRenderingContext2D, ...all: unknown[]) {
      draw.apply(this, all);
      const [first, context] = [log[0], contexts[0] as AudioContext | undefined];
      if (!this.canvas.isConnected || !first || !context) return;
      // It began at the start of the clip.
      const heard = (context.currentTime - (context.outputLatency || 0) - first.when) * 1e6;
      setTimeout(() => drawn.push(heard - Number(document.querySelector<HTMLInputElement>('.time input')?.value)), 0);
    } as typeof CanvasRenderingContext2D.prototype.drawImage;
  });
  const errors = await open(page, { files: HARBOUR });
  const time = page.getByRole('slider', { name: 'Moment in the clip' });
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  await expect.poll(async () => Number(await time.inputValue())).toBeGreaterThan(1_200_000);
  await page.waitForTimeout(1500);
  const drift = await page.evaluate(() => (window as unknown as { drawnDrift: number[] }).drawnDrift);
  // A frame of 40 ms is right as long as its sound is heard. This machine may be busy with other
  // things now and then, which is no drift: what most frames show counts.
  const sorted = drift.slice(2).sort((x, y) => x - y);
  expect(sorted.length).toBeGreaterThan(5);
  const median = sorted[Math.floor(sorted.length / 2)] ?? Infinity;
  console.log(`${sorted.length} frames drawn, ${(median / 1000).toFixed(1)} ms behind what is heard (half of them)`);
  expect(median).toBeGreaterThan(-40_000);
  expect(median).toBeLessThan(80_000);
  const log = await page.evaluate(() => (window as unknown as { heardLog: { when: number; length: number; rate: number; samples: number[] }[] }).heardLog);
  expect(log.length).toBeGreaterThan(3);
  for (const [n, { when, length, rate, samples }] of log.entries()) {
    const before = log[n - 1];
    if (before) expect(when).toBeCloseTo(before.when + before.length / before.rate, 6);
    expect(length).toBe(Math.round(rate / 2));
    // The fake clicks at each half second: exactly where each stretch begins.
    for (const [k, sample] of samples.slice(0, 32).entries()) {
      const at = n * length + k;
      expect(sample).toBeCloseTo(0.8 + 0.1 * Math.sin((2 * Math.PI * 220 * at) / rate), 3);
    }
  }
  await page.getByRole('button', { name: 'Pause', exact: true }).click();
  const asked = (await calls(page, 'sound')).length;
  await page.waitForTimeout(700);
  expect((await calls(page, 'sound')).length).toBe(asked);
  await page.keyboard.press('m');
  await expect(page.getByRole('button', { name: 'Turn the sound on' })).toBeVisible();
  await page.reload();
  await expect(page.getByRole('button', { name: 'Turn the sound on' })).toBeVisible();
  expect(errors).toEqual([]);
});

for (const theme of ['dark', 'light']) {
  for (const language of ['en', 'vi', 'fr']) {
    test(`Home is free of axe findings and nothing is cut off: ${theme}, ${language}`, async ({ page }) => {
      const check = async (where: string) => {
        await page.waitForTimeout(400);
        const { violations } = await new AxeBuilder({ page }).analyze();
        expect(violations.map(({ id, nodes }) => `${where}: ${id}: ${nodes.map((node) => node.html).join(' | ')}`)).toEqual([]);
        const wide = await page.evaluate(() => {
          const out = document.documentElement.scrollWidth > window.innerWidth ? ['the page'] : [];
          for (const element of document.querySelectorAll<HTMLElement>('.card .title, .card .what, .button, h2, summary')) {
            if (element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0) out.push(element.textContent ?? '');
          }
          return out;
        });
        expect(wide).toEqual([]);
      };
      await open(page, { theme, language, clipboard: 'picture' });
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
      await page.waitForTimeout(800);
      await check('welcome');
      await open(page, { theme, language, files: [CLIP, PICTURE].join(','), clipboard: 'picture' });
      await expect(page.locator('#start')).toBeEnabled();
      await page.locator('summary').first().click();
      await page.keyboard.press('i');
      await check('draft');
      await page.setViewportSize({ width: 600, height: 700 });
      await check('narrow');
    });
  }
}

test('nothing on the cards moves for those who asked for that', async ({ page }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await open(page, { files: CLIP });
  await pressable(page, 'Make an animation').hover();
  await expect(page.locator('.moving').first()).toBeHidden();
  await page.emulateMedia({ reducedMotion: 'no-preference' });
  await pressable(page, 'Make an animation').hover();
  await expect(page.locator('.moving').first()).toBeVisible();
});
