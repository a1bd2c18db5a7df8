import { AxeBuilder } from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';

async function open(page: Page, options: Record<string, string> = {}) {
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await page.goto(`/?${new URLSearchParams({ language: 'en', theme: 'dark', tick: '20', step: '60', ...options })}`);
  return errors;
}

async function canvas(page: Page) {
  await page.locator('[data-place=canvas]').click();
  await expect(page.locator('.svelte-flow__node-card').first()).toBeVisible();
}

const calls = (page: Page, what: string) =>
  page.evaluate((what) => (window as unknown as { fakeIpc: { calls: string[] } }).fakeIpc.calls.filter((call) => call.startsWith(what)), what);
/** What the system's dialogs give from now on. */
const choose = (page: Page, path: string) =>
  page.evaluate((path) => {
    type Asked = 'chooseProject' | 'chooseFile' | 'chooseFolder';
    const { fakeIpc } = window as unknown as { fakeIpc: Record<Asked, () => Promise<string>> };
    for (const asked of ['chooseProject', 'chooseFile', 'chooseFolder'] as const) fakeIpc[asked] = async () => path;
  }, path);
const state = (page: Page) => page.locator('.tools .state');

for (const theme of ['dark', 'light']) {
  for (const language of ['en', 'vi', 'fr']) {
    test(`projects are free of axe findings: ${theme}, ${language}`, async ({ page }, { outputDir }) => {
      const errors = await open(page, { theme, language, recovery: '1' });
      const check = async (where: string) => {
        await page.waitForTimeout(350);
        const { violations } = await new AxeBuilder({ page }).analyze();
        const found = violations.map(({ id, nodes }) => `${where}: ${id}: ${nodes.map((node) => node.html.slice(0, 300)).join(' | ')}`);
        expect(found).toEqual([]);
        await page.screenshot({ path: `${outputDir}/${language}-${theme}-${where}.png` });
      };
      await expect(page.getByRole('dialog')).toBeVisible();
      await check('recovery');
      await page.keyboard.press('Escape');
      await expect(page.getByRole('dialog')).toHaveCount(0);
      await canvas(page);
      await choose(page, '/home/mai/Phim/lost.frameloom');
      await page.keyboard.press('Control+Shift+f');
      await expect(page.getByRole('dialog')).toBeVisible();
      await check('sources');
      await page.keyboard.press('Escape');
      await page.keyboard.press('Control+a');
      await page.keyboard.press('Control+g');
      await expect(state(page)).toHaveClass(/unsaved/);
      await check('bar');
      await page.keyboard.press('Control+Shift+p');
      await expect(page.getByRole('dialog')).toBeVisible();
      await check('project');
      await page.keyboard.press('Escape');
      await page.keyboard.press('Control+Shift+l');
      await expect(page.getByRole('progressbar')).toBeVisible();
      await check('locking');
      await expect(page.getByRole('progressbar')).toHaveCount(0);
      await check('locked');
      await page.keyboard.press('Escape');
      await page.keyboard.press('Control+Shift+v');
      await expect(page.locator('.verdict')).toBeVisible();
      await check('verified');
      await page.keyboard.press('Escape');
      await page.keyboard.press('Control+Shift+c');
      await page.getByRole('dialog').locator('.choose').click();
      await expect(page.getByRole('dialog').locator('.numbers')).toBeVisible();
      await check('collect');
      expect(errors).toEqual([]);
    });
  }
}

test('a project is saved, changed, saved again and opened, all by key', async ({ page }) => {
  const errors = await open(page);
  await canvas(page);
  await expect(state(page)).toHaveCount(0);
  await page.keyboard.press('Control+s');
  await expect(state(page)).toHaveText('Saved to the file');
  await expect.poll(() => calls(page, 'saveProject')).toEqual(['saveProject /home/mai/Phim/Untitled graph.frameloom Untitled graph']);
  // A change is marked at once, and noted by itself a little later.
  await page.keyboard.press('Control+a');
  await page.keyboard.press('Control+g');
  await expect(state(page)).toHaveText('Not saved to the file');
  await expect.poll(() => calls(page, 'autosaveProject')).toEqual(['autosaveProject /home/mai/Phim/Untitled graph.frameloom']);
  await page.keyboard.press('Control+z');
  await expect(state(page)).toHaveText('Saved to the file');
  await page.getByRole('textbox', { name: 'Name of the graph' }).fill('Evening');
  await expect(state(page)).toHaveText('Not saved to the file');
  await page.keyboard.press('Control+Shift+s');
  await expect(state(page)).toHaveText('Saved to the file');
  await expect.poll(async () => (await calls(page, 'saveProject')).at(-1)).toBe('saveProject /home/mai/Phim/Evening.frameloom Evening');
  await expect(page.locator('.tools .project')).toHaveText('Evening.frameloom');
  // A new one has no file; what was drawn before is among the recent ones.
  await page.locator('.svelte-flow__pane').click({ position: { x: 20, y: 20 } });
  await page.keyboard.press('Control+Shift+n');
  await expect(state(page)).toHaveCount(0);
  await page.keyboard.press('Control+Shift+p');
  await page.getByRole('dialog').getByRole('button', { name: /^Evening/ }).click();
  await expect(state(page)).toHaveText('Saved to the file');
  expect(errors).toEqual([]);
});

test('missing and changed files are named, and found again one by one', async ({ page }) => {
  const errors = await open(page);
  await canvas(page);
  await choose(page, '/home/mai/Phim/lost.frameloom');
  await page.keyboard.press('Control+Shift+f');
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByRole('listitem')).toHaveCount(2);
  await expect(dialog).toContainText('Missing');
  await expect(dialog).toContainText('another file is in its place');
  await choose(page, '/home/mai/ngõ nhỏ.mp4');
  await dialog.getByRole('button', { name: 'Choose a file…' }).first().click();
  await expect(dialog.getByRole('listitem')).toHaveCount(1);
  // Another content is asked about before it is taken.
  await dialog.getByRole('button', { name: 'Choose a file…' }).click();
  await expect(dialog).toContainText('holds something else than before');
  await dialog.getByRole('button', { name: 'Take it all the same' }).click();
  await expect(dialog).toHaveCount(0);
  expect(await calls(page, 'relinkProject')).toHaveLength(2);
  expect(errors).toEqual([]);
});

test('what was not saved is offered at the start and taken only when it is asked for', async ({ page }) => {
  await open(page, { recovery: '1' });
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('Ngõ nhỏ Hà Nội');
  expect(await calls(page, 'recoverProject')).toEqual([]);
  await expect(dialog.getByRole('button', { name: 'Restore them' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(dialog).toHaveCount(0);
  await expect(page.locator('.svelte-flow__node-card')).toHaveCount(4);
  // It is not in the file until it is saved.
  await expect(state(page)).toHaveText('Not saved to the file');
  await page.keyboard.press('Control+s');
  await expect(state(page)).toHaveText('Saved to the file');
});

test('changes that are thrown away are gone', async ({ page }) => {
  await open(page, { recovery: '1' });
  await page.getByRole('button', { name: 'Throw them away' }).click();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  expect(await calls(page, 'dropRecovery')).toHaveLength(1);
});

test('a project is locked, verified, and says what differs', async ({ page }) => {
  const errors = await open(page);
  await canvas(page);
  await page.keyboard.press('Control+Shift+f');
  await expect(state(page)).toHaveText('Saved to the file');
  await page.keyboard.press('Control+Shift+l');
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('The project is locked');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+Shift+v');
  await expect(dialog).toContainText('3 frames were rendered again');
  await page.keyboard.press('Escape');
  await choose(page, '/home/mai/Phim/lost.frameloom');
  await page.keyboard.press('Control+Shift+f');
  await expect(dialog).toContainText('Files of the project');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+Shift+l');
  await expect(dialog).toContainText('The project is locked');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+Shift+v');
  await expect(dialog).toContainText('It does not make the same');
  await expect(dialog).toContainText(/The node “Mirror”, Direction: .+ then, .+ now\./);
  await expect(dialog).toContainText('Frame at 0:00.04');
  await expect(dialog).toContainText('It cannot be rendered any more: Memory ran out.');
  // In the words of the window, whatever they are: the program's own are for the command line.
  await expect(dialog).not.toContainText('said in English');
  expect(errors).toEqual([]);
});

test('collecting tells what it takes first, and can be stopped', async ({ page }) => {
  await open(page);
  await canvas(page);
  await page.keyboard.press('Control+Shift+f');
  await expect(state(page)).toBeVisible();
  await page.keyboard.press('Control+Shift+c');
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByRole('button', { name: 'Collect', exact: true })).toBeDisabled();
  await choose(page, '/media/slow disk');
  await dialog.getByRole('button', { name: 'Choose a folder…' }).click();
  await expect(dialog).toContainText('3 files, 48 MB');
  await dialog.getByRole('button', { name: 'Collect', exact: true }).click();
  await dialog.getByRole('button', { name: 'Stop' }).click();
  await expect(dialog).toHaveCount(0);
  await choose(page, '/media/disk');
  await page.keyboard.press('Control+Shift+c');
  await dialog.getByRole('button', { name: 'Choose a folder…' }).click();
  await dialog.getByRole('button', { name: 'Collect', exact: true }).click();
  await expect(dialog).toContainText('3 files were copied');
});

test('a copied project tells how far it is read, and that can be stopped', async ({ page }) => {
  const errors = await open(page);
  await canvas(page);
  await choose(page, '/media/disk/copied.frameloom');
  await page.keyboard.press('Control+Shift+f');
  const dialog = page.getByRole('dialog', { name: 'Opening the project' });
  await expect(dialog).toContainText('ngõ nhỏ.mp4');
  await expect(dialog).toContainText(/\d+ (MB|bytes) of 45 MB/);
  await dialog.getByRole('button', { name: 'Stop' }).click();
  await expect(dialog).toHaveCount(0);
  await expect(page.locator('.svelte-flow__node-card')).toHaveCount(2);
  await expect(page.getByRole('alert')).toHaveCount(0);
  await page.keyboard.press('Control+Shift+f');
  await expect(page.locator('.svelte-flow__node-card')).toHaveCount(3, { timeout: 15_000 });
  await expect(dialog).toHaveCount(0);
  expect(errors).toEqual([]);
});

test('a project that is damaged is refused with a sentence, and what was drawn stays', async ({ page }) => {
  await open(page);
  await canvas(page);
  await choose(page, '/home/mai/damaged.frameloom');
  await page.keyboard.press('Control+Shift+f');
  await expect(page.getByRole('alert')).toContainText('is damaged and cannot be opened');
  await expect(page.locator('.svelte-flow__node-card')).toHaveCount(2);
});
