import { expect, it, vi } from 'vitest';
import { chordOf, Commands, shownKeys } from './commands.svelte';

const key = (name: string, held: KeyboardEventInit = {}) => new KeyboardEvent('keydown', { key: name, ...held });

it('a chord is named by what is held, and a sign by what it types', () => {
  expect(chordOf(key('k', { ctrlKey: true, shiftKey: true }))).toBe('Mod+Shift+K');
  expect(chordOf(key('?', { shiftKey: true }))).toBe('?');
  expect(chordOf(key('Enter', { metaKey: true, altKey: true }))).toBe('Mod+Alt+Enter');
  expect(chordOf(key(' '))).toBe('Space');
  expect(shownKeys('Mod+Shift+K', false)).toEqual(['Ctrl', '⇧', 'K']);
  expect(shownKeys('+', false)).toEqual(['+']);
});

it('what was added last wins, and a command that cannot be done leaves the key to the others', () => {
  const commands = new Commands();
  const [first, second] = [vi.fn(), vi.fn()];
  commands.add({ id: 'a.do', title: 'app.name', keys: ['Mod+G'], run: first });
  let can = true;
  const gone = commands.add({ id: 'b.do', title: 'app.name', keys: ['Mod+G'], run: second, enabled: () => can });
  commands.handle(key('g', { ctrlKey: true }));
  expect([first.mock.calls.length, second.mock.calls.length]).toEqual([0, 1]);
  can = false;
  commands.handle(key('g', { ctrlKey: true }));
  expect(first).toHaveBeenCalledOnce();
  can = true;
  gone();
  commands.handle(key('g', { ctrlKey: true }));
  expect([first.mock.calls.length, second.mock.calls.length]).toEqual([2, 1]);
});

it('keys that the user chose replace the usual ones', () => {
  const commands = new Commands();
  const run = vi.fn();
  commands.add({ id: 'a.do', title: 'app.name', keys: ['Mod+G'], run });
  commands.chosen = { 'a.do': 'Mod+Shift+J' };
  expect(commands.handle(key('g', { ctrlKey: true }))).toBe(false);
  expect(commands.handle(key('J', { ctrlKey: true, shiftKey: true }))).toBe(true);
  commands.chosen = { 'a.do': '' };
  expect(commands.handle(key('g', { ctrlKey: true }))).toBe(false);
});

it('what is typed into a field is text', () => {
  const commands = new Commands();
  const run = vi.fn();
  commands.add({ id: 'a.do', title: 'app.name', keys: ['?'], run });
  const field = document.body.appendChild(document.createElement('input'));
  field.addEventListener('keydown', (event) => commands.handle(event));
  field.dispatchEvent(key('?', { bubbles: true }));
  expect(run).not.toHaveBeenCalled();
});
