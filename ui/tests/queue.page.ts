import { AxeBuilder } from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';

const FILES = ['/home/mai/Phim/ngõ nhỏ Hà Nội.mp4', '/home/mai/Phim/harbour-untagged.mov', '/home/mai/Phim/đá và nước.mov', '/home/mai/Phim/fails here.mp4'];

async function open(page: Page, options: Record<string, string> = {}) {
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  // Slow enough that nothing ends by itself unless a test wants it to.
  const query = new URLSearchParams({ language: 'en', theme: 'dark', tick: '200', step: '2', ...options });
  await page.goto(`/?${query}`);
  await expect(page.getByRole('navigation')).toBeVisible();
  return errors;
}

/** Starts every file and goes to the queue. */
async function queue(page: Page, options: Record<string, string> = {}) {
  const errors = await open(page, { files: FILES.join(','), ...options });
  await expect(page.locator('#start')).toBeEnabled();
  await page.locator('#start').click();
  await page.keyboard.press('Control+4');
  await expect(page.locator('li.running')).toHaveCount(1);
  await expect(page.locator('li.queued')).toHaveCount(3);
  return errors;
}

const waiting = (page: Page) => page.locator('li.queued .name').allTextContents();
const calls = (page: Page) => page.evaluate(() => (window as unknown as { fakeIpc: { calls: string[] } }).fakeIpc.calls);

for (const theme of ['dark', 'light']) {
  for (const language of ['en', 'vi', 'fr']) {
    test(`queue and history are free of axe findings: ${theme}, ${language}`, async ({ page }) => {
      const check = async (where: string) => {
        const { violations } = await new AxeBuilder({ page }).analyze();
        const found = violations.map(({ id, nodes }) => `${where}: ${id}: ${nodes.map((node) => node.html).join(' | ')}`);
        expect(found).toEqual([]);
      };
      await open(page, { theme, language });
      await page.keyboard.press('Control+4');
      await check('empty queue');
      await page.keyboard.press('Control+5');
      await check('empty history');
      await queue(page, { theme, language, past: '40' });
      await page.getByRole('checkbox').nth(1).check();
      await check('queue with a selection');
      await page.locator('li.queued').first().getByRole('button').last().click();
      await expect(page.getByRole('menu')).toBeVisible();
      await check('menu');
      await page.keyboard.press('Escape');
      await page.locator('li.queued .name').first().focus();
      await page.keyboard.press('Escape');
      await page.keyboard.press('F2');
      await expect(page.getByRole('dialog')).toBeVisible();
      await page.waitForTimeout(500);
      await check('change a job');
      await page.keyboard.press('Escape');
      await page.keyboard.press('Control+5');
      await page.getByRole('option').nth(1).click();
      await expect(page.getByRole('heading', { level: 2 })).toBeVisible();
      await check('history');
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
      expect(wide).toBe(false);
    });
  }
}

test('waiting files are reordered with the keyboard, and the focus stays with the one that moved', async ({ page }) => {
  const errors = await queue(page);
  expect(await waiting(page)).toEqual(['harbour-untagged.mov', 'đá và nước.mov', 'fails here.mp4']);
  await page.locator('li.queued .name').nth(2).focus();
  await page.keyboard.press('Alt+ArrowUp');
  await expect.poll(() => waiting(page)).toEqual(['harbour-untagged.mov', 'fails here.mp4', 'đá và nước.mov']);
  await expect(page.locator('li.queued .name').nth(1)).toBeFocused();
  await page.keyboard.press('Alt+Home');
  await expect.poll(() => waiting(page)).toEqual(['fails here.mp4', 'harbour-untagged.mov', 'đá và nước.mov']);
  await page.keyboard.press('Alt+ArrowUp');
  await page.keyboard.press('Alt+ArrowDown');
  await expect.poll(() => waiting(page)).toEqual(['harbour-untagged.mov', 'fails here.mp4', 'đá và nước.mov']);
  expect(errors).toEqual([]);
});

test('several selected files move together by drag, in their order', async ({ page }) => {
  await queue(page);
  await page.locator('li.queued input').nth(1).check();
  await page.locator('li.queued input').nth(2).check();
  await expect(page.getByText('2 selected')).toBeVisible();
  const grip = await page.locator('li.queued .grip').nth(2).boundingBox();
  const first = await page.locator('li.queued').first().boundingBox();
  if (!grip || !first) throw new Error('no rows');
  await page.mouse.move(grip.x + 8, grip.y + 10);
  await page.mouse.down();
  await page.mouse.move(first.x + 40, first.y + 8, { steps: 6 });
  await expect(page.locator('li.line')).toHaveCount(1);
  await page.mouse.up();
  await expect.poll(() => waiting(page)).toEqual(['đá và nước.mov', 'fails here.mp4', 'harbour-untagged.mov']);
  await expect(page.locator('li.line')).toHaveCount(0);
});

test('a row opens its file on Home', async ({ page }) => {
  await queue(page);
  await page.locator('li.queued .name').first().click();
  await expect(page.getByRole('heading', { level: 1, name: 'harbour-untagged.mov' })).toBeVisible();
});

test('pausing the queue lets nothing begin, and resuming goes on with the same order', async ({ page }) => {
  await queue(page);
  await page.getByRole('button', { name: 'Pause queue' }).click();
  await expect(page.getByText('The queue is paused.')).toBeVisible();
  await expect(page.locator('li.queued')).toHaveCount(4);
  expect((await waiting(page))[0]).toBe('ngõ nhỏ Hà Nội.mp4');
  await page.waitForTimeout(800);
  await expect(page.locator('li.running')).toHaveCount(0);
  await page.getByRole('button', { name: 'Resume queue' }).click();
  await expect(page.locator('li.running .name')).toHaveText('ngõ nhỏ Hà Nội.mp4');
});

test('two run at once where that is asked for', async ({ page }) => {
  await queue(page);
  await page.getByRole('radio', { name: '2', exact: true }).first().check({ force: true });
  await expect(page.locator('li.running')).toHaveCount(2);
  await expect(page.locator('#queue-summary')).toContainText('2 running · 2 waiting');
});

test('a file that waits is changed, and what cannot be done is said in the dialog', async ({ page }) => {
  await queue(page);
  await page.locator('li.queued .name').first().focus();
  await page.keyboard.press('F2');
  const dialog = page.getByRole('dialog', { name: 'Change this file' });
  await dialog.getByLabel('Video codec').selectOption('dnxhr');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(dialog.getByRole('alert')).toBeVisible();
  await dialog.getByLabel('Video codec').selectOption('hevc');
  await dialog.getByRole('radio', { name: 'Archive' }).check({ force: true });
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(dialog).toBeHidden();
  await expect(page.locator('li.queued').first()).toContainText('Archive');
  await expect(page.locator('li.queued').first()).toContainText('HEVC');
});

test('cancelling several asks first, and the harmless answer has the focus', async ({ page }) => {
  await queue(page);
  await page.locator('li.queued .name').first().focus();
  await page.keyboard.press('Control+a');
  await expect(page.getByText('4 selected')).toBeVisible();
  await page.keyboard.press('Delete');
  const dialog = page.getByRole('dialog', { name: 'Cancel 4 files?' });
  await expect(dialog.getByRole('button', { name: 'Keep' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.locator('li.running, li.queued')).toHaveCount(4);
  await page.keyboard.press('Delete');
  await dialog.getByRole('button', { name: 'Cancel 4 files' }).click();
  await expect(page.getByText('Nothing is waiting.')).toBeVisible();
});

test('a failed file is tried again with safer settings', async ({ page }) => {
  await open(page, { files: '/home/mai/Phim/fails here.mp4', step: '60', tick: '30' });
  await page.locator('#start').click();
  await page.keyboard.press('Control+4');
  await expect(page.locator('li.failed')).toHaveCount(1);
  await page.getByRole('button', { name: 'More for fails here.mp4' }).click();
  await page.getByRole('menuitem', { name: /safer settings/ }).click();
  await expect.poll(() => calls(page)).toContainEqual('retry fake-1 safer');
});

test('the machine is not shut down while somebody objects, and is when nobody does', async ({ page }) => {
  await open(page, { files: FILES[0] ?? '', step: '500', tick: '100', countdown: '3' });
  await page.keyboard.press('Control+4');
  await page.getByLabel('When the queue is done').selectOption('shut_down');
  await page.keyboard.press('Control+1');
  await page.locator('#start').click();
  const dialog = page.getByRole('dialog', { name: /shuts down in \d s/ });
  await expect(dialog.getByRole('button', { name: 'Stop' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(dialog).toBeHidden();
  await page.waitForTimeout(3500);
  expect((await calls(page)).filter((call) => call.startsWith('power'))).toEqual([]);
  expect(await calls(page)).toContainEqual('notify The queue is done: 1 file is done.');
  // It was for that queue: the next one ends without it, unless it is asked for again.
  await page.keyboard.press('Control+4');
  await expect(page.getByLabel('When the queue is done')).toHaveValue('nothing');
  await page.getByLabel('When the queue is done').selectOption('sleep');
  await page.keyboard.press('Control+5');
  await page.getByRole('option').first().click();
  await page.getByRole('button', { name: 'Run again' }).click();
  await expect.poll(() => calls(page)).toContainEqual('power sleep');
});

test('files left from the last time are asked about before they begin', async ({ page }) => {
  await open(page, { waiting: FILES.slice(0, 2).join(',') });
  const dialog = page.getByRole('dialog', { name: 'Unfinished files' });
  await expect(dialog).toContainText('2 files are left from last time.');
  await page.waitForTimeout(800);
  await page.getByRole('button', { name: 'Not now' }).click();
  await page.keyboard.press('Control+4');
  await expect(page.locator('li.paused')).toHaveCount(2);
  await open(page, { waiting: FILES.slice(0, 2).join(',') });
  await dialog.getByRole('button', { name: 'Resume' }).click();
  await page.keyboard.press('Control+4');
  await expect(page.locator('li.running')).toHaveCount(1);
});

test('thousands of finished files stay a handful of rows, and words find them without accents', async ({ page }) => {
  const errors = await open(page, { past: '3000' });
  await page.keyboard.press('Control+5');
  await expect(page.getByRole('option').first()).toBeVisible();
  expect(await page.getByRole('option').count()).toBeLessThan(40);
  await page.getByRole('listbox', { name: 'Finished files, newest first' }).focus();
  await page.keyboard.press('End');
  await expect(page.locator('[aria-posinset="3000"]')).toBeVisible();
  await page.keyboard.press('/');
  await page.keyboard.type('DA VA');
  await expect(page.getByText('500 files')).toBeVisible();
  await expect(page.getByRole('option').first()).toContainText('đá và nước.mov');
  await page.getByRole('radio', { name: /^Failed/ }).check({ force: true });
  await expect(page.getByRole('option').first()).toContainText('Failed');
  expect(errors).toEqual([]);
});

test('a finished file is compared on Home, run again, run with changes, and removed', async ({ page }) => {
  await open(page, { past: '12' });
  await page.keyboard.press('Control+5');
  await page.getByRole('option').first().click();
  await page.getByRole('button', { name: 'Compare on Home' }).click();
  await expect(page.getByRole('slider').first()).toBeVisible();
  await page.keyboard.press('Control+5');
  await page.getByRole('option').nth(1).click();
  await page.getByRole('button', { name: 'Run with changes…' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'đá và nước.mov' })).toBeVisible();
  await expect(page.locator('#start')).toBeEnabled();
  await page.keyboard.press('Control+5');
  await page.getByRole('option').first().click();
  await page.getByRole('button', { name: 'Remove from history' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click();
  await expect(page.getByText('11 files')).toBeVisible();
  await page.getByRole('button', { name: 'Run again' }).click();
  await page.keyboard.press('Control+4');
  await expect(page.locator('li.running')).toHaveCount(1);
});

test('a narrow window shows both places without scrolling sideways', async ({ page }) => {
  await page.setViewportSize({ width: 560, height: 700 });
  await queue(page, { past: '30', language: 'fr' });
  const wide = () => page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
  expect(await wide()).toBe(false);
  await page.keyboard.press('Control+5');
  await page.getByRole('option').first().click();
  await page.getByRole('button', { name: 'Retour à la liste' }).click();
  await expect(page.getByRole('option').first()).toBeVisible();
  expect(await wide()).toBe(false);
});

for (const width of [1280, 1000, 640]) {
  test(`the details of the history are no wider than their place: ${width} pixels`, async ({ page }) => {
    await page.setViewportSize({ width, height: 800 });
    await open(page, { past: '12' });
    await page.keyboard.press('Control+5');
    await page.getByText('fête de l’été.mkv').first().click();
    const details = page.getByRole('region', { name: 'What was done' });
    await expect(details.getByRole('button', { name: 'Run again' })).toBeVisible();
    const wide = await details.evaluate((pane) => pane.scrollWidth - pane.clientWidth);
    expect(wide).toBeLessThanOrEqual(0);
  });
}
