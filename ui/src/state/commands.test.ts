import { expect, it, vi } from 'vitest';
import { CATALOGUE, COMMAND_IDS, GROUPS, groupOf, meet } from './catalogue';
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
  commands.add({ id: 'queue.duplicate', run: first });
  let can = true;
  const gone = commands.add({ id: 'canvas.duplicate', run: second, enabled: () => can });
  commands.handle(key('d', { ctrlKey: true }));
  expect([first.mock.calls.length, second.mock.calls.length]).toEqual([0, 1]);
  can = false;
  commands.handle(key('d', { ctrlKey: true }));
  expect(first).toHaveBeenCalledOnce();
  can = true;
  gone();
  commands.handle(key('d', { ctrlKey: true }));
  expect([first.mock.calls.length, second.mock.calls.length]).toEqual([2, 1]);
});

it('keys that the user chose replace the usual ones', () => {
  const commands = new Commands();
  const run = vi.fn();
  commands.add({ id: 'canvas.duplicate', run });
  commands.chosen = { 'canvas.duplicate': 'Mod+Shift+J' };
  expect(commands.handle(key('d', { ctrlKey: true }))).toBe(false);
  expect(commands.handle(key('J', { ctrlKey: true, shiftKey: true }))).toBe(true);
  commands.chosen = { 'canvas.duplicate': '' };
  expect(commands.handle(key('d', { ctrlKey: true }))).toBe(false);
});

it('what is typed into a field is text', () => {
  const commands = new Commands();
  const run = vi.fn();
  commands.add({ id: 'window.shortcuts', run });
  const field = document.body.appendChild(document.createElement('input'));
  field.addEventListener('keydown', (event) => commands.handle(event));
  field.dispatchEvent(key('?', { bubbles: true }));
  expect(run).not.toHaveBeenCalled();
});

it('every command has its place in the list, and the usual keys have one meaning at a time', () => {
  const groups = GROUPS.map(({ group }) => group);
  expect(COMMAND_IDS.filter((id) => !groups.includes(groupOf(id)))).toEqual([]);
  const commands = new Commands();
  expect(COMMAND_IDS.map((id) => [id, commands.rivals(id)] as const).filter(([, rivals]) => rivals.length > 0)).toEqual([]);
  const chords = (id: (typeof COMMAND_IDS)[number]): readonly string[] => CATALOGUE[id].keys;
  const shared = COMMAND_IDS.flatMap((a, at) =>
    COMMAND_IDS.slice(at + 1).flatMap((b) => (meet(a, b) && chords(a).some((chord) => chords(b).includes(chord)) ? [[a, b]] : [])),
  );
  expect(shared).toEqual([]);
});

it('a key that another place uses is free, one of the window is not', () => {
  const commands = new Commands();
  commands.chosen = { 'queue.top': 'Mod+D', 'history.show': 'Mod+O' };
  expect(commands.rivals('queue.top')).toEqual(['Duplicate']);
  expect(commands.rivals('canvas.duplicate')).toEqual([]);
  expect(commands.rivals('history.show')).toHaveLength(1);
});

it('keys that work on the text of a field are left to it', () => {
  const commands = new Commands();
  const run = vi.fn();
  commands.add({ id: 'library.all', run });
  const field = document.body.appendChild(document.createElement('input'));
  field.addEventListener('keydown', (event) => commands.handle(event));
  field.dispatchEvent(key('a', { ctrlKey: true, bubbles: true }));
  expect(run).not.toHaveBeenCalled();
  commands.handle(key('a', { ctrlKey: true }));
  expect(run).toHaveBeenCalledOnce();
});
