/** What is done to a drawing: groups, notes, lines, the clipboard, the way back. */
import { expect, test, type Page } from '@playwright/test';
import { calls, card, middle, open, port, pull } from './support/canvas';

async function add(page: Page, words: string, at = { x: 30, y: 30 }) {
  await page.locator('.svelte-flow__pane').hover({ position: at });
  await page.keyboard.press('Shift+A');
  await page.keyboard.type(words);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog')).toHaveCount(0);
}

/** Chooses exactly these cards. */
async function choose(page: Page, names: readonly (RegExp | string)[]) {
  for (const [index, name] of names.entries()) await card(page, name).click(index === 0 ? {} : { modifiers: ['Control'] });
  await expect(page.locator('.svelte-flow__node-card.selected')).toHaveCount(names.length);
}

/** Where cards are drawn, in pixels of the canvas. */
const places = (page: Page) =>
  page.locator('.svelte-flow__node-card').evaluateAll((cards) =>
    Object.fromEntries(
      cards.map((card) => {
        const { m41, m42 } = new DOMMatrix(getComputedStyle(card).transform);
        return [(card as HTMLElement).dataset['id'], { x: m41, y: m42, height: (card as HTMLElement).offsetHeight }];
      }),
    ),
  );

const nothingTyped = (page: Page) => page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());

test('nodes are grouped, named, moved together and let go', async ({ page }) => {
  const errors = await open(page);
  await page.keyboard.press('Control+a');
  await page.keyboard.press('Control+g');
  const frame = page.locator('.svelte-flow__node-frame');
  await expect(frame).toHaveCount(1);
  await frame.getByRole('textbox', { name: 'Name of the group' }).fill('Hà Nội');
  await nothingTyped(page);
  const before = await places(page);
  const grip = await frame.locator('.grip').boundingBox();
  if (!grip) throw new Error('no grip');
  await pull(page, { x: grip.x + grip.width - 12, y: grip.y + 8 }, { x: grip.x + grip.width + 68, y: grip.y + 48 });
  const after = await places(page);
  for (const id of ['source1', 'sink1']) expect(after[id]?.x).not.toBe(before[id]?.x);
  expect((after['source1']?.x ?? 0) - (before['source1']?.x ?? 0)).toBe((after['sink1']?.x ?? 0) - (before['sink1']?.x ?? 0));
  // It is one step back.
  await page.keyboard.press('Control+z');
  await expect.poll(() => places(page)).toEqual(before);
  await page.keyboard.press('Control+Shift+g');
  await expect(frame).toHaveCount(0);
  await page.keyboard.press('Control+z');
  await expect(frame.getByRole('textbox')).toHaveValue('Hà Nội');
  expect(errors).toEqual([]);
});

test('nodes are brought into line and spread, and what cannot rest does not', async ({ page }) => {
  const errors = await open(page);
  await add(page, 'flip', { x: 120, y: 420 });
  await add(page, 'resize', { x: 420, y: 470 });
  await choose(page, ['Mirror', 'Resize', /^\s*Source/]);
  const side = page.getByRole('region', { name: 'What is chosen' });
  await side.getByRole('button', { name: 'Align left edges' }).click();
  const left = await places(page);
  expect(new Set(['flip1', 'resize1', 'source1'].map((id) => left[id]?.x)).size).toBe(1);
  await side.getByRole('button', { name: 'Spread evenly down' }).click();
  const spread = await places(page);
  const rows = ['flip1', 'resize1', 'source1'].map((id) => spread[id] ?? { x: 0, y: 0, height: 0 }).sort((a, b) => a.y - b.y);
  const gaps = rows.slice(1).map((row, index) => row.y - ((rows[index]?.y ?? 0) + (rows[index]?.height ?? 0)));
  expect(Math.abs((gaps[0] ?? 0) - (gaps[1] ?? 99))).toBeLessThanOrEqual(1);
  await side.getByRole('button', { name: 'Align top edges' }).click();
  const top = await places(page);
  expect(new Set(['flip1', 'resize1', 'source1'].map((id) => top[id]?.y)).size).toBe(1);
  // A source can be muted and not bypassed; an output neither.
  await page.keyboard.press('Control+z');
  await choose(page, [/^\s*Source/, /^\s*Output/]);
  await page.keyboard.press('Control+b');
  await expect(card(page, 'Bypassed')).toHaveCount(0);
  await page.keyboard.press('Control+m');
  await expect(card(page, 'Muted')).toHaveCount(1);
  expect(errors).toEqual([]);
});

test('a note is written, kept, moved and removed', async ({ page }) => {
  const errors = await open(page);
  await page.locator('.svelte-flow__pane').hover({ position: { x: 300, y: 420 } });
  await page.keyboard.press('Shift+C');
  await page.keyboard.type('Chỗ này cần sáng hơn.');
  const note = page.locator('.svelte-flow__node-comment');
  await expect(note.getByRole('textbox')).toHaveValue('Chỗ này cần sáng hơn.');
  await expect(page.locator('.saved')).toHaveText('Saved');
  await page.locator('[data-place=home]').click();
  await page.locator('[data-place=canvas]').click();
  await expect(note.getByRole('textbox')).toHaveValue('Chỗ này cần sáng hơn.');
  await note.locator('.grip').click();
  await page.keyboard.press('Delete');
  await expect(note).toHaveCount(0);
  await page.keyboard.press('Control+z');
  await expect(note).toHaveCount(1);
  expect(errors).toEqual([]);
});

test('what is no graph on the clipboard is refused with a word, and a graph as text is taken', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const errors = await open(page);
  const clipboard = (text: string) => page.evaluate((text) => navigator.clipboard.writeText(text), text);
  for (const wrong of [
    'Dear Mai, the film is done.',
    '{"version": 2, "nodes": [',
    '{"nodes": [{"id": "a", "op": "explode"}], "edges": []}',
    '{"nodes": 7, "edges": {}}',
    '[1, 2]',
    'null',
  ]) {
    await clipboard(wrong);
    await page.keyboard.press('Control+v');
    await expect(page.locator('.told')).toContainText('There is no graph on the clipboard.');
    await expect(page.locator('.svelte-flow__node-card')).toHaveCount(2);
  }
  // As the command line writes one: ports without names.
  await clipboard('{"version": 2, "nodes": [{"id": "n0", "op": "source", "params": {}}, {"id": "n1", "op": "flip", "params": {"axis": "vertical"}}], "edges": [{"from": "n0", "to": "n1"}]}');
  await page.keyboard.press('Control+v');
  await expect(page.locator('.svelte-flow__node-card')).toHaveCount(4);
  await expect(page.locator('.svelte-flow__edge')).toHaveCount(2);
  await page.keyboard.press('Control+x');
  await expect(page.locator('.svelte-flow__node-card')).toHaveCount(2);
  await page.keyboard.press('Control+v');
  await expect(page.locator('.svelte-flow__node-card')).toHaveCount(4);
  expect(errors).toEqual([]);
});

test('a hundred steps go back and forth again', async ({ page }) => {
  const errors = await open(page);
  await add(page, 'flip');
  await nothingTyped(page);
  await choose(page, ['Mirror']);
  for (let step = 0; step < 100; step += 1) await page.keyboard.press(step % 2 === 0 ? 'Control+m' : 'Control+b');
  await expect(card(page, 'Mirror')).toContainText('Bypassed');
  const undo = page.getByRole('button', { name: 'Undo' });
  for (let step = 0; step < 100; step += 1) await page.keyboard.press('Control+z');
  await expect(card(page, 'Mirror')).not.toContainText(/Bypassed|Muted/);
  await expect(undo).toBeEnabled();
  await page.keyboard.press('Control+z');
  await expect(card(page, 'Mirror')).toHaveCount(0);
  await expect(undo).toBeDisabled();
  for (let step = 0; step < 101; step += 1) await page.keyboard.press('Control+Shift+z');
  await expect(card(page, 'Mirror')).toContainText('Bypassed');
  await expect(page.getByRole('button', { name: 'Redo' })).toBeDisabled();
  expect(errors).toEqual([]);
});

test('an earlier version comes back, and going back to it can be undone', async ({ page }) => {
  const errors = await open(page);
  await add(page, 'flip');
  await expect.poll(async () => (await calls(page, 'saveCanvas')).at(-1)).toBe('saveCanvas graph-1 3');
  await add(page, 'resize');
  await expect.poll(async () => (await calls(page, 'saveCanvas')).at(-1)).toBe('saveCanvas graph-1 4');
  await nothingTyped(page);
  await page.keyboard.press('Control+Shift+e');
  const versions = page.getByRole('region', { name: 'Earlier versions of this graph' });
  await versions.getByRole('button').filter({ hasText: '3 nodes' }).click();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(card(page, 'Resize')).toHaveCount(0);
  await expect(card(page, 'Mirror')).toHaveCount(1);
  await page.keyboard.press('Control+z');
  await expect(card(page, 'Resize')).toHaveCount(1);
  expect(errors).toEqual([]);
});

test('a key goes from one fault to the next and around', async ({ page }) => {
  const errors = await open(page);
  await add(page, 'crop');
  await page.locator('.svelte-flow__pane').click({ position: { x: 12, y: 12 } });
  await expect(page.getByRole('button', { name: /problems/ })).toBeVisible();
  const seen = new Set<string>();
  for (let step = 0; step < 8; step += 1) {
    await nothingTyped(page);
    await page.keyboard.press('F8');
    await expect(card(page, 'Crop')).toHaveClass(/selected/);
    await page.waitForTimeout(60);
    seen.add(await page.evaluate(() => document.activeElement?.closest<HTMLElement>('[data-param]')?.dataset['param'] ?? document.activeElement?.className ?? ''));
  }
  for (const param of ['x', 'y', 'width', 'height']) expect([...seen]).toContain(param);
  expect(errors).toEqual([]);
});

test('a job that was done opens as the graph that it was', async ({ page }) => {
  const errors = await open(page, { files: '/home/mai/Phim/a.mp4' });
  await page.locator('[data-place=home]').click();
  await page.locator('#start').click();
  await expect(page.locator('.layer img')).toHaveCount(2);
  await page.getByRole('button', { name: 'Open as graph' }).click();
  await expect(card(page, 'Enlarge')).toBeVisible();
  await expect(page.locator('.svelte-flow__edge')).toHaveCount(2);
  // It is at hand: its source is known, and what leaves it can be seen at once.
  await card(page, 'Enlarge').click();
  await page.keyboard.press('Shift+P');
  await expect(card(page, 'Enlarge').locator('.look img')).toBeVisible();
  await expect(page.locator('.side')).toContainText('Only the framed part went through the model');
  expect(errors).toEqual([]);
});

test('a wire that is let go on a card takes the port that fits, and one from an input offers what gives it', async ({ page }) => {
  const errors = await open(page);
  await add(page, 'flip', { x: 200, y: 420 });
  const onto = await card(page, 'Mirror').boundingBox();
  if (!onto) throw new Error('no card');
  await pull(page, await middle(port(page, /^Output “pictures”/, 'Source')), { x: onto.x + onto.width / 2, y: onto.y + 16 });
  await expect(page.locator('.svelte-flow__edge')).toHaveCount(2);
  // Sound has no place on it.
  await pull(page, await middle(port(page, /^Output “sound”/, 'Source')), { x: onto.x + onto.width / 2, y: onto.y + 16 });
  await expect(page.locator('.told')).toContainText('Nothing on this node takes sound');
  // Backwards, from an input.
  await pull(page, await middle(port(page, /^Input “sound”/, 'Output')), { x: onto.x + onto.width + 80, y: onto.y + 120 });
  await expect(page.getByRole('dialog')).toBeVisible();
  await expect(page.getByRole('option', { name: /^Mirror/ })).toHaveCount(0);
  await page.keyboard.type('loudness');
  await page.keyboard.press('Enter');
  await expect(page.locator('.svelte-flow__edge.sound')).toHaveCount(1);
  expect(errors).toEqual([]);
});

test('what is copied in the list is pasted and duplicated there', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await open(page);
  await page.keyboard.press('Shift+L');
  const rows = page.locator('tbody tr');
  await expect(rows).toHaveCount(2);
  await rows.first().getByRole('button').first().click();
  await page.keyboard.press('Control+c');
  await page.keyboard.press('Control+v');
  await expect(rows).toHaveCount(3);
  await page.keyboard.press('Control+d');
  await expect(rows).toHaveCount(4);
});
