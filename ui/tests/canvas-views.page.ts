/** What leaves a node is looked at, and a graph is run up to a node. */
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';
import { calls, card, middle, open, port, pull, submitted } from './support/canvas';

const look = (page: Page, name: RegExp | string) => card(page, name).locator('.look');
const views = (page: Page) => calls(page, 'viewNode');

/** Adds a node by its words, with the pointer on the ground of the drawing. */
async function add(page: Page, words: string, at = { x: 30, y: 30 }) {
  await page.locator('.svelte-flow__pane').hover({ position: at });
  await page.keyboard.press('Shift+A');
  await page.keyboard.type(words);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog')).toHaveCount(0);
}

/** A source, a mirror and an output, joined; the mirror is chosen. */
async function mirrored(page: Page, options: Record<string, string> = {}) {
  const errors = await open(page, options);
  await add(page, 'flip');
  await page.locator('[data-param=axis] select').selectOption('horizontal');
  await page.locator('[data-param=axis] select').blur();
  await pull(page, await middle(port(page, /^(Output|Cổng ra|Sortie) .{1,2}(pictures|hình ảnh|images)/, /Source|Nguồn/)), await middle(port(page, /^(Input|Cổng vào|Entrée)/, /Mirror|Lật|Miroir/)));
  await pull(page, await middle(port(page, /^(Output|Cổng ra|Sortie)/, /Mirror|Lật|Miroir/)), await middle(port(page, /^(Input|Cổng vào|Entrée) .{1,2}(pictures|hình ảnh|images)/, /^\s*(Output|Đầu ra|Sortie)/)));
  await expect(page.locator('.svelte-flow__edge')).toHaveCount(2);
  await page.locator('.playhead .source').click();
  await expect(page.locator('.playhead input[type=range]')).toBeVisible();
  await card(page, /Mirror|Lật|Miroir/).click();
  return errors;
}

/** The picture is there and was decoded. */
async function shown(of: ReturnType<typeof look>) {
  await expect(of.locator('img')).toBeVisible();
  await expect.poll(() => of.locator('img').evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(0);
  await expect(of).toHaveAttribute('aria-busy', 'false');
}

for (const theme of ['dark', 'light']) {
  for (const language of ['en', 'vi', 'fr']) {
    test(`previews, the menu of a node and a run to here are free of axe findings: ${theme}, ${language}`, async ({ page }) => {
      const errors = await mirrored(page, { theme, language });
      const check = async (where: string) => {
        await page.waitForTimeout(300);
        const { violations } = await new AxeBuilder({ page }).analyze();
        const found = violations.map(({ id, nodes }) => `${where}: ${id}: ${nodes.map((node) => node.html.slice(0, 300)).join(' | ')}`);
        expect(found).toEqual([]);
      };
      await page.keyboard.press('Shift+P');
      await shown(page.locator('.side .look'));
      await check('preview');
      await card(page, /Mirror|Lật|Miroir/).click({ button: 'right' });
      await expect(page.getByRole('menu')).toBeVisible();
      await check('menu');
      await page.keyboard.press('Escape');
      await page.keyboard.press('Shift+R');
      await expect(page.getByRole('dialog')).toBeVisible();
      await check('run to here');
      await page.keyboard.press('Escape');
      await page.keyboard.press('Shift+L');
      await check('list');
      expect(errors).toEqual([]);
    });
  }
}

test('a preview is what leaves the node at the time of the playhead, and follows both', async ({ page }) => {
  const errors = await mirrored(page);
  expect(await views(page)).toEqual([]);
  await card(page, 'Mirror').hover();
  await card(page, 'Mirror').getByRole('button', { name: 'Preview of Mirror' }).click();
  await shown(look(page, 'Mirror'));
  await shown(page.locator('.side .look'));
  await expect(page.locator('.side .facts')).toContainText('640 × 360 · 0:00.00');
  // The card and the panel show one picture.
  expect(await views(page)).toEqual(['viewNode flip 0']);
  await page.keyboard.press('Alt+ArrowRight');
  await expect.poll(async () => (await views(page)).at(-1)).toBe('viewNode flip 40000');
  await page.keyboard.press('Alt+ArrowLeft');
  await expect(page.locator('.side .facts')).toContainText('0:00.00');
  // A slider that moves is followed when it rests.
  const before = (await views(page)).length;
  const box = await page.locator('.playhead input').boundingBox();
  if (!box) throw new Error('no slider');
  await page.mouse.move(box.x + 8, box.y + box.height / 2);
  await page.mouse.down();
  for (let step = 0; step <= 30; step += 1) await page.mouse.move(box.x + 8 + step * 5, box.y + box.height / 2);
  await page.mouse.up();
  await shown(look(page, 'Mirror'));
  await expect.poll(async () => (await views(page)).length).toBeGreaterThan(before);
  await page.waitForTimeout(600);
  expect((await views(page)).length).toBeLessThanOrEqual(before + 4);
  // A node that is not looked at asks for nothing; a wire that changes what reaches one does.
  const source = await look(page, 'Mirror').locator('img').getAttribute('src');
  await card(page, 'Mirror').click();
  await page.keyboard.press('Control+b');
  await expect.poll(() => look(page, 'Mirror').locator('img').getAttribute('src')).not.toBe(source);
  expect((await views(page)).at(-1)).toMatch(/^viewNode {2}\d+$/);
  await page.keyboard.press('Shift+P');
  await expect(page.locator('.look')).toHaveCount(0);
  expect(errors).toEqual([]);
});

test('what hinders a preview is said in its place: no source, a fault, a cut, a crash, a mute', async ({ page }) => {
  const errors = await open(page);
  await card(page, 'Output').click();
  await page.keyboard.press('Shift+P');
  await expect(look(page, /^\s*Output/)).toContainText('Choose a source to see something here.');
  await look(page, /^\s*Output/).getByRole('button', { name: 'Choose a file…' }).click();
  await shown(look(page, /^\s*Output/));
  // Of a node that is not finished.
  await add(page, 'resize', { x: 60, y: 420 });
  await page.keyboard.press('Shift+P');
  await expect(look(page, 'Resize')).toContainText('“Width” is missing.');
  await pull(page, await middle(port(page, /^Output “pictures”/, 'Source')), await middle(port(page, /^Input/, 'Resize')));
  await card(page, 'Resize').click();
  await page.getByRole('textbox', { name: 'Width' }).fill('320');
  await page.getByRole('textbox', { name: 'Height' }).fill('180');
  await shown(look(page, 'Resize'));
  await expect(page.locator('.side .facts')).toContainText('320 × 180');
  await page.getByRole('textbox', { name: 'Height' }).blur();
  await page.keyboard.press('Control+m');
  await expect(look(page, 'Resize')).toContainText('This node is muted');
  expect(errors).toEqual([]);
});

test('a moment that is cut away and a process that crashes are told apart from a picture', async ({ page }) => {
  const errors = await open(page);
  await add(page, 'trim', { x: 60, y: 420 });
  await page.locator('[data-param=start] input').fill('2');
  await page.locator('[data-param=start] input').blur();
  await pull(page, await middle(port(page, /^Output “pictures”/, 'Source')), await middle(port(page, /^Input/, 'Trim')));
  await card(page, 'Trim').click();
  await page.keyboard.press('Shift+P');
  await page.locator('.playhead .source').click();
  await expect(look(page, 'Trim')).toContainText('This moment is cut away. Move the time behind 0:02.00.');
  await page.locator('.playhead input').fill('3000000');
  await shown(look(page, 'Trim'));
  // Another source, by which the process that makes pictures ends.
  await card(page, 'Trim').click();
  await page.keyboard.press('Shift+R');
  await page.getByRole('textbox', { name: 'Source' }).fill('/home/mai/crash.mp4');
  await page.getByRole('textbox', { name: 'Source' }).press('Tab');
  await page.keyboard.press('Escape');
  await expect(page.locator('.side').getByRole('alert')).toContainText('The process that makes this picture crashed');
  await expect(look(page, 'Trim').locator('img')).toHaveCount(0);
  expect(errors).toEqual([]);
});

test('a graph is run to a node from its menu and by its key, whatever is broken behind it', async ({ page }) => {
  const errors = await mirrored(page);
  // Behind it, a node that cannot run.
  await add(page, 'resize', { x: 60, y: 420 });
  await expect(page.getByRole('button', { name: /problem/ }).first()).toBeVisible();
  await card(page, 'Mirror').click({ button: 'right' });
  await page.getByRole('menuitem', { name: /Run to here/ }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByRole('heading', { name: 'Run to “Mirror”' })).toBeVisible();
  await expect(dialog.getByRole('textbox', { name: 'Source' })).toHaveValue('/home/mai/Phim/ngõ nhỏ Hà Nội.mp4');
  await expect(dialog.getByRole('textbox', { name: 'Result' })).toHaveValue('/home/mai/Phim/ngõ nhỏ Hà Nội_flip.mp4');
  await dialog.getByRole('button', { name: 'Add to the queue' }).click();
  const first = await submitted(page);
  expect(first.graph.nodes.map(({ op }) => op)).toEqual(['source', 'sink', 'flip']);
  expect(first.graph.edges.map(({ from, to }) => `${from}>${to}`)).toEqual(['source1>flip1', 'flip1>sink1']);
  await card(page, 'Source').click();
  await page.keyboard.press('Shift+R');
  await page.getByRole('button', { name: 'Add to the queue' }).click();
  await expect.poll(async () => (await calls(page, 'submitGraph')).length).toBe(2);
  const second = await submitted(page);
  expect(second.graph.edges.map(({ from, to }) => `${from}>${to}`)).toEqual(['source1>sink1']);
  // What is broken in front of it keeps it from running.
  await card(page, 'Resize').click();
  await page.keyboard.press('Shift+R');
  await expect(page.locator('.told')).toContainText('in front of this node keep');
  // The whole graph still goes where the whole goes.
  await page.keyboard.press('Delete');
  await page.keyboard.press('Control+Enter');
  await expect(page.getByRole('heading', { name: 'Run the graph' })).toBeVisible();
  expect(errors).toEqual([]);
});

test('in the list, by keyboard alone, a node is looked at and run to', async ({ page }) => {
  const errors = await mirrored(page);
  await page.keyboard.press('Shift+L');
  await page.locator('tr[data-id=source1]').getByRole('button').focus();
  await page.keyboard.press('ArrowDown');
  await expect(page.locator('tr[data-id=flip1]').getByRole('button')).toBeFocused();
  await page.keyboard.press('Shift+P');
  await shown(page.locator('.side .look'));
  await page.keyboard.press('Alt+ArrowRight');
  await expect(page.locator('.side .facts')).toContainText('0:00.04');
  await page.locator('tr[data-id=flip1]').getByRole('button').dispatchEvent('contextmenu', { bubbles: true });
  await expect(page.getByRole('menu', { name: 'What to do with “Mirror”' })).toBeVisible();
  await expect(page.getByRole('menuitem').first()).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'Run to “Mirror”' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.locator('tr[data-id=flip1]').getByRole('button')).toBeFocused();
  expect(errors).toEqual([]);
});
