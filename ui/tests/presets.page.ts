import { AxeBuilder } from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';

const CLIP = '/home/mai/Phim/ngõ nhỏ Hà Nội.mp4';
const PICTURE = '/home/mai/Ảnh/bà.jpg';

async function open(page: Page, options: Record<string, string> = {}) {
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await page.goto(`/?${new URLSearchParams({ language: 'en', theme: 'dark', tick: '20', files: CLIP, ...options })}`);
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  return errors;
}

interface Fake {
  calls: string[];
}
const calls = (page: Page) => page.evaluate(() => (window as unknown as { fakeIpc: Fake }).fakeIpc.calls);

async function axe(page: Page) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([]);
}

test('a preset is chosen with the keyboard, says its name in the language of the window, and starts', async ({ page }) => {
  const errors = await open(page, { language: 'fr', theme: 'light' });
  await page.getByRole('radio', { name: 'Préréglages' }).check({ force: true });
  const short = page.getByRole('radio', { name: /Vidéo verticale/ });
  await short.focus();
  await page.keyboard.press('Space');
  await expect(short).toBeChecked();
  // A preset for pictures says that a clip is nothing for it.
  await expect(page.getByRole('radio', { name: /Photo à imprimer/ })).toBeDisabled();
  await axe(page);
  // What has the focus is inside its column: the window itself never scrolls.
  expect(await page.evaluate(() => document.scrollingElement?.scrollTop)).toBe(0);
  await page.screenshot({ path: 'test-results/presets-fr.png' });
  await page.locator('#start').click();
  await expect(page.locator('.strip, [class*=strip]').first()).toBeVisible();
  expect(errors).toEqual([]);
});

test('how something is done is kept as a preset, shared and removed', async ({ page }) => {
  const errors = await open(page);
  await page.getByRole('button', { name: 'Keep as a preset' }).click();
  await page.getByRole('dialog').getByLabel('Name').fill('As I like it');
  await axe(page);
  await page.keyboard.press('Enter');
  const mine = page.getByRole('radio', { name: 'As I like it' });
  await expect(mine).toBeChecked();
  expect(await calls(page)).toContainEqual('savePreset As I like it en enlarge');
  await page.getByRole('button', { name: 'What can be done with “As I like it”' }).click();
  await page.getByRole('menuitem', { name: 'Save as a file to share' }).click();
  await expect.poll(() => calls(page)).toContainEqual('exportPreset as-i-like-it /home/mai/as-i-like-it.frameloom-preset.json');
  await page.getByRole('button', { name: 'What can be done with “As I like it”' }).click();
  await page.getByRole('menuitem', { name: 'Remove' }).click();
  await expect(mine).toHaveCount(0);
  // One that ships stays.
  await page.getByRole('radio', { name: 'Presets' }).check({ force: true });
  await page.getByRole('button', { name: /What can be done with “Podcast/ }).click();
  await expect(page.getByRole('menuitem', { name: 'Remove' })).toHaveCount(0);
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Import a preset file' }).click();
  await expect(page.getByRole('radio', { name: 'Shared by Mai' })).toBeChecked();
  expect(errors).toEqual([]);
});

test('what needs a model that is missing says so, and pictures have their own presets', async ({ page }) => {
  await open(page, { files: PICTURE, matting: 'none' });
  await page.getByRole('radio', { name: 'Presets' }).check({ force: true });
  await expect(page.getByRole('radio', { name: 'Product photo on white' })).toBeDisabled();
  await expect(page.getByText('Needs a model that can do this').first()).toBeVisible();
  await expect(page.getByRole('radio', { name: 'Photo for printing' })).toBeEnabled();
  await expect(page.getByRole('radio', { name: 'Make it 4K' })).toBeDisabled();
});

for (const theme of ['dark', 'light']) {
  test(`folders are watched, paused and let go: ${theme}`, async ({ page }) => {
    const errors = await open(page, { theme });
    await page.keyboard.press('Control+4');
    await expect(page.getByRole('heading', { name: 'Watched folders' })).toBeVisible();
    await page.getByRole('button', { name: 'Watch a folder' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Choose the folder of the files' }).click();
    await dialog.getByLabel('What is done').selectOption('podcast-clean-up');
    await dialog.getByRole('button', { name: 'Choose the folder of the results' }).click();
    await axe(page);
    await dialog.getByRole('button', { name: 'Watch', exact: true }).click();
    await expect(dialog).toBeHidden();
    expect(await calls(page)).toContainEqual('watch /home/mai/Vào podcast-clean-up /home/mai/Kết quả true');
    const row = page.getByRole('region', { name: 'Watched folders' }).getByRole('listitem');
    await expect(row).toContainText('Podcast clean-up → Kết quả');
    await expect(row).toContainText('1 under way, 12 done, 0 failed');
    await axe(page);
    await page.screenshot({ path: `test-results/watch-${theme}.png` });
    await row.getByRole('button').click();
    await page.getByRole('menuitem', { name: 'Stop looking' }).click();
    await expect(row).toContainText('Not looked at now');
    await row.getByRole('button').click();
    await page.getByRole('menuitem', { name: 'Watch no longer' }).click();
    await expect(row).toHaveCount(0);
    expect(errors).toEqual([]);
  });
}
