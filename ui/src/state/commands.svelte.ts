/**
 * Everything that can be done by a key or from the palette: one list, so that the keys that are
 * shown are the keys that work.
 */
import { createContext } from 'svelte';
import { t } from '../i18n/index.svelte';
import { CATALOGUE, COMMAND_IDS, meet, type CommandId } from './catalogue';

/** What a place does when a command of the catalogue is given. */
export interface Command {
  id: CommandId;
  /** Left out of the palette where that makes no sense. */
  hidden?: boolean;
  /** Whether it can be done now. */
  enabled?: () => boolean;
  run: (event?: KeyboardEvent) => void;
}

const MODIFIERS = ['Mod', 'Alt', 'Shift'] as const;

/** The chord that an event is, as `Mod+Shift+K`. */
export function chordOf(event: KeyboardEvent): string {
  const key = event.key === ' ' ? 'Space' : event.key.length === 1 ? event.key.toUpperCase() : event.key;
  const held = [
    (event.ctrlKey || event.metaKey) && 'Mod',
    event.altKey && 'Alt',
    // Shift is part of what `?` or `+` is made with.
    event.shiftKey && (event.key.length > 1 || /\p{L}|\s/u.test(event.key)) && 'Shift',
  ];
  return [...MODIFIERS.filter((_, index) => held[index]), key].join('+');
}

/** Whether the event belongs to a field that text is typed into. */
function isTyped(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement | null;
  if (!target?.matches) return false;
  const takesText = target.matches('textarea, select, [contenteditable=true], input:not([type=radio], [type=checkbox], [type=range], [type=button])');
  if (!takesText || event.altKey) return false;
  // With these the text itself is worked on, as in every program.
  return event.ctrlKey || event.metaKey ? ['a', 'c', 'v', 'x', 'y', 'z'].includes(event.key.toLowerCase()) : true;
}

/** Whether the event is for the control that has the focus: it is pressed or moved with such keys. */
function isOperated(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement | null;
  if (!target?.matches || event.ctrlKey || event.metaKey || event.altKey) return false;
  if (event.key === ' ' || event.key === 'Enter') return target.matches('button, a, summary, input, select, [role=option], [role=checkbox]');
  return event.key.startsWith('Arrow') && target.matches('input, select, [role=slider], [role=listbox], [role=grid], [role=application]');
}

/** How a chord is written for people: `Ctrl`, `⇧`, `K`. */
export function shownKeys(chord: string, mac = navigator.platform.startsWith('Mac')): string[] {
  const names: Record<string, string> = {
    Mod: mac ? '⌘' : 'Ctrl',
    Alt: mac ? '⌥' : 'Alt',
    Shift: '⇧',
    Enter: '↵',
    ArrowLeft: '←',
    ArrowRight: '→',
    ArrowUp: '↑',
    ArrowDown: '↓',
    Delete: 'Del',
    Escape: 'Esc',
  };
  // The plus sign itself is a key, too.
  return chord.split(/\+(?!$)/).map((key) => names[key] ?? key);
}

export function titleOf(id: CommandId): string {
  return t(CATALOGUE[id].title);
}

export class Commands {
  #added = $state.raw<readonly Command[]>([]);
  /** Chords that the user chose, by command; an empty one takes the keys away. */
  chosen = $state.raw<Readonly<Record<string, string>>>({});

  get all(): readonly Command[] {
    return this.#added;
  }

  /** Adds commands until the returned function is called; a later one of the same name wins. */
  add(...commands: Command[]): () => void {
    this.#added = [...this.#added, ...commands];
    return () => {
      this.#added = this.#added.filter((command) => !commands.includes(command));
    };
  }

  keysOf(id: CommandId): readonly string[] {
    const chosen = this.chosen[id];
    if (chosen !== undefined) return chosen === '' ? [] : [chosen];
    return CATALOGUE[id].keys;
  }

  /** The keys as a title ends with them: ` (Ctrl+K)`; nothing where there are none. */
  hint(id: CommandId): string {
    const [chord] = this.keysOf(id);
    return chord === undefined ? '' : ` (${shownKeys(chord).join('+')})`;
  }

  /** The others that the command's keys are meant for at the same time, by name. */
  rivals(id: CommandId): string[] {
    const [chord] = this.keysOf(id);
    if (chord === undefined) return [];
    return COMMAND_IDS.filter((other) => other !== id && meet(id, other) && this.keysOf(other).includes(chord)).map(titleOf);
  }

  run(id: CommandId): void {
    const command = this.#added.findLast((command) => command.id === id);
    if (command && command.enabled?.() !== false) command.run();
  }

  /** Does what the key says; true if it was one of ours. */
  handle(event: KeyboardEvent): boolean {
    if (event.defaultPrevented || isTyped(event) || isOperated(event)) return false;
    const chord = chordOf(event);
    // Places add theirs later than the window: what is nearest wins.
    const command = this.#added.findLast((command) => this.keysOf(command.id).includes(chord) && command.enabled?.() !== false);
    if (!command) return false;
    command.run(event);
    return true;
  }
}

export const [useCommands, provideCommands] = createContext<Commands>();
