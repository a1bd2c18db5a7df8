import { AxeBuilder } from '@axe-core/playwright';
import { expect, test } from '@playwright/test';
import { calls, card, middle, open, port, pull, submitted } from './support/canvas';

for (const theme of ['dark', 'light']) {
  for (const language of ['en', 'vi', 'fr']) {
    test(`the canvas is free of axe findings: ${theme}, ${language}`, async ({ page }) => {
      const errors = await open(page, { theme, language });
      const check = async (where: string) => {
        await page.waitForTimeout(400);
        const { violations } = await new AxeBuilder({ page }).analyze();
        const found = violations.map(({ id, nodes }) => `${where}: ${id}: ${nodes.map((node) => node.html.slice(0, 300)).join(' | ')}`);
        expect(found).toEqual([]);
      };
      await check('drawing');
      await page.keyboard.press('Shift+A');
      await check('search');
      await page.keyboard.type('overlay');
      await page.keyboard.press('Enter');
      await check('node');
      await page.keyboard.press('Control+m');
      await page.keyboard.press('Control+g');
      await page.keyboard.press('Shift+C');
      await page.keyboard.type('Hà Nội');
      await check('muted, grouped, commented');
      await page.keyboard.press('Escape');
      await page.getByRole('radio').last().check({ force: true });
      await check('list');
      await page.keyboard.press('Control+Enter');
      await expect(page.getByRole('dialog')).toBeVisible();
      await check('run');
      await page.keyboard.press('Escape');
      await page.keyboard.press('Control+Shift+E');
      await check('graphs');
      expect(errors).toEqual([]);
    });
  }
}

test('a graph of four nodes is built by mouse, runs, and is saved by itself', async ({ page }) => {
  const errors = await open(page);
  // A double-click on the ground finds a node.
  const pane = page.locator('.svelte-flow__pane');
  await pane.dblclick({ position: { x: 330, y: 150 } });
  await page.keyboard.type('mirror');
  await page.getByRole('option').first().click();
  await expect(card(page, 'Mirror')).toBeVisible();
  await page.getByLabel('Direction').selectOption('horizontal');
  await pull(page, await middle(port(page, /^Output “pictures”/, 'Source')), await middle(port(page, /^Input/, 'Mirror')));
  await expect(page.locator('.svelte-flow__edge')).toHaveCount(2);
  // A wire that is let go offers only what fits on it.
  await pull(page, await middle(port(page, /^Output/, 'Mirror')), { x: 560, y: 600 });
  await expect(page.getByRole('dialog')).toBeVisible();
  await expect(page.getByRole('option', { name: /^Loudness/ })).toHaveCount(0);
  await page.keyboard.type('resize');
  await page.keyboard.press('Enter');
  await expect(page.locator('.svelte-flow__edge')).toHaveCount(3);
  await expect(page.getByRole('button', { name: /problem/ }).first()).toBeVisible();
  await page.getByRole('textbox', { name: 'Width' }).fill('1920');
  await page.getByRole('textbox', { name: 'Height' }).fill('1080');
  await pull(page, await middle(port(page, /^Output/, 'Resize')), await middle(port(page, /^Input “pictures”/, 'Output')));
  await expect(page.getByRole('button', { name: /problem/ })).toHaveCount(0);
  await page.locator('#run-graph').click();
  await page.getByRole('textbox', { name: 'Source' }).fill('/home/mai/a.mp4');
  await page.getByRole('textbox', { name: 'Source' }).press('Tab');
  await expect(page.getByRole('textbox', { name: 'Result' })).toHaveValue('/home/mai/a_graph.mp4');
  await page.getByRole('button', { name: 'Add to the queue' }).click();
  const { graph, inputs } = await submitted(page);
  expect(graph.nodes.map(({ op }) => op)).toEqual(['source', 'sink', 'flip', 'resize']);
  expect(graph.edges.map(({ from, to }) => `${from}>${to}`)).toEqual(['source1>flip1', 'flip1>resize1', 'resize1>sink1']);
  expect(inputs).toEqual({ main: '/home/mai/a.mp4' });
  await expect.poll(async () => (await calls(page, 'saveCanvas')).at(-1)).toBe('saveCanvas graph-1 4');
  expect(errors).toEqual([]);
});

test('a graph of four nodes is built by keyboard alone, in the list', async ({ page }) => {
  const errors = await open(page);
  await page.keyboard.press('Shift+L');
  await expect(page.getByRole('table')).toBeVisible();
  await page.keyboard.press('Shift+A');
  await page.keyboard.type('mirror');
  await page.keyboard.press('Enter');
  await page.getByLabel('Direction').focus();
  await page.keyboard.type('left');
  await page.getByLabel('Connect: Input “in”: pictures').focus();
  await page.keyboard.type('Source');
  await page.getByLabel('Connect: Output “out”: pictures').focus();
  await page.keyboard.type('Output');
  await expect(page.locator('tr[data-id=flip1]')).toContainText('Source: pictures');
  await expect(page.locator('tr[data-id=flip1]')).toContainText('Output: pictures');
  // Between the two, a node more; the arrow keys go through the rows.
  await page.keyboard.press('Shift+A');
  await page.keyboard.type('deinterlace');
  await page.keyboard.press('Enter');
  await page.getByLabel('Connect: Input “in”: pictures').focus();
  await page.keyboard.type('Mirror');
  await page.getByLabel('Connect: Output “out”: pictures').focus();
  await page.keyboard.type('Output');
  await expect(page.locator('tr[data-id=deinterlace1]')).toContainText('Mirror: out');
  await page.locator('tr[data-id=source1]').getByRole('button').focus();
  await page.keyboard.press('ArrowDown');
  await expect(page.locator('tr[data-id=flip1]').getByRole('button')).toBeFocused();
  await page.getByLabel('X', { exact: true }).fill('320');
  await page.keyboard.press('Control+Enter');
  await page.keyboard.type('/home/mai/b.mp4');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Add to the queue' }).focus();
  await page.keyboard.press('Enter');
  const { graph } = await submitted(page);
  expect(graph.edges.map(({ from, to }) => `${from}>${to}`).sort()).toEqual(['deinterlace1>sink1', 'flip1>deinterlace1', 'source1>flip1']);
  expect(errors).toEqual([]);
});

test('a wire that does not fit is refused with the reason', async ({ page }) => {
  await open(page);
  await pull(page, await middle(port(page, /^Output “sound”/, 'Source')), await middle(port(page, /^Input “pictures”/, 'Output')));
  await expect(page.locator('.told')).toContainText('This gives sound and that takes pictures.');
  await expect(page.locator('.svelte-flow__edge')).toHaveCount(1);
});

test('a fault names its place, and its entry leads to the field that mends it', async ({ page }) => {
  await open(page);
  await page.keyboard.press('Shift+A');
  await page.keyboard.type('resize');
  await page.keyboard.press('Enter');
  await page.locator('.svelte-flow__pane').click({ position: { x: 12, y: 12 } });
  const list = page.getByRole('region', { name: 'What keeps it from running' });
  await expect(list.getByRole('listitem')).toHaveCount(4);
  await list.getByRole('listitem').filter({ hasText: '“Height” is missing' }).getByRole('button').click();
  await expect(page.getByRole('textbox', { name: 'Height' })).toBeFocused();
  await page.keyboard.type('99999');
  await expect(page.getByText('Give a whole number from 1 to 65,535.')).toBeVisible();
  // A graph with faults does not run; it says so.
  await page.keyboard.press('Control+Enter');
  await expect(page.locator('.told')).toContainText('keep this graph from running');
});

test('changes are undone and done again, copies go over the clipboard of the system', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await open(page);
  await page.keyboard.press('Control+a');
  await page.keyboard.press('Control+c');
  await page.keyboard.press('Control+v');
  await expect(page.locator('.svelte-flow__node-card')).toHaveCount(4);
  const text = await page.evaluate(() => navigator.clipboard.readText());
  expect(JSON.parse(text)).toMatchObject({ version: 2, nodes: [{ op: 'source' }, { op: 'sink' }] });
  await page.keyboard.press('Delete');
  await expect(page.locator('.svelte-flow__node-card')).toHaveCount(2);
  await page.keyboard.press('Control+z');
  await expect(page.locator('.svelte-flow__node-card')).toHaveCount(4);
  await page.keyboard.press('Control+z');
  await expect(page.locator('.svelte-flow__node-card')).toHaveCount(2);
  await page.keyboard.press('Control+Shift+z');
  await expect(page.locator('.svelte-flow__node-card')).toHaveCount(4);
});

test('a muted node is left out of what is submitted, and a drawing is there again when one comes back', async ({ page }) => {
  await open(page, { files: '/home/mai/Phim/a.mp4' });
  await page.locator('nav').getByRole('button').first().click();
  await expect(page.locator('#start')).toBeEnabled();
  await page.getByRole('button', { name: 'Open as graph' }).click();
  await expect(card(page, 'Enlarge')).toBeVisible();
  await expect(page.getByRole('textbox', { name: 'Name of the graph' })).toHaveValue('a');
  await card(page, 'Enlarge').click();
  await page.keyboard.press('Control+b');
  await expect(card(page, 'Enlarge')).toContainText('Bypassed');
  await page.keyboard.press('Control+Enter');
  await page.getByRole('button', { name: 'Add to the queue' }).click();
  const { graph, inputs } = await submitted(page);
  expect(graph.nodes.map(({ op }) => op)).toEqual(['source', 'sink']);
  expect(inputs).toEqual({ main: '/home/mai/Phim/a.mp4' });
  await page.locator('nav').getByRole('button').first().click();
  await page.locator('[data-place=canvas]').click();
  await expect(card(page, 'Enlarge')).toContainText('Bypassed');
});

test('two hundred nodes stay smooth while the canvas is moved', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await open(page);
  const nodes = Array.from({ length: 200 }, (_, index) => ({ id: `n${index}`, op: 'denoise', params: { sigma: 1 + (index % 20) } }));
  const edges = nodes.slice(1).map(({ id }, index) => ({ from: `n${index}`, to: id }));
  const places = Object.fromEntries(nodes.map(({ id }, index) => [id, { x: (index % 20) * 280, y: Math.floor(index / 20) * 150 }]));
  await page.evaluate((text) => navigator.clipboard.writeText(text), JSON.stringify({ version: 2, nodes, edges, places }));
  await page.keyboard.press('Control+v');
  await expect(page.locator('.toolbar, .tools').getByRole('button', { name: /problems/ })).toBeVisible();
  await page.keyboard.press('.');
  await page.waitForTimeout(500);
  const box = await page.locator('.svelte-flow__pane').boundingBox();
  if (!box) throw new Error('no pane');
  await page.evaluate(() => {
    const times: number[] = [];
    let last = performance.now();
    const tick = (now: number) => {
      times.push(now - last);
      last = now;
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
    const touched = { cards: 0 };
    new MutationObserver((changes) => (touched.cards += changes.length)).observe(document.querySelector('.svelte-flow__nodes') as Element, {
      attributes: true,
      characterData: true,
      subtree: true,
    });
    Object.assign(window, { frameTimes: times, touched });
  });
  await page.mouse.move(box.x + 12, box.y + 12);
  await page.mouse.down();
  for (let step = 0; step < 120; step += 1) {
    await page.mouse.move(box.x + 12 + 300 * Math.abs(Math.sin(step / 19)), box.y + 12 + 200 * Math.abs(Math.sin(step / 13)));
  }
  await page.mouse.up();
  const times = await page.evaluate(() => (window as unknown as { frameTimes: number[] }).frameTimes.slice(5).sort((a, b) => a - b));
  const median = times[Math.floor(times.length / 2)] ?? 0;
  const worst = times.at(-1) ?? 0;
  console.log(`200 nodes panned: median frame ${median.toFixed(1)} ms, worst ${worst.toFixed(1)} ms, ${times.length} frames`);
  // Time depends on what else the machine does; that no card is touched while the view moves does not.
  const touched = await page.evaluate(() => (window as unknown as { touched: { cards: number } }).touched.cards);
  expect(touched).toBe(0);
});

test('a fraction is typed letter by letter and means what is written', async ({ page }) => {
  await open(page);
  await page.keyboard.press('Shift+A');
  await page.keyboard.type('trim');
  await page.keyboard.press('Enter');
  const start = page.getByRole('textbox', { name: 'From', exact: true });
  await start.click();
  await start.pressSequentially('0.5');
  await expect(start).toHaveValue('0.5');
  await page.keyboard.press('Tab');
  await expect(start).toHaveValue('0.5');
  await start.fill('');
  await start.pressSequentially('30000/1001');
  await expect(start).toHaveValue('30000/1001');
});
