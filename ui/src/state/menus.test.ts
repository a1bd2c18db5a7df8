import { expect, it } from 'vitest';
import { COMMAND_IDS, GROUPS, groupOf } from './catalogue';
import { Commands } from './commands.svelte';
import { menuBar, menusOf } from './menus';

const all = COMMAND_IDS.map((id) => ({ id, run: () => {} }));

it('every command of the catalogue is in exactly one menu', () => {
  const listed = menusOf(all).flatMap(({ commands }) => commands.map(({ id }) => id));
  expect([...listed].sort()).toEqual([...COMMAND_IDS].sort());
  for (const id of COMMAND_IDS) expect(GROUPS.map(({ group }) => group)).toContain(groupOf(id));
});

it('menus list what is there now, what is hidden not, and the newest of two of one name', () => {
  const menus = menusOf([
    { id: 'files.add', run: () => {} },
    { id: 'canvas.group', hidden: true, run: () => {} },
    { id: 'window.palette', hidden: true, run: () => {} },
    { id: 'files.add', enabled: () => false, run: () => {} },
  ]);
  expect(menus.map(({ title }) => title)).toEqual(['menu.file', 'menu.help']);
  expect(menus[0]?.commands).toHaveLength(1);
  expect(menus[0]?.commands[0]?.enabled?.()).toBe(false);
});

it('the menu bar begins with the program, has the system’s editing, and shows chosen keys', () => {
  const commands = new Commands();
  commands.add(...all);
  commands.chosen = { 'files.add': 'Mod+J', 'files.addFolder': '' };
  const bar = menuBar(commands);
  expect(bar.map(({ title }) => title).slice(0, 3)).toEqual(['Frameloom', 'File', 'Edit']);
  expect(bar.at(-1)?.title).toBe('Help');
  expect(bar[0]?.items.at(-1)).toMatchObject({ kind: 'native', action: 'quit' });
  const file = bar[1]?.items ?? [];
  expect(file.find((item) => item.kind === 'command' && item.id === 'files.add')).toMatchObject({ keys: 'Mod+J', enabled: true });
  expect(file.find((item) => item.kind === 'command' && item.id === 'files.addFolder')).toMatchObject({ keys: null });
});
