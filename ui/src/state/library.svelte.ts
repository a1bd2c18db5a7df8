/**
 * The library as the window shows it: the numbers of a whole list, which are few bytes each, and the
 * items of those rows that were looked at lately. The program's database is the truth.
 */
import { createContext } from 'svelte';
import type { AppError } from '../ipc/bindings/AppError';
import type { Done } from '../ipc/bindings/Done';
import type { Fate } from '../ipc/bindings/Fate';
import type { LibraryDetails } from '../ipc/bindings/LibraryDetails';
import type { LibraryEvent } from '../ipc/bindings/LibraryEvent';
import type { LibraryItem } from '../ipc/bindings/LibraryItem';
import type { LibraryQuery } from '../ipc/bindings/LibraryQuery';
import type { LibrarySummary } from '../ipc/bindings/LibrarySummary';
import { toAppError, type Ipc } from '../ipc/ipc';

export const EVERYTHING: LibraryQuery = {
  text: '',
  kinds: [],
  origin: null,
  model: null,
  least_stars: 0,
  tags: [],
  least_bytes: null,
  most_bytes: null,
  since_millis: null,
  until_millis: null,
  missing: false,
  duplicates: false,
  sort: 'added',
  reversed: false,
};

/** Kinds in the order of the summary's counts. */
export const KINDS = ['video', 'still', 'audio', 'subtitles'] as const;

/** Items asked for at once. */
const PAGE = 100;
/** Items kept; more than a few screens of them are of no use. */
const KEPT = 4000;
/** A list that changes all the time is asked for so often. */
const LIST_MILLIS = 400;

export interface Choosing {
  /** From where the last choice began to here. */
  range?: boolean;
  /** Beside what is chosen. */
  toggle?: boolean;
}

/** How far the search for missing files is. */
export interface Search {
  looked: number;
  /** Files that may be what is missing, as far as they are known. */
  of: number;
  found: number;
  /** It came to its end. */
  over: boolean;
}

export class Library {
  query = $state.raw<LibraryQuery>(EVERYTHING);
  ids = $state.raw<readonly number[]>([]);
  summary = $state.raw<LibrarySummary | null>(null);
  details = $state.raw<LibraryDetails | null>(null);
  loaded = $state(false);
  importing = $state(0);
  /** The search for missing files, until its result was seen. */
  search = $state.raw<Search | null>(null);
  view = $state<'grid' | 'list'>('grid');
  /** The details are shown. Not by themselves: a list that moves under the pointer is none to click twice in. */
  side = $state(true);
  chosen = $state.raw<ReadonlySet<number>>(new Set());
  /** Place in `ids` that the keyboard is at; -1 for none. */
  active = $state(-1);

  #items = new Map<number, LibraryItem>();
  #stale = new Set<number>();
  #asked = new Set<number>();
  #version = $state(0);
  /** Rows that are on the screen. */
  #shown: [number, number] = [0, 0];
  /** Item that a range begins with, wherever it stands by then. */
  #anchor: number | null = null;
  #run = 0;
  #listTimer: ReturnType<typeof setTimeout> | undefined;
  #detailsRun = 0;
  #searchRun = 0;

  constructor(
    private readonly ipc: Ipc,
    private readonly fail: (error: AppError) => void,
  ) {}

  /** Something narrows the list. */
  get narrowed(): boolean {
    const { sort: _sort, reversed: _reversed, ...filters } = this.query;
    const { sort: _s, reversed: _r, ...none } = EVERYTHING;
    return JSON.stringify(filters) !== JSON.stringify(none);
  }

  /** Begins to listen, and asks for the list. */
  async open(): Promise<void> {
    if (this.loaded) return;
    await this.#guard(async () => {
      await this.ipc.watchLibrary((event) => this.apply(event));
      await this.#list();
      this.loaded = true;
    });
  }

  /** Takes over what the program tells. */
  apply(event: LibraryEvent): void {
    if (event.event === 'items') {
      let seen = false;
      for (const id of event.ids) {
        if (!this.#items.has(id)) continue;
        this.#stale.add(id);
        seen = true;
      }
      if (seen) void this.#load();
      if (this.details && event.ids.includes(this.details.item.id)) void this.#describe(this.details.item.id);
      this.#later();
    } else if (event.event === 'search') {
      const { looked, of, found } = event;
      if (this.search && !this.search.over) this.search = { looked, of, found, over: false };
    } else {
      for (const id of this.#items.keys()) this.#stale.add(id);
      this.#later();
    }
  }

  #later(): void {
    this.#listTimer ??= setTimeout(() => {
      this.#listTimer = undefined;
      void this.#guard(() => this.#list());
    }, LIST_MILLIS);
  }

  /** Changes the question; the list begins at its top again. */
  async ask(change: Partial<LibraryQuery>): Promise<void> {
    this.query = { ...this.query, ...change };
    await this.#guard(() => this.#list());
  }

  async #list(): Promise<void> {
    const run = ++this.#run;
    const ids = await this.ipc.findInLibrary(this.query);
    // The last question is answered; an answer that was overtaken is none.
    if (run !== this.#run) return;
    const at = this.ids[this.active];
    this.ids = ids;
    this.active = at === undefined ? -1 : ids.indexOf(at);
    if (this.chosen.size > 0) {
      const there = new Set(ids);
      const kept = [...this.chosen].filter((id) => there.has(id));
      if (kept.length !== this.chosen.size) this.#choose(new Set(kept));
    }
    await this.#load();
    this.summary = await this.ipc.librarySummary();
  }

  /** The item at a place of the list; `null` until it is there. Asks for what `show` named. */
  at(index: number): LibraryItem | null {
    void this.#version;
    const id = this.ids[index];
    return id === undefined ? null : (this.#items.get(id) ?? null);
  }

  /** An item that was seen lately. */
  known(id: number): LibraryItem | null {
    void this.#version;
    return this.#items.get(id) ?? null;
  }

  /** Rows `from..to` of the list come on the screen. */
  show(from: number, to: number): void {
    this.#shown = [from, to];
    void this.#load();
  }

  async #load(): Promise<void> {
    const [from, to] = this.#shown;
    const missing = (id: number) => (!this.#items.has(id) || this.#stale.has(id)) && !this.#asked.has(id);
    if (!this.ids.slice(from, to).some(missing)) return;
    // Whole pages: the rows below are wanted next.
    const begin = Math.floor(from / PAGE) * PAGE;
    const wanted = this.ids.slice(begin, Math.ceil(to / PAGE) * PAGE).filter(missing);
    for (const id of wanted) {
      this.#asked.add(id);
      this.#stale.delete(id);
    }
    try {
      const items = await this.ipc.libraryItems(wanted);
      for (const item of items) {
        // Put last: the map gives up its oldest first.
        this.#items.delete(item.id);
        this.#items.set(item.id, item);
      }
      for (const id of this.#items.keys()) {
        if (this.#items.size <= KEPT) break;
        this.#items.delete(id);
      }
      this.#version += 1;
    } catch (thrown) {
      this.fail(toAppError(thrown));
    } finally {
      for (const id of wanted) this.#asked.delete(id);
    }
    // It may have been scrolled on, or an item changed, while this was asked.
    if (this.#shown[0] !== from || this.#shown[1] !== to) await this.#load();
  }

  // Choosing

  /** Chooses the item at a place. */
  choose(index: number, { range = false, toggle = false }: Choosing = {}): void {
    const id = this.ids[index];
    if (id === undefined) return;
    this.active = index;
    const anchor = this.#anchor === null ? -1 : this.ids.indexOf(this.#anchor);
    if (range && anchor >= 0) {
      const [from, to] = anchor < index ? [anchor, index] : [index, anchor];
      const span = this.ids.slice(from, to + 1);
      this.#choose(new Set(toggle ? [...this.chosen, ...span] : span));
      return;
    }
    this.#anchor = id;
    const next = new Set(toggle ? this.chosen : []);
    if (toggle && next.has(id)) next.delete(id);
    else next.add(id);
    this.#choose(next);
  }

  /** Moves the keyboard's place; with `toggle` the choice stays as it is. */
  move(to: number, choosing: Choosing = {}): void {
    const index = Math.min(this.ids.length - 1, Math.max(0, to));
    if (index < 0) return;
    if (choosing.toggle) this.active = index;
    else this.choose(index, choosing);
  }

  chooseAll(): void {
    this.#choose(new Set(this.ids));
  }

  chooseNone(): void {
    this.#choose(new Set());
  }

  #choose(next: ReadonlySet<number>): void {
    this.chosen = next;
    const [only] = next;
    if (next.size === 1 && only !== undefined) void this.#describe(only);
    else this.details = null;
  }

  async #describe(id: number): Promise<void> {
    const run = ++this.#detailsRun;
    if (this.details && this.details.item.id !== id) this.details = null;
    try {
      const details = await this.ipc.libraryDetails(id);
      if (run === this.#detailsRun && this.chosen.has(id)) this.details = details;
    } catch (thrown) {
      if (run === this.#detailsRun) this.fail(toAppError(thrown));
    }
  }

  /** What is chosen, in the order of the list. Items that were never seen are fetched. */
  async chosenItems(): Promise<LibraryItem[]> {
    const ids = this.ids.filter((id) => this.chosen.has(id));
    const items: LibraryItem[] = [];
    await this.#guard(async () => {
      for (let at = 0; at < ids.length; at += 1000) items.push(...(await this.ipc.libraryItems(ids.slice(at, at + 1000))));
    });
    return items;
  }

  // Doing

  async import(paths: string[]): Promise<void> {
    if (paths.length === 0) return;
    this.importing += 1;
    await this.#guard(async () => {
      const { refused } = await this.ipc.importToLibrary(paths);
      this.#tell(refused);
    });
    this.importing -= 1;
  }

  async setStars(stars: number): Promise<void> {
    await this.#guard(() => this.ipc.setStars([...this.chosen], stars));
  }

  async changeTags(add: string[], remove: string[]): Promise<void> {
    await this.#guard(() => this.ipc.changeTags([...this.chosen], add, remove));
  }

  /** True if it has that name now. */
  async rename(id: number, name: string): Promise<AppError | null> {
    try {
      await this.ipc.renameItem(id, name);
      return null;
    } catch (thrown) {
      return toAppError(thrown);
    }
  }

  /** Why it was not taken; `null` if it was. */
  async relink(id: number, path: string, anyway: boolean): Promise<AppError | null> {
    try {
      await this.ipc.relinkItem(id, path, anyway);
      return null;
    } catch (thrown) {
      return toAppError(thrown);
    }
  }

  /** Looks for missing files below a folder; how far that is and what came of it is in `search`. */
  async findMissing(folder: string): Promise<void> {
    const run = ++this.#searchRun;
    this.search = { looked: 0, of: 0, found: 0, over: false };
    let done: Done | null = null;
    await this.#guard(async () => {
      done = await this.ipc.findMissing(folder);
      this.#tell(done.refused);
      // What is still missing is told beside what was found.
      await this.#list();
    });
    // One that was ended is over already, and so is its dialog.
    if (run !== this.#searchRun) return;
    const found = (done as Done | null)?.count;
    this.search = found === undefined ? null : { looked: 0, of: 0, found, over: true };
  }

  /** Ends the search for missing files, or puts its result away. What was found stays. */
  async endSearch(): Promise<void> {
    const runs = this.search !== null && !this.search.over;
    this.search = null;
    this.#searchRun += 1;
    if (runs) await this.#guard(() => this.ipc.stopSearch());
  }

  async delete(fate: Fate): Promise<void> {
    const next = this.active;
    await this.#guard(async () => {
      const { refused } = await this.ipc.deleteItems([...this.chosen], fate);
      this.#tell(refused);
      this.#choose(new Set());
      await this.#list();
    });
    this.active = Math.min(next, this.ids.length - 1);
  }

  async watch(folder: string, watched: boolean): Promise<void> {
    await this.#guard(async () => {
      await this.ipc.watchFolder(folder, watched);
      this.summary = await this.ipc.librarySummary();
    });
  }

  async reveal(id: number): Promise<void> {
    await this.#guard(() => this.ipc.revealItem(id));
  }

  #tell(refused: AppError[]): void {
    const [first] = refused;
    if (first) this.fail(first);
  }

  async #guard(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (thrown) {
      this.fail(toAppError(thrown));
    }
  }
}

export const [useLibrary, provideLibrary] = createContext<Library>();
