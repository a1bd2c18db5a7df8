import { AxeBuilder } from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';

const BROKEN = '/home/mai/Phim/broken upload.mp4';

async function open(page: Page, options: Record<string, string> = {}) {
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  const query = new URLSearchParams({ language: 'en', theme: 'dark', tick: '20', ...options });
  await page.goto(`/?${query}`);
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  return errors;
}

interface Fake {
  calls: string[];
  handOver(opened: { files: string[]; projects: string[] }): void;
  choose(id: string): void;
}
const calls = (page: Page) => page.evaluate(() => (window as unknown as { fakeIpc: Fake }).fakeIpc.calls);

for (const theme of ['dark', 'light']) {
  for (const language of ['en', 'vi', 'fr']) {
    test(`menu, account, cards of models, storage and details are free of axe findings: ${theme}, ${language}`, async ({ page }) => {
      const check = async (where: string) => {
        const { violations } = await new AxeBuilder({ page }).analyze();
        const found = violations.map(({ id, nodes }) => `${where}: ${id}: ${nodes.map((node) => node.html).join(' | ')}`);
        expect(found).toEqual([]);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
        expect([where, wide]).toEqual([where, false]);
      };
      await open(page, { theme, language, files: BROKEN });
      await page.getByRole('alert').locator('summary').click();
      await expect(page.getByRole('alert').locator('pre')).toBeVisible();
      await check('details of a failure');
      await page.locator('header [aria-haspopup=menu]').click();
      await expect(page.getByRole('menu')).toBeVisible();
      await check('menu');
      await page.keyboard.press('Escape');
      await page.keyboard.press('Control+8');
      await check('account');
      await page.keyboard.press('Control+6');
      await page.locator('details summary').first().click();
      await expect(page.getByRole('table').first()).toBeVisible();
      await check('models');
      await page.keyboard.press('Control+,');
      await page.locator('label:has(input[name=proxy][value=address])').click();
      await page.locator('input[inputmode=url]').fill('nonsense');
      await page.keyboard.press('Enter');
      await expect(page.getByRole('alert')).toBeVisible();
      await check('settings');
    });
  }
}

test('the menu is opened, read and used with the keyboard alone', async ({ page }) => {
  const errors = await open(page);
  const button = page.getByRole('button', { name: 'Menu' });
  await button.focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('menuitem', { name: 'Add files' }).first()).toBeFocused();
  // Nothing is chosen on Home that could be started.
  await expect(page.getByRole('menuitem', { name: 'Start', exact: true })).toHaveAttribute('aria-disabled', 'true');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('menu')).toBeHidden();
  await expect(button).toBeFocused();
  await page.keyboard.press('Enter');
  await page.keyboard.press('End');
  await expect(page.getByRole('menuitem', { name: 'Keyboard shortcuts' })).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await expect(page.getByRole('menuitem', { name: 'Add files' }).first()).toBeFocused();
  await page.keyboard.press('g');
  await expect(page.getByRole('menuitem', { name: 'Go to Home' })).toBeFocused();
  await page.keyboard.press('g');
  await page.keyboard.press('Enter');
  await expect(page.locator('[data-place=library]')).toHaveAttribute('aria-current', 'page');
  // What belongs to a place is listed where one is.
  await button.click();
  await expect(page.getByRole('group', { name: 'Library' }).getByRole('menuitem').first()).toBeVisible();
  await page.keyboard.press('Escape');
  expect(errors).toEqual([]);
});

test('a menu that is opened again at once stays open', async ({ page }) => {
  await open(page);
  await page.getByRole('button', { name: 'Menu' }).click();
  await expect(page.getByRole('menu')).toBeVisible();
  // The browser tells later that the first menu was closed: in between, the second one is opened.
  await page.evaluate(async () => {
    document.activeElement?.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }));
    await Promise.resolve();
    (document.activeElement as HTMLElement).click();
    await new Promise((done) => setTimeout(done, 200));
  });
  await expect(page.getByRole('menuitem', { name: 'Add files' }).first()).toBeFocused({ timeout: 2000 });
});

test('files that come from outside are opened on Home, wherever one is', async ({ page }) => {
  await open(page);
  await page.keyboard.press('Control+5');
  await page.evaluate(() =>
    (window as unknown as { fakeIpc: Fake }).fakeIpc.handOver({ files: ['/home/mai/Phim/ngõ nhỏ Hà Nội.mp4'], projects: [] }),
  );
  await expect(page.getByRole('heading', { level: 1, name: 'ngõ nhỏ Hà Nội.mp4' })).toBeVisible();
});

test('a command that is chosen in a menu of the system is done, and its words follow the language', async ({ page }) => {
  await open(page);
  await page.evaluate(() => (window as unknown as { fakeIpc: Fake }).fakeIpc.choose('place.models'));
  await expect(page.getByRole('heading', { level: 1, name: 'Models' })).toBeVisible();
  await page.evaluate(() => (window as unknown as { fakeIpc: Fake }).fakeIpc.choose('no.such'));
  expect(await calls(page)).toContainEqual('menus  | Show Frameloom');
  await page.keyboard.press('Control+,');
  await page.locator('label:has(input[name=language][value=fr])').click();
  await expect.poll(() => calls(page)).toContainEqual('menus  | Afficher Frameloom');
});

test('what is copied of a failure is shown first, and nothing else is copied', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await open(page, { files: BROKEN });
  const alert = page.getByRole('alert');
  await alert.getByText('Technical details').click();
  await alert.getByRole('button', { name: 'Copy' }).click();
  await expect(alert.getByRole('button', { name: 'Copied' })).toBeVisible();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(copied).toBe(await alert.locator('pre').innerText());
  expect(copied).toContain('Last lines of the log');
});

test('a proxy is saved when it is one, refused in a sentence when it is none, and reset with the rest', async ({ page }) => {
  await open(page);
  await page.keyboard.press('Control+,');
  const saved = async () => (await calls(page)).filter((call) => call.startsWith('settings')).at(-1) ?? '';
  await page.locator('label:has(input[name=proxy][value=address])').click();
  const field = page.getByLabel('Address of the proxy');
  await field.fill('http://mai:secret@proxy.example:8080');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('alert')).toContainText('This is not the address of a proxy.');
  expect(await saved()).toBe('');
  await field.fill('socks5://127.0.0.1:1080');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('alert')).toHaveCount(0);
  await expect.poll(saved).toContain('"proxy":{"kind":"address","url":"socks5://127.0.0.1:1080"}');
  await page.getByRole('button', { name: 'Reset all settings…' }).click();
  await page.getByRole('button', { name: 'Reset', exact: true }).click();
  await expect.poll(saved).toContain('"proxy":{"kind":"system"}');
  await expect(field).toHaveCount(0);
});

test('storage says how large each part is, and what can go is cleared', async ({ page }) => {
  await open(page);
  await page.keyboard.press('Control+,');
  const samples = page.locator('li', { has: page.getByRole('heading', { name: 'Samples' }) });
  await expect(samples).toContainText('318 MB');
  await expect(page.getByRole('button', { name: 'Clear: Models' })).toHaveCount(0);
  const limit = page.getByRole('group', { name: 'Keep at most' });
  await expect(limit.getByRole('radio', { name: '5 GB' })).toBeChecked();
  await limit.getByText('20 GB').click();
  await expect(limit.getByRole('radio', { name: '20 GB' })).toBeChecked();
  await expect.poll(async () => (await calls(page)).join()).toContain('"kept_limit":20');
  await page.getByRole('button', { name: 'Clear: Samples' }).click();
  await expect(samples).toContainText('0 bytes');
  await expect(page.getByText('Samples: cleared.')).toBeAttached();
  await expect(page.getByRole('button', { name: 'Clear: Samples' })).toBeDisabled();
  expect(await calls(page)).toContainEqual('clear samples');
  await page.getByRole('button', { name: 'Show folder: Logs' }).click();
  await expect.poll(() => calls(page)).toContainEqual('reveal logs');
  await page.getByLabel('Search settings').fill('proxy');
  await expect(page.getByRole('heading', { name: 'Samples' })).toHaveCount(0);
  await expect(page.getByRole('heading', { name: 'Proxy' })).toBeVisible();
});

test('pasted pictures are asked about before they go, and projects are only shown', async ({ page }) => {
  await open(page);
  await page.keyboard.press('Control+,');
  const pasted = page.locator('li', { has: page.getByRole('heading', { name: 'Pasted pictures' }) });
  await expect(pasted).toContainText('9.6 MB');
  await page.getByRole('button', { name: 'Clear: Pasted pictures' }).click();
  const dialog = page.getByRole('dialog', { name: 'Clear pasted pictures?' });
  await expect(dialog).toContainText('6.1 MB');
  await expect(dialog.getByRole('button', { name: 'Keep them' })).toBeFocused();
  await page.keyboard.press('Enter');
  expect(await calls(page)).not.toContainEqual('clear pasted');
  await page.getByRole('button', { name: 'Clear: Pasted pictures' }).click();
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await expect(pasted).toContainText('3.5 MB');
  await expect(page.getByRole('button', { name: 'Clear: Pasted pictures' })).toBeDisabled();
  const projects = page.locator('li', { has: page.getByRole('heading', { name: 'Projects' }) });
  await expect(projects).toContainText('1.3 MB');
  await expect(projects.getByRole('button')).toHaveText(['Show folder']);
});

test('a model is measured, checked and read about', async ({ page }) => {
  const errors = await open(page);
  await page.keyboard.press('Control+6');
  const model = page.locator('.models > li').first();
  await expect(model).toContainText('not measured yet');
  await model.getByRole('button', { name: 'Measure' }).click();
  await expect(model).toContainText('41.3 pictures of 640 × 360 a second (CPU)');
  await model.getByRole('button', { name: 'Check the file' }).click();
  await expect(model).toContainText('The file is exactly what its maker published.');
  await model.getByText('About this model').click();
  await expect(model.getByRole('cell', { name: '37.23 / 0.9579' })).toBeVisible();
  expect(errors).toEqual([]);
});

test('a narrow window shows the new places without scrolling sideways', async ({ page }) => {
  await page.setViewportSize({ width: 560, height: 700 });
  await open(page, { language: 'fr' });
  for (const keys of ['Control+6', 'Control+8', 'Control+,']) {
    await page.keyboard.press(keys);
    await page.locator('details summary').first().click({ timeout: 1000 }).catch(() => {});
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
    expect([keys, wide]).toEqual([keys, false]);
  }
  await page.getByRole('button', { name: 'Menu' }).click();
  const menu = await page.getByRole('menu').boundingBox();
  expect((menu?.x ?? 0) + (menu?.width ?? 0)).toBeLessThanOrEqual(560);
  expect((menu?.y ?? 0) + (menu?.height ?? 0)).toBeLessThanOrEqual(700);
});

test('what could not be cleared is said, and not called cleared', async ({ page }) => {
  const errors = await open(page);
  await page.evaluate(() => {
    const { fakeIpc } = window as unknown as { fakeIpc: { clearKept: () => Promise<void> } };
    fakeIpc.clearKept = () => Promise.reject({ code: 'output_unwritable', message: 'The folder is in use.', hint: null, details: null });
  });
  await page.keyboard.press('Control+,');
  const clear = page.getByRole('button', { name: /^Clear/ }).first();
  await clear.focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('alert')).toContainText('The folder is in use.');
  await expect(page.getByRole('status').filter({ hasText: 'cleared.' })).toHaveCount(0);
  // Nor does the keyboard lose its place.
  await expect(clear).toBeFocused();
  expect(errors).toEqual([]);
});

test('a model that is measured stays so while the description of another is read, and the keyboard keeps its place', async ({ page }) => {
  const errors = await open(page);
  await page.evaluate(() => {
    const { fakeIpc } = window as unknown as { fakeIpc: { measureModel: () => Promise<never>; modelCard: () => Promise<string | null> } };
    fakeIpc.measureModel = () => new Promise(() => {});
    fakeIpc.modelCard = async () => null;
  });
  await page.keyboard.press('Control+6');
  const measure = page.getByRole('button', { name: /^Measur/ });
  await measure.first().focus();
  await page.keyboard.press('Enter');
  await expect(measure.first()).toHaveText('Measuring…');
  await expect(measure.first()).toBeFocused();
  await page.locator('details summary').last().click();
  await expect(page.getByText('It has no description.')).toBeVisible();
  await expect(measure.first()).toHaveText('Measuring…');
  await expect(measure.last()).toHaveAttribute('aria-disabled', 'true');
  expect(errors).toEqual([]);
});

test('keys are taken away from a command with the keyboard alone, and one who goes elsewhere gives none', async ({ page }) => {
  const errors = await open(page);
  await page.keyboard.press('Control+,');
  const keys = page.getByRole('button', { name: 'Change the keys of “Add files”' }).first();
  await keys.focus();
  await page.keyboard.press('Enter');
  await expect(keys).toHaveText('Press the keys…');
  await page.keyboard.press('Shift+Tab');
  await expect(page.getByRole('button', { name: 'Take the keys away' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(keys).not.toContainText('O');
  await keys.focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await expect(keys).not.toHaveText('Press the keys…');
  expect(errors).toEqual([]);
});
