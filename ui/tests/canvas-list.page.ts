/** The list of the canvas: groups and comments by keyboard alone, and what stays when one comes back. */
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';
import { open } from './support/canvas';

const row = (page: Page, id: string) => page.locator(`tr[data-id=${id}]`);
const choice = (page: Page, id: string) => row(page, id).getByRole('button');

async function list(page: Page) {
  await page.keyboard.press('Shift+L');
  await expect(page.getByRole('table')).toBeVisible();
}
async function add(page: Page, words: string) {
  await page.keyboard.press('Shift+A');
  await page.keyboard.type(words);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog')).toHaveCount(0);
}

for (const theme of ['dark', 'light']) {
  for (const language of ['en', 'vi', 'fr']) {
    test(`the list with groups and comments is free of axe findings: ${theme}, ${language}`, async ({ page }, { outputDir }) => {
      const errors = await open(page, { theme, language });
      const check = async (where: string) => {
        await page.waitForTimeout(300);
        const { violations } = await new AxeBuilder({ page }).analyze();
        const found = violations.map(({ id, nodes }) => `${where}: ${id}: ${nodes.map((node) => node.html.slice(0, 300)).join(' | ')}`);
        expect(found).toEqual([]);
        await page.screenshot({ path: `${outputDir}/${language}-${theme}-${where}.png` });
      };
      await list(page);
      await choice(page, 'source1').focus();
      // One node only: there is one left that can be put in.
      await page.keyboard.press('Enter');
      await page.keyboard.press('Control+g');
      await expect(row(page, 'group1')).toBeVisible();
      await check('group');
      await page.locator('.side select').focus();
      await choice(page, 'sink1').focus();
      await page.keyboard.press('Shift+C');
      await page.keyboard.type('Phố cổ buổi sáng, quay bằng máy cũ của ông nội: nhiều nhiễu hạt, cần khử trước khi phóng to.');
      await check('comment');
      await choice(page, 'source1').click();
      await check('node');
      expect(errors).toEqual([]);
    });
  }
}

test('a group is made, named, given a node, robbed of one and dissolved, all by keyboard', async ({ page }) => {
  const errors = await open(page);
  await list(page);
  await add(page, 'flip');
  await choice(page, 'source1').focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Control+g');
  // One goes on writing its name.
  await expect(page.getByRole('textbox', { name: 'Name of the group' })).toBeFocused();
  await page.keyboard.type('Front');
  await expect(choice(page, 'group1')).toHaveText('Front');
  await expect(row(page, 'source1')).toContainText('Front');
  await page.getByRole('combobox', { name: 'Put a node in' }).focus();
  await page.keyboard.type('Mirror');
  await expect(row(page, 'group1')).toContainText('Source, Mirror');
  // Taken out: the focus goes to the next one.
  await page.getByRole('button', { name: 'Take Source out' }).focus();
  await page.keyboard.press('Enter');
  await expect(row(page, 'group1')).not.toContainText('Source');
  await expect(page.getByRole('button', { name: 'Take Mirror out' })).toBeFocused();
  // From the node's side.
  await choice(page, 'sink1').focus();
  await page.keyboard.press('Enter');
  await page.getByRole('combobox', { name: 'Group', exact: true }).focus();
  await page.keyboard.type('Fro');
  await expect(row(page, 'group1')).toContainText('Output');
  // The arrows go on from the nodes to the group; there it is dissolved, and its nodes stay.
  await choice(page, 'sink1').focus();
  await page.keyboard.press('End');
  await expect(choice(page, 'group1')).toBeFocused();
  await page.keyboard.press('Delete');
  await expect(row(page, 'group1')).toHaveCount(0);
  await expect(page.locator('tr[data-id]')).toHaveCount(3);
  // The list keeps the focus.
  await expect(choice(page, 'flip1').or(choice(page, 'sink1')).and(page.locator(':focus'))).toBeVisible();
  await page.keyboard.press('Control+z');
  await expect(choice(page, 'group1')).toHaveText('Front');
  expect(errors).toEqual([]);
});

test('a comment is written, changed, moved and removed in the list', async ({ page }) => {
  const errors = await open(page);
  await list(page);
  await page.keyboard.press('Shift+C');
  const text = page.getByRole('textbox', { name: 'Text of the comment' });
  await expect(text).toBeFocused();
  await expect(choice(page, 'comment1')).toHaveText('Empty comment');
  await page.keyboard.type('Warm light');
  await expect(choice(page, 'comment1')).toHaveText('Warm light');
  await page.getByLabel('X', { exact: true }).fill('320');
  await choice(page, 'comment1').focus();
  await page.keyboard.press('Shift+L');
  await expect(page.locator('.svelte-flow__node-comment textarea')).toHaveValue('Warm light');
  await page.keyboard.press('Shift+L');
  await choice(page, 'comment1').focus();
  await page.keyboard.press('Delete');
  await expect(row(page, 'comment1')).toHaveCount(0);
  await expect(page.locator('tr[data-id] button:focus')).toHaveCount(1);
  expect(errors).toEqual([]);
});

test('the list and the time that is looked at are still there when one comes back to the canvas', async ({ page }) => {
  await open(page);
  await page.getByRole('button', { name: 'Choose a source…' }).click();
  const time = page.getByRole('slider', { name: 'Time of the previews' });
  await time.fill('2000000');
  await list(page);
  const at = await time.inputValue();
  expect(Number(at)).toBeGreaterThan(1_000_000);
  await page.keyboard.press('Control+4');
  await expect(page.getByRole('table')).toHaveCount(0);
  await page.keyboard.press('Control+3');
  await expect(page.getByRole('table')).toBeVisible();
  await expect(time).toHaveValue(at);
});
