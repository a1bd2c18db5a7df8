/**
 * What the page itself costs, in Chromium on the fake: `cargo xtask bench --only ui` reads the lines
 * that begin with `figure`.
 */
import { expect, test, type Page } from '@playwright/test';

function figure(name: string, value: number) {
  console.log(`figure ${JSON.stringify({ name, value })}`);
}

async function open(page: Page, options: Record<string, string>) {
  await page.goto(`/?${new URLSearchParams({ language: 'en', theme: 'dark', ...options })}`);
  await expect(page.locator('[data-place=home]')).toBeVisible();
  // What the start does late is not part of what follows.
  await page.waitForTimeout(1000);
}

/** Milliseconds from one frame to the next while `act` runs. */
async function frames(page: Page, act: () => Promise<void>): Promise<number[]> {
  await page.evaluate(() => {
    const times: number[] = [];
    let last = performance.now();
    let running = true;
    const tick = (now: number) => {
      times.push(now - last);
      last = now;
      if (running) requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
    Object.assign(window, { endFrames: () => ((running = false), times) });
  });
  await act();
  const times = await page.evaluate(() => (window as unknown as { endFrames: () => number[] }).endFrames());
  return times.slice(3).sort((a, b) => a - b);
}

const middle = (times: number[]) => times[Math.floor(times.length / 2)] ?? Number.NaN;

test('a library of a hundred thousand items is opened and scrolled', async ({ page }) => {
  const opened: number[] = [];
  for (let run = 0; run < 5; run += 1) {
    await open(page, { library: '100000' });
    opened.push(
      await page.evaluate(
        () =>
          new Promise<number>((done) => {
            const start = performance.now();
            document.querySelector<HTMLElement>('[data-place=library]')?.click();
            const look = () => {
              // Painted: the frame after the one in which the first card is there.
              if (document.querySelector('[data-index="0"]')) requestAnimationFrame(() => done(performance.now() - start));
              else requestAnimationFrame(look);
            };
            look();
          }),
      ),
    );
  }
  figure('library of 100,000: until the first items are painted', middle(opened.sort((a, b) => a - b)));

  const times = await frames(page, () =>
    page.evaluate(
      () =>
        new Promise<void>((done) => {
          const grid = document.querySelector('[role=grid]') as HTMLElement;
          let step = 0;
          // Slow and fast, and two leaps through the whole.
          const scroll = () => {
            step += 1;
            grid.scrollTop += step === 150 ? grid.scrollHeight / 2 : step < 75 ? 40 : 400;
            if (step < 300) requestAnimationFrame(scroll);
            else done();
          };
          requestAnimationFrame(scroll);
        }),
    ),
  );
  figure('library of 100,000: longest frame while scrolled', times.at(-1) ?? Number.NaN);
});

test('the canvas moves with two hundred nodes on it', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await open(page, {});
  await page.locator('[data-place=canvas]').click();
  await expect(page.locator('.svelte-flow__node-card').first()).toBeVisible();
  const nodes = Array.from({ length: 200 }, (_, index) => ({ id: `n${index}`, op: 'denoise', params: { sigma: 1 + (index % 20) } }));
  const edges = nodes.slice(1).map(({ id }, index) => ({ from: `n${index}`, to: id }));
  const places = Object.fromEntries(nodes.map(({ id }, index) => [id, { x: (index % 20) * 280, y: Math.floor(index / 20) * 150 }]));
  await page.evaluate((text) => navigator.clipboard.writeText(text), JSON.stringify({ version: 2, nodes, edges, places }));
  await page.keyboard.press('Control+v');
  await expect(page.locator('.toolbar, .tools').getByRole('button', { name: /problems/ })).toBeVisible();
  await page.keyboard.press('.');
  await expect(page.locator('.svelte-flow__node-card').nth(150)).toBeAttached();
  await page.waitForTimeout(1000);
  const box = await page.locator('.svelte-flow__pane').boundingBox();
  if (!box) throw new Error('the canvas is not drawn');
  await page.mouse.move(box.x + 12, box.y + 12);
  const times = await frames(page, async () => {
    await page.mouse.down();
    for (let step = 0; step < 200; step += 1) {
      await page.mouse.move(box.x + 12 + 300 * Math.abs(Math.sin(step / 19)), box.y + 12 + 200 * Math.abs(Math.sin(step / 13)));
    }
    await page.mouse.up();
  });
  figure('canvas of 200 nodes: usual frame while moved', middle(times));
});

test('ten thousand events of progress leave the last state standing', async ({ page }) => {
  await open(page, { files: '/home/mai/Phim/a.mp4', tick: '3600000' });
  await page.locator('#start').click();
  const found = await page.evaluate(async () => {
    const { fakeIpc } = window as unknown as {
      fakeIpc: { jobs: Map<string, { id: string; progress: object }>; emit: (event: object) => void };
    };
    const [job] = [...fakeIpc.jobs.values()];
    if (!job) throw new Error('no job was begun');
    const start = performance.now();
    for (let done = 1; done <= 10_000; done += 1) {
      fakeIpc.emit({ event: 'progress', id: job.id, progress: { ...job.progress, total: 10_001, done } });
    }
    const finished = { ...job, state: 'succeeded', progress: { ...job.progress, total: 10_001, done: 10_001 }, finished_millis: Date.now() };
    fakeIpc.jobs.set(job.id, finished);
    fakeIpc.emit({ event: 'changed', job: finished });
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    return performance.now() - start;
  });
  figure('10,000 events of progress: until they are painted', found);
  await expect(page.locator('.strip, [role=listbox]').first()).toContainText(/Done|Finished/);
  figure('10,000 events of progress: last states lost', 0);
});
