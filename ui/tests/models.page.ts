/** Models of the user: added from a file, corrected, used, removed. */
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';

interface Fake {
  dropFiles(paths: string[]): void;
  calls: string[];
  chooseFile(): Promise<string | null>;
}

async function open(page: Page, options: Record<string, string> = {}) {
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await page.goto(`/?${new URLSearchParams({ language: 'en', theme: 'dark', tick: '20', ...options })}`);
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await page.keyboard.press('Control+6');
  return errors;
}

const calls = (page: Page) => page.evaluate(() => (window as unknown as { fakeIpc: Fake }).fakeIpc.calls);
const choosing = (page: Page, path: string | null) =>
  page.evaluate((chosen) => {
    (window as unknown as { fakeIpc: Fake }).fakeIpc.chooseFile = async () => chosen;
  }, path);

for (const [theme, language] of [
  ['dark', 'en'],
  ['light', 'vi'],
  ['dark', 'fr'],
] as const) {
  test(`adding and removing a model is free of axe findings: ${theme}, ${language}`, async ({ page }) => {
    await page.setViewportSize({ width: 560, height: 700 });
    await open(page, { theme, language });
    const check = async () => {
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' | ')}`)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth)).toBe(false);
    };
    await page.locator('main > header > button').click();
    const dialog = page.getByRole('dialog');
    await expect(dialog.locator('input[type=text]').first()).toHaveValue('anime-x2');
    await check();
    await dialog.locator('button[type=submit]').click();
    await expect(dialog).toBeHidden();
    await page.locator('.models > li').last().locator('.row button').last().click();
    await expect(page.getByRole('dialog')).toBeVisible();
    await check();
  });
}

test('a file is tried, corrected, added under a name and removed, with the keyboard alone', async ({ page }) => {
  const errors = await open(page);
  const before = await page.locator('.models > li').count();
  await page.getByRole('button', { name: 'Add a model…' }).focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Add a model' });
  await expect(dialog).toContainText('Enlarges 2 times');
  await dialog.getByLabel('Name', { exact: true }).fill('Anime, mine');
  await dialog.getByLabel('Licence', { exact: true }).fill('BSD-3-Clause');
  await dialog.getByLabel('Channels').selectOption('bgr');
  await expect(dialog.getByLabel('Channels')).toHaveValue('bgr');
  await dialog.getByLabel('Black and white').focus();
  await dialog.getByLabel('Black and white').selectOption('byte');
  await expect(dialog.getByRole('button', { name: 'Add', exact: true })).toBeEnabled();
  await expect(dialog.getByLabel('Black and white')).toBeFocused();
  await expect(dialog.getByLabel('Black and white')).toHaveValue('byte');
  // What was typed is still there behind a new trial.
  await expect(dialog.getByLabel('Name', { exact: true })).toHaveValue('Anime, mine');
  await dialog.getByLabel('Keeps brightness and colours').focus();
  await page.keyboard.press('Space');
  await dialog.getByLabel('Name', { exact: true }).press('Enter');
  await expect(dialog).toBeHidden();
  await expect(page.getByText('“Anime, mine” was added.')).toBeVisible();
  const model = page.locator('.models > li', { hasText: 'Anime, mine' });
  await expect(model).toContainText('BSD-3-Clause');
  const said = (await calls(page)).filter((call) => /^(look|import)/.test(call));
  expect(said).toEqual([
    'look at /home/mai/Tải xuống/anime-x2.onnx - -',
    'look at /home/mai/Tải xuống/anime-x2.onnx - bgr',
    'look at /home/mai/Tải xuống/anime-x2.onnx byte bgr',
    'import Anime, mine BSD-3-Clause faithful',
  ]);
  await model.getByRole('button', { name: 'Remove…' }).click();
  const asked = page.getByRole('dialog', { name: 'Remove “Anime, mine”?' });
  await asked.getByRole('button', { name: 'Keep' }).click();
  await expect(model).toBeVisible();
  await model.getByRole('button', { name: 'Remove…' }).click();
  await asked.getByRole('button', { name: 'Remove' }).click();
  await expect(model).toHaveCount(0);
  await expect(page.locator('.models > li')).toHaveCount(before);
  expect(errors).toEqual([]);
});

test('a file is looked at on a picture before it is added, and again when it is corrected', async ({ page }) => {
  const errors = await open(page);
  await page.getByRole('button', { name: 'Add a model…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Add a model' });
  await expect(dialog.getByLabel('Name', { exact: true })).toHaveValue('anime-x2');
  await expect(dialog.getByRole('img')).toHaveCount(0);
  await choosing(page, '/pictures/cat.png');
  await dialog.getByRole('button', { name: 'Look at it on a picture…' }).click();
  await expect(dialog.getByRole('img', { name: 'Before' })).toBeVisible();
  await expect(dialog.getByRole('img', { name: 'After' })).toBeVisible();
  const seen = async () => (await calls(page)).filter((call) => call.startsWith('viewNode'));
  expect(await seen()).toEqual(['viewNode  0', 'viewNode onnx 0']);
  await dialog.getByLabel('Black and white').selectOption('byte');
  await expect.poll(seen).toHaveLength(4);
  // A picture that cannot be made says why, and the model can be added all the same.
  await choosing(page, '/pictures/crash.png');
  await dialog.getByRole('button', { name: 'Look at it on a picture…' }).click();
  await expect(dialog).toContainText('crashed');
  await expect(dialog.getByRole('button', { name: 'Add', exact: true })).toBeEnabled();
  expect(errors).toEqual([]);
});

test('what is dropped on the window goes where it belongs: media, a model, a project', async ({ page }) => {
  const errors = await open(page);
  const drop = (...paths: string[]) => page.evaluate((dropped) => (window as unknown as { fakeIpc: Fake }).fakeIpc.dropFiles(dropped), paths);
  await drop('/models/anime-x2.onnx');
  const dialog = page.getByRole('dialog', { name: 'Add a model' });
  await expect(dialog).toContainText('anime-x2.onnx');
  await expect(dialog).toContainText('Enlarges 2 times');
  await page.keyboard.press('Escape');
  // The same file again opens the question again; from any place.
  await page.keyboard.press('Control+4');
  await drop('/models/ANIME.ONNX');
  await expect(dialog).toContainText('ANIME.ONNX');
  await page.keyboard.press('Escape');
  await drop('/films/ngõ nhỏ.frameloom');
  await expect(page.getByRole('heading', { level: 1, name: 'Canvas' }).or(page.locator('.svelte-flow'))).toBeVisible();
  await drop('/films/clip.mp4');
  await expect(page.getByRole('heading', { level: 1, name: 'clip.mp4' })).toBeVisible();
  expect(errors).toEqual([]);
});

test('a file that is no model says why, and choosing none changes nothing', async ({ page }) => {
  await open(page);
  await choosing(page, null);
  await page.getByRole('button', { name: 'Add a model…' }).click();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await choosing(page, '/home/mai/notes.txt');
  await page.getByRole('button', { name: 'Add a model…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Add a model' });
  await expect(dialog.getByRole('alert')).toBeVisible();
  await expect(dialog.getByRole('button', { name: 'Add', exact: true })).toBeDisabled();
});
