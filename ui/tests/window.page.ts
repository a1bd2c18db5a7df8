import { AxeBuilder } from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';

const FILES = ['/home/mai/Phim/ngõ nhỏ Hà Nội.mp4', '/home/mai/Phim/harbour-untagged.mov', '/home/mai/Phim/broken upload.mp4'];

async function open(page: Page, options: Record<string, string> = {}) {
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  const query = new URLSearchParams({ language: 'en', theme: 'dark', tick: '20', step: '60', ...options });
  await page.goto(`/?${query}`);
  return errors;
}

const withFiles = { files: FILES.join(',') };

async function finish(page: Page) {
  await page.getByRole('button', { name: /^Start|^Bắt đầu|^Démarrer/ }).click();
  await expect(page.getByRole('slider').first()).toBeVisible({ timeout: 30_000 });
  await page.waitForTimeout(1200);
}

for (const theme of ['dark', 'light']) {
  for (const language of ['en', 'vi', 'fr']) {
    test(`every view is free of axe findings: ${theme}, ${language}`, async ({ page }) => {
      const check = async (where: string) => {
        const { violations } = await new AxeBuilder({ page }).analyze();
        const found = violations.map(({ id, nodes }) => `${where}: ${id}: ${nodes.map((node) => node.html).join(' | ')}`);
        expect(found).toEqual([]);
      };
      await open(page, { theme, language });
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
      await page.waitForTimeout(1200);
      await check('welcome');
      await open(page, { theme, language, ...withFiles });
      await expect(page.locator('#start')).toBeEnabled();
      await check('draft');
      await page.getByRole('option', { name: 'broken upload.mp4' }).click();
      await expect(page.getByRole('alert')).toBeVisible();
      await check('refused');
      await page.getByRole('option').first().click();
      await page.keyboard.press('Control+,');
      await page.waitForTimeout(500);
      await check('settings');
      await page.keyboard.press('Control+6');
      await check('models');
      await page.keyboard.press('Control+7');
      await check('outgoing');
      await page.keyboard.press('Control+k');
      await page.waitForTimeout(400);
      await check('palette');
      await page.keyboard.press('Escape');
      await page.keyboard.press('Control+1');
      await finish(page);
      await check('compare');
      await open(page, { theme, language, cut: FILES.slice(0, 2).join(',') });
      await expect(page.getByRole('dialog')).toBeVisible();
      await page.waitForTimeout(500);
      await check('cut short');
    });
  }
}

test('the divider, zoom and pan obey the keyboard', async ({ page }) => {
  const errors = await open(page, withFiles);
  await finish(page);
  const divider = page.getByRole('slider', { name: 'Divider between before and after' });
  await divider.focus();
  await page.keyboard.press('Shift+ArrowRight');
  await expect(divider).toHaveAttribute('aria-valuenow', '60');
  await page.keyboard.press('Home');
  await expect(divider).toHaveAttribute('aria-valuenow', '0');
  await page.keyboard.press('2');
  await expect(page.getByRole('button', { name: '200%' })).toHaveAttribute('aria-pressed', 'true');
  const image = page.getByRole('img', { name: /^After/ });
  const before = await image.boundingBox();
  await page.getByRole('application').focus();
  await page.keyboard.press('ArrowRight');
  const after = await image.boundingBox();
  expect(after?.x).toBeLessThan(before?.x ?? 0);
  await page.keyboard.press('0');
  await expect(page.getByRole('button', { name: 'Fit' })).toHaveAttribute('aria-pressed', 'true');
  expect(errors).toEqual([]);
});

test('dragging moves the divider, the wheel zooms where the pointer is, and then dragging moves the picture', async ({ page }) => {
  await open(page, withFiles);
  await finish(page);
  const viewport = page.getByRole('application');
  const box = await viewport.boundingBox();
  if (!box) throw new Error('no viewport');
  const divider = page.getByRole('slider', { name: 'Divider between before and after' });
  await page.mouse.move(box.x + box.width / 2, box.y + 100);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 4, box.y + 120, { steps: 4 });
  await page.mouse.up();
  await expect(divider).toHaveAttribute('aria-valuenow', '25');
  await page.mouse.move(box.x + box.width * 0.75, box.y + box.height / 2);
  await page.mouse.wheel(0, -900);
  const image = page.getByRole('img', { name: /^After/ });
  const enlarged = await image.boundingBox();
  expect(enlarged?.width).toBeGreaterThan(box.width * 1.5);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.75 - 120, box.y + box.height / 2, { steps: 4 });
  await page.mouse.up();
  const moved = await image.boundingBox();
  expect((enlarged?.x ?? 0) - (moved?.x ?? 0)).toBeCloseTo(120, -1);
  await expect(divider).toHaveAttribute('aria-valuenow', '25');
});

test('holding a key shows the original', async ({ page }) => {
  await open(page, withFiles);
  await finish(page);
  await page.keyboard.down('h');
  await expect(page.getByRole('slider', { name: 'Divider between before and after' })).toBeHidden();
  await page.keyboard.up('h');
  await expect(page.getByRole('slider', { name: 'Divider between before and after' })).toBeVisible();
});

test('every control is reached with the tab key and shows that it has the focus', async ({ page }) => {
  await open(page, withFiles);
  await expect(page.locator('#start')).toBeEnabled();
  await page.locator('summary').first().click();
  const seen = new Set<string>();
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press('Tab');
    const focus = await page.evaluate(() => {
      const element = document.activeElement;
      if (!element || element === document.body) return null;
      // A hidden radio button shows its focus on its label, a list box on the card that is chosen.
      const shown =
        (element.matches('[type=radio]') ? element.closest('label') : null) ?? (element.matches('[role=listbox]') ? element.querySelector('[aria-selected=true] .frame') : null) ?? element;
      const style = getComputedStyle(shown);
      return {
        name: element.getAttribute('aria-label') ?? element.closest('label')?.textContent?.trim() ?? element.textContent?.trim() ?? '',
        ring: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
      };
    });
    if (!focus) continue;
    expect(focus, `no focus ring on ${focus.name}`).toMatchObject({ ring: true });
    seen.add(focus.name);
  }
  for (const name of ['Settings', 'Keyboard shortcuts', 'Add files', 'Add folder', 'Files and jobs', 'Only this one', 'Good', '2×']) {
    expect([...seen]).toContain(name);
  }
  expect([...seen].some((name) => name.startsWith('Start 2 files'))).toBe(true);
});

test('a window at 200 % shows everything without scrolling sideways', async ({ page }) => {
  await page.setViewportSize({ width: 600, height: 400 });
  await open(page, withFiles);
  await expect(page.locator('#start')).toBeEnabled();
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
  expect(wide).toBe(false);
  await page.locator('#start').scrollIntoViewIfNeeded();
  await expect(page.locator('#start')).toBeInViewport();
});

test('nothing moves for those who asked for that', async ({ page }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await open(page, withFiles);
  await page.locator('#start').click();
  const divider = page.getByRole('slider', { name: 'Divider between before and after' });
  await expect(divider).toBeVisible({ timeout: 30_000 });
  expect(await divider.getAttribute('aria-valuenow')).toBe('50');
});

test('side by side, lens and difference show both pictures at one place, and figures are told', async ({ page }) => {
  const errors = await open(page, withFiles);
  await finish(page);
  await page.keyboard.press('2');
  await page.getByRole('button', { name: 'Side by side' }).click();
  const [before, after] = [page.getByRole('img', { name: /^Before/ }), page.getByRole('img', { name: /^After/ })];
  const place = async () => {
    const [b, a, box] = [await before.boundingBox(), await after.boundingBox(), await page.getByRole('application').boundingBox()];
    if (!a || !b || !box) throw new Error('a picture is missing');
    expect(a.width).toBeCloseTo(b.width, 0);
    return { apart: a.x - b.x, half: box.width / 2, x: b.x };
  };
  const first = await place();
  expect(first.apart).toBeCloseTo(first.half, 0);
  await page.getByRole('application').focus();
  await page.keyboard.press('ArrowRight');
  const moved = await place();
  expect(moved.apart).toBeCloseTo(first.half, 0);
  expect(moved.x).toBeLessThan(first.x);
  await page.getByRole('button', { name: 'Lens' }).click();
  expect((await place()).apart).toBeCloseTo(0, 0);
  await page.getByRole('button', { name: 'Difference', exact: true }).click();
  await expect(page.getByText('Difference, times 4')).toBeVisible();
  await page.getByRole('button', { name: 'Measure this frame' }).click();
  await expect(page.getByText('PSNR 38.4 dB')).toBeVisible();
  await expect(page.getByText('noise 4.2 → 1.1')).toBeVisible();
  await expect(page.getByText('edges of blocks 1.9 → 0.2')).toBeVisible();
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id }) => id)).toEqual([]);
  expect(errors).toEqual([]);
});

test('steps go from frame to frame, and a loop plays until it is stopped', async ({ page }) => {
  await open(page, { files: '/home/mai/Phim/harbour.mov' });
  await finish(page);
  const time = page.getByRole('slider', { name: 'Moment in the clip' });
  const start = Number(await time.inputValue());
  await page.keyboard.press('.');
  await page.keyboard.press('.');
  const there = Number(await time.inputValue());
  expect(there - start).toBeGreaterThan(40_000);
  expect(there % 40_000).toBe(0);
  await page.keyboard.press(',');
  expect(Number(await time.inputValue())).toBe(there - 40_000);
  await page.keyboard.press('Space');
  await expect(page.locator('canvas')).toHaveCount(2, { timeout: 60_000 });
  await page.keyboard.press('Space');
  await expect(page.locator('canvas')).toHaveCount(0);
  await expect(page.getByRole('img', { name: /^After/ })).toBeVisible();
});

test('a clip is looked at before it is started: scrubbed, stepped, played, and tried for three seconds', async ({ page }) => {
  const errors = await open(page, { files: '/home/mai/Phim/harbour.mov' });
  await expect(page.locator('#start')).toBeEnabled();
  const time = page.getByRole('slider', { name: 'Moment in the clip' });
  await time.focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await expect(page.locator('canvas')).toBeVisible();
  expect(Number(await time.inputValue())).toBe(80_000);
  await page.keyboard.press(',');
  expect(Number(await time.inputValue())).toBe(40_000);
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  await expect.poll(async () => Number(await time.inputValue())).toBeGreaterThan(400_000);
  await page.getByRole('button', { name: 'Pause', exact: true }).click();
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id }) => id)).toEqual([]);
  await page.getByRole('button', { name: 'Try 3 seconds' }).click();
  await expect(page.getByText(/^The whole would take about/)).toBeVisible({ timeout: 60_000 });
  await expect(page.getByRole('option')).toHaveCount(2);
  expect(errors).toEqual([]);
});
