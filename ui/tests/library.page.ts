import { AxeBuilder } from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';

async function open(page: Page, options: Record<string, string> = {}) {
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  const query = new URLSearchParams({ language: 'en', theme: 'dark', library: '300', ...options });
  await page.goto(`/?${query}`);
  await page.locator('nav button.place').nth(1).click();
  return errors;
}

const items = (page: Page) => page.getByRole('grid');
const calls = (page: Page) => page.evaluate(() => (window as unknown as { fakeIpc: { calls: string[] } }).fakeIpc.calls);

for (const theme of ['dark', 'light']) {
  for (const language of ['en', 'vi', 'fr']) {
    test(`the library is free of axe findings: ${theme}, ${language}`, async ({ page }) => {
      const check = async (where: string) => {
        const { violations } = await new AxeBuilder({ page }).analyze();
        const found = violations.map(({ id, nodes }) => `${where}: ${id}: ${nodes.map((node) => node.html).join(' | ')}`);
        expect(found).toEqual([]);
      };
      await open(page, { theme, language, library: '0' });
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
      await page.waitForTimeout(600);
      await check('empty');
      await open(page, { theme, language });
      await expect(page.locator('[data-index="2"] img').first()).toBeVisible();
      await page.waitForTimeout(400);
      await check('grid');
      await page.locator('[data-index="2"]').click();
      await expect(page.getByText('NIKON D750')).toBeVisible();
      await page.locator('button[aria-controls$=filters]').click();
      await check('details and filters');
      await page.locator('[data-index="2"]').click({ button: 'right' });
      await expect(page.getByRole('menu')).toBeVisible();
      await check('menu');
      await page.keyboard.press('Escape');
      await page.keyboard.press('Delete');
      await page.waitForTimeout(500);
      await check('delete');
      await page.keyboard.press('Escape');
      await page.locator('[data-index="1"]').click();
      await page.locator('[data-index="2"]').click({ modifiers: ['Shift'] });
      await page.locator('aside footer .buttons button').first().click();
      await page.waitForTimeout(500);
      await check('sheet');
      await page.locator('dialog[open] button[type=submit]').click();
      await expect(page.locator('dialog[open] img')).toBeVisible();
      await expect(page.locator('dialog[open]')).not.toContainText(/\b(sheet|scenes|library|home)\.(?!jpg)\w/);
      await check('made sheet');
      await page.keyboard.press('Escape');
      await page.locator('.views button').nth(1).click();
      await expect(page.getByRole('columnheader').first()).toBeVisible();
      await page.waitForTimeout(300);
      await check('list');
    });
  }
}

test('a hundred thousand items are in the list, and only those that are seen in the page', async ({ page }) => {
  const errors = await open(page, { library: '100000' });
  await expect(page.getByText('100,000 items')).toBeVisible();
  expect(await page.getByRole('gridcell').count()).toBeLessThan(80);
  await items(page).focus();
  await page.keyboard.press('End');
  await expect(page.locator('[data-index="99999"]')).toBeInViewport();
  await expect(page.locator('[data-index="99999"]')).toHaveAttribute('aria-selected', 'true');
  expect(await page.getByRole('gridcell').count()).toBeLessThan(80);
  // The list keeps the keyboard's place although its row leaves the page's view.
  await items(page).evaluate((element) => (element.scrollTop = 0));
  await page.waitForTimeout(200);
  await page.keyboard.press('ArrowLeft');
  await expect(page.locator('[data-index="99998"]')).toBeInViewport();
  expect(errors).toEqual([]);
});

test('the whole library obeys the keyboard', async ({ page }) => {
  const errors = await open(page);
  await expect(page.locator('[data-index="0"] img').first()).toBeVisible();
  await items(page).focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Shift+ArrowRight');
  await expect(page.locator('[aria-selected="true"]')).toHaveCount(2);
  await page.keyboard.press('4');
  await expect.poll(() => calls(page)).toContain('stars 2,3 4');
  await page.keyboard.press('Control+ArrowRight');
  await page.keyboard.press('Space');
  await expect(page.locator('[aria-selected="true"]')).toHaveCount(3);
  await page.keyboard.press('t');
  await page.keyboard.type('đã xem, été');
  await page.keyboard.press('Enter');
  await expect.poll(() => calls(page)).toContain('tags 2,3,4 +đã xem,été -');
  await items(page).focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('F2');
  const field = page.getByRole('textbox', { name: 'New name' });
  await expect(field).toBeFocused();
  await page.keyboard.type('ngõ nhỏ');
  await page.keyboard.press('Enter');
  await expect(page.locator('[data-index="0"]')).toHaveAccessibleName(/^ngõ nhỏ\.mov/);
  await page.keyboard.press('Control+a');
  await expect(page.getByRole('heading', { name: '300 items chosen' })).toBeVisible();
  await page.keyboard.press('Escape');
  await page.keyboard.press('Home');
  await page.keyboard.press('Delete');
  await page.getByRole('button', { name: /Only from the library/ }).click();
  await expect(page.getByText('299 items')).toBeVisible();
  await items(page).focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await expect(page.locator('nav button.place').first()).toHaveAttribute('aria-current', 'page');
  expect(errors).toEqual([]);
});

test('words and filters narrow the list, and it is said what holds', async ({ page }) => {
  await open(page);
  await page.keyboard.press('/');
  await page.keyboard.type('ho xuan');
  await expect(page.locator('[data-index="0"]')).toHaveAccessibleName(/Hồ Xuân Hương/);
  await expect(page.getByText('38 items')).toBeVisible();
  await page.getByRole('button', { name: /^Pictures/ }).click();
  await page.getByRole('button', { name: 'Filters' }).click();
  await page.getByRole('combobox', { name: 'Stars' }).selectOption('3');
  const before = Number((await page.locator('footer [role=status]').textContent())?.match(/\d+/)?.[0]);
  expect(before).toBeLessThan(38);
  await page.getByRole('button', { name: 'Remove the filter 3 stars or more' }).click();
  await page.getByRole('button', { name: 'Show everything' }).click();
  await expect(page.getByText('300 items')).toBeVisible();
  await expect(page.getByRole('searchbox')).toHaveValue('');
});

test('a missing file is told, and one with another content is taken only when that is said', async ({ page }) => {
  await open(page, { library: '40' });
  await page.getByRole('button', { name: 'Filters' }).click();
  await page.getByRole('checkbox', { name: /Missing files/ }).check();
  await page.locator('[data-index="0"]').click();
  await expect(page.getByText('The file is not where it was.')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Enlarge' })).toBeDisabled();
  await page.evaluate(() => {
    const { fakeIpc } = window as unknown as { fakeIpc: { chooseFiles: () => Promise<string[]> } };
    fakeIpc.chooseFiles = async () => ['/elsewhere/untagged.mov'];
  });
  await page.getByRole('button', { name: 'Choose where it is' }).click();
  await page.getByRole('button', { name: 'Take it all the same' }).click();
  await expect.poll(() => calls(page)).toContainEqual(expect.stringMatching(/^relink \d+ \/elsewhere\/untagged.mov true$/));
});

test('missing files are looked for, it is said how far that is, and the search can be ended', async ({ page }) => {
  await open(page, { library: '100' });
  await page.evaluate(() => {
    const { fakeIpc } = window as unknown as { fakeIpc: { chooseFolder: () => Promise<string> } };
    fakeIpc.chooseFolder = async () => '/moved';
  });
  const look = async () => {
    await page.keyboard.press('Control+k');
    await page.locator('input[role=combobox]').fill('look for missing');
    await page.keyboard.press('Enter');
  };
  const dialog = page.getByRole('dialog', { name: 'Look for missing files' });
  await look();
  await expect(dialog.getByRole('progressbar')).toHaveAttribute('aria-valuenow', /[1-9]/);
  await expect(dialog).toContainText(/Files compared: \d+ of 160/);
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await expect.poll(() => calls(page)).toContain('stop search');
  await page.waitForTimeout(300);
  await expect(dialog).toBeHidden();
  await look();
  await expect(dialog).toContainText(/files? (was|were) found again\./);
  await expect(dialog.getByRole('button', { name: 'Close' }).last()).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(dialog).toBeHidden();
});

for (const [theme, language] of [['dark', 'vi'], ['light', 'fr'], ['dark', 'en']] as const) {
  test(`the search for missing files is free of axe findings: ${theme}, ${language}`, async ({ page }) => {
    await open(page, { theme, language, library: '2000' });
    await expect(page.locator('[data-index="0"]')).toBeVisible();
    await page.evaluate(() => {
      const { fakeIpc } = window as unknown as { fakeIpc: { chooseFolder: () => Promise<string> } };
      fakeIpc.chooseFolder = async () => '/moved';
    });
    await page.keyboard.press('Control+k');
    await page.locator('input[role=combobox]').fill({ vi: 'tim cac tep bi thieu', fr: 'chercher les fichiers manquants', en: 'look for missing' }[language]);
    await page.keyboard.press('Enter');
    await expect(page.getByRole('progressbar')).toHaveAttribute('aria-valuenow', /[1-9]/);
    await page.waitForTimeout(300);
    expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
  });
}

test('the pointer moves through the time of a clip', async ({ page }) => {
  await open(page);
  const cell = page.locator('[data-index="0"] .frame');
  const box = await cell.boundingBox();
  if (!box) throw new Error('no cell');
  await page.mouse.move(box.x + 4, box.y + 20);
  await expect(cell.locator('.over')).toBeVisible();
  const first = await cell.locator('.over').getAttribute('src');
  await page.mouse.move(box.x + box.width - 4, box.y + 20, { steps: 3 });
  await expect.poll(() => cell.locator('.over').getAttribute('src')).not.toBe(first);
  await page.mouse.move(2, 2);
  await expect(cell.locator('.over')).toHaveCount(0);
});

test('a folder is watched and no longer watched', async ({ page }) => {
  await open(page, { library: '0' });
  await page.getByRole('button', { name: 'Watched folders' }).click();
  await page.getByRole('button', { name: 'Add a folder…' }).click();
  await expect(page.getByRole('dialog').getByText('/home/mai/Kết quả')).toBeVisible();
  await page.getByRole('button', { name: 'Stop watching /home/mai/Kết quả' }).click();
  await expect(page.getByText('No folder is watched.')).toBeVisible();
});

test('a narrow window shows everything without scrolling sideways', async ({ page }) => {
  await page.setViewportSize({ width: 600, height: 800 });
  await open(page, { language: 'fr' });
  await page.locator('[data-index="1"]').click();
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
  expect(wide).toBe(false);
  const button = page.getByRole('button', { name: 'Agrandir' });
  await button.scrollIntoViewIfNeeded();
  await expect(button).toBeInViewport();
});

/** Chooses the first items of the list, and asks for a sheet of them. */
async function sheetOf(page: Page, count: number) {
  await page.locator('[data-index="0"]').click();
  await page.locator(`[data-index="${count - 1}"]`).click({ modifiers: ['Shift'] });
  await page.getByRole('complementary').getByRole('button', { name: 'Contact sheet', exact: true }).click();
  return page.getByRole('dialog', { name: 'Contact sheet' });
}
const sheets = async (page: Page) => (await calls(page)).filter((call) => call.startsWith('sheet ')).map((call) => JSON.parse(call.slice('sheet '.length)) as Record<string, unknown>);

test('a sheet is made of what is chosen, and comes into the library under a name of its own', async ({ page }, { outputDir }) => {
  const errors = await open(page, { library: '40' });
  await page.locator('[data-index="0"]').click();
  await expect(page.getByRole('button', { name: 'Delete', exact: true })).toBeVisible();
  // One file is seen without a sheet.
  await expect(page.getByRole('button', { name: 'Contact sheet', exact: true })).toHaveCount(0);
  const dialog = await sheetOf(page, 15);
  // Two are missing or broken, one is heard, one is read.
  await expect(dialog).toContainText('One picture that shows 11 files.');
  await expect(dialog).toContainText('Of 4 chosen items there is nothing to see');
  await dialog.getByRole('combobox', { name: 'Beside each other' }).selectOption('4');
  await dialog.getByRole('combobox', { name: 'Width of a picture' }).selectOption({ label: '480 pixels' });
  await dialog.getByRole('checkbox', { name: 'The name of each file below it' }).uncheck();
  await dialog.getByRole('textbox', { name: 'File name' }).fill('ngõ nhỏ');
  await dialog.getByText('PNG', { exact: true }).click();
  await dialog.getByRole('button', { name: 'Choose another folder…' }).click();
  await page.screenshot({ path: `${outputDir}/sheet.png` });
  await dialog.getByRole('button', { name: 'Make the sheet' }).click();
  await expect(dialog.getByRole('progressbar', { name: 'Making the sheet' })).toBeVisible();
  await expect(dialog).toContainText('Written: ngõ nhỏ.png');
  await expect(dialog).toContainText('1 file could not be shown; its place is grey.');
  await expect(dialog.getByRole('listitem')).toContainText(/Train de nuit 15\S* cannot be read/);
  await expect(dialog.getByRole('img', { name: 'ngõ nhỏ.png' })).toBeVisible();
  await expect(dialog.getByRole('button', { name: 'Close', exact: true }).last()).toBeFocused();
  const [wish] = await sheets(page);
  expect(wish).toMatchObject({ output: '/home/mai/Kết quả/ngõ nhỏ.png', columns: 4, picture: 480, names: false });
  expect((wish?.['files'] as string[]).length).toBe(11);
  expect((wish?.['files'] as string[])[0]).toContain('Hồ Xuân Hương 1.');
  await page.screenshot({ path: `${outputDir}/sheet-made.png` });
  await dialog.getByRole('button', { name: 'Show in folder' }).click();
  await expect.poll(() => calls(page)).toContain('reveal item 1000001');
  await page.keyboard.press('Escape');
  await expect(page.getByText('of 41 chosen')).toBeVisible();
  await expect(page.getByRole('gridcell', { name: /^ngõ nhỏ\.png/ })).toBeVisible();

  // Again: what was chosen stays, and the name is another one.
  await page.getByRole('complementary').getByRole('button', { name: 'Contact sheet', exact: true }).click();
  await dialog.getByRole('button', { name: 'Choose another folder…' }).click();
  await dialog.getByRole('button', { name: 'Make the sheet' }).click();
  await expect(dialog).toContainText('Written: ngõ nhỏ (2).png');
  expect(errors).toEqual([]);
});

test('a sheet that is being made can be stopped, and one that fails says why', async ({ page }) => {
  await open(page, { library: '300' });
  await items(page).focus();
  await page.keyboard.press('Control+a');
  await page.locator('[data-index="0"]').click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'Contact sheet' }).click();
  const dialog = page.getByRole('dialog', { name: 'Contact sheet' });
  await dialog.getByRole('button', { name: 'Make the sheet' }).click();
  await dialog.getByRole('button', { name: 'Stop', exact: true }).click();
  await expect(dialog.getByRole('button', { name: 'Make the sheet' })).toBeVisible();
  await expect(dialog.getByRole('alert')).toHaveCount(0);
  // Who closes the dialog does not want it either.
  await dialog.getByRole('button', { name: 'Make the sheet' }).click();
  await expect(dialog.getByRole('progressbar')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect.poll(async () => (await calls(page)).filter((call) => call === 'leave sheet').length).toBe(2);
  await expect(page.getByText(/ 300 chosen/)).toBeVisible();

  const again = await sheetOf(page, 3);
  await again.getByRole('textbox', { name: 'File name' }).fill('nowhere');
  await again.getByRole('button', { name: 'Make the sheet' }).click();
  await expect(again.getByRole('alert')).toContainText('nowhere.jpg');
  await expect(again.getByRole('button', { name: 'Make the sheet' })).toBeEnabled();
});
