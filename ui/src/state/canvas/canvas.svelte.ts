/**
 * The canvas: the document that is drawn, what was before it, what is chosen in it, what is wrong
 * with it, and its way to the disk and into the queue.
 */
import { createContext } from 'svelte';
import type { AppError } from '../../ipc/bindings/AppError';
import type { CanvasEntry } from '../../ipc/bindings/CanvasEntry';
import type { Fault } from '../../ipc/bindings/Fault';
import type { Graph } from '../../ipc/bindings/Graph';
import type { GraphPlan } from '../../ipc/bindings/GraphPlan';
import type { GraphRequest } from '../../ipc/bindings/GraphRequest';
import type { Job } from '../../ipc/bindings/Job';
import type { JobSpec } from '../../ipc/bindings/JobSpec';
import type { NodeKind } from '../../ipc/bindings/NodeKind';
import { toAppError, type Ipc } from '../../ipc/ipc';
import { cutBehind } from './cut';
import {
  documentOfSpec, freshDocument, inputNames, nodeOf, readDocument, type CanvasDocument, type Drawing, type Kinds, type RunWish,
} from './document';
import * as edits from './edits';
import { History } from './history.svelte';
import { resolved } from './resolve';

const SAVE_AFTER_MILLIS = 700;
const RETRY_MILLIS = 15_000;
const CHECK_AFTER_MILLIS = 120;
/** Longer names are not saved. */
const NAME_BYTES = 200;

function shortened(name: string): string {
  const letters = [...name];
  while (new TextEncoder().encode(letters.join('')).length > NAME_BYTES) letters.pop();
  return letters.join('');
}

export type SaveState = 'saved' | 'waiting' | 'saving' | 'failed';

/** Where to go in a document: chosen by a list, followed by what draws it. */
export interface Visit {
  id: string;
  param: string | null;
}

export class Canvas {
  kinds = $state.raw<Kinds>(new Map());
  /** Saved documents. */
  entries = $state.raw<readonly CanvasEntry[]>([]);
  /** Id of the document in hand; `null` until it is saved for the first time. */
  id = $state<string | null>(null);
  name = $state('');
  saving = $state<SaveState>('saved');
  error = $state.raw<AppError | null>(null);
  faults = $state.raw<readonly Fault[]>([]);
  /** Ids of nodes, groups and comments. */
  selection = $state.raw<readonly string[]>([]);
  /** Names of wires, as `wireId` gives them. */
  wires = $state.raw<readonly string[]>([]);
  loaded = $state(false);
  visit = $state.raw<Visit | null>(null);
  /** Another document was asked for while the one in hand cannot be saved: it waits for an answer. */
  stuck = $state(false);
  /** What else is to be done with the document in hand before it is left. */
  leaving: () => Promise<void> = async () => {};
  /** How it is looked at: that stays where one goes to another place and comes back. */
  shown = $state<'drawing' | 'list'>('drawing');
  /** Where the playhead was left, and in which file. */
  playhead: { path: string | null; at: number } = { path: null, at: 0 };
  /** Counts documents that were opened, so that the drawing shows the whole of each. */
  opened = $state(0);

  readonly history = new History<CanvasDocument>(freshDocument());
  /** What was copied last, where the system's clipboard cannot be read. */
  #copied: edits.Clip | null = null;
  #saveTimer: ReturnType<typeof setTimeout> | undefined;
  #checkTimer: ReturnType<typeof setTimeout> | undefined;
  #checkRun = 0;
  /** What is done when it is left all the same. */
  #next: () => Promise<void> = async () => {};
  #writing: Promise<void> = Promise.resolve();
  #loading: Promise<void> | null = null;

  document = $derived(this.history.current);
  /** What is submitted: without the nodes that rest. */
  resolved = $derived(resolved(this.document, this.kinds));
  chosenNodes = $derived(this.selection.filter((id) => nodeOf(this.document, id)));

  constructor(
    private readonly ipc: Ipc,
    private readonly untitled: () => string,
  ) {}

  /** Loads the kinds and the document that was drawn last; once. */
  load(): Promise<void> {
    return (this.#loading ??= this.#load());
  }

  /** Loads the kinds alone, for forms outside the canvas. */
  async loadKinds(): Promise<void> {
    if (this.kinds.size === 0) await this.#guard(() => this.#readKinds());
  }

  async #readKinds(): Promise<void> {
    const kinds = await this.ipc.nodeKinds();
    this.kinds = new Map(kinds.map((kind) => [kind.op, kind]));
  }

  async #load(): Promise<void> {
    await this.#guard(async () => {
      await this.#readKinds();
      this.entries = await this.ipc.canvasGraphs();
      const last = this.entries[0];
      if (last) await this.#read(last.id);
      else this.#begin(freshDocument(), this.untitled(), null);
    });
    // After a failure the next visit tries again.
    if (this.kinds.size === 0) this.#loading = null;
    this.loaded = true;
  }

  #begin(document: CanvasDocument, name: string, id: string | null): void {
    clearTimeout(this.#saveTimer);
    this.history.reset(document);
    [this.id, this.name, this.selection, this.wires] = [id, name, [], []];
    this.saving = 'saved';
    this.opened += 1;
    this.#checkSoon();
  }

  async #read(id: string): Promise<void> {
    const found = await this.ipc.canvasGraph(id);
    this.#begin(readDocument(found.document, this.kinds), found.name, id);
  }

  /** Opens a saved document. */
  async open(id: string): Promise<void> {
    await this.#leave(() => this.#read(id));
  }

  async fresh(begun: () => void = () => {}): Promise<void> {
    await this.#leave(async () => {
      this.#begin(freshDocument(), this.untitled(), null);
      begun();
    });
  }

  /** Goes on to another document; if this one cannot be saved, only when that was answered. */
  async #leave(next: () => Promise<void>): Promise<void> {
    await this.leaving();
    if (await this.flush()) await this.#guard(next);
    else [this.#next, this.stuck] = [next, true];
  }

  /** Goes on without what could not be saved. */
  async leaveAnyway(): Promise<void> {
    this.stuck = false;
    await this.#guard(this.#next);
  }

  /** Shows a job, or what would become one, as a document of its own. */
  async openSpec(spec: JobSpec, name: string): Promise<void> {
    await this.load();
    await this.#leave(async () => {
      this.#begin(documentOfSpec(spec, this.kinds), shortened(name), null);
      this.#saveSoon();
    });
  }

  /** Shows a document from a file; `id` is that of its copy here. `begun` is called as soon as it is in hand. */
  async openDocument(value: unknown, name: string, id: string, begun: () => void): Promise<void> {
    await this.load();
    await this.#leave(async () => {
      this.#begin(readDocument(value, this.kinds), name, id);
      this.#saveSoon();
      begun();
    });
  }

  /** From now on the document in hand is kept under another id. */
  async become(id: string): Promise<void> {
    if (id === this.id) return;
    await this.flush();
    this.id = id;
    this.#saveSoon();
  }

  async remove(id: string): Promise<void> {
    await this.#guard(async () => {
      if (id === this.id) clearTimeout(this.#saveTimer);
      await this.#writing;
      await this.ipc.removeCanvas(id);
      this.entries = await this.ipc.canvasGraphs();
      if (id !== this.id) return;
      const next = this.entries[0];
      if (next) await this.#read(next.id);
      else this.#begin(freshDocument(), this.untitled(), null);
    });
  }

  rename(name: string): void {
    this.name = name;
    this.#saveSoon();
  }

  /** Takes over a document of the past as a change like any other: it can be undone. */
  async restore(savedMillis: number): Promise<void> {
    const id = this.id;
    if (id === null) return;
    await this.#guard(async () => {
      const found = await this.ipc.canvasVersion(id, savedMillis);
      await this.#save(true);
      this.edit(readDocument(found, this.kinds));
      this.opened += 1;
    });
  }

  /** Takes over what an edit made. Edits with one key that follow each other closely are one. */
  edit(next: CanvasDocument, key: string | null = null): void {
    if (next === this.document) return;
    this.history.apply(next, key);
    this.#changed();
  }

  undo(): void {
    this.history.undo();
    this.#changed();
  }

  redo(): void {
    this.history.redo();
    this.#changed();
  }

  #changed(): void {
    const { graph, groups, comments } = this.document;
    const known = new Set([...graph.nodes, ...groups, ...comments].map(({ id }) => id));
    this.selection = this.selection.filter((id) => known.has(id));
    const wires = new Set(graph.edges.map(edits.wireId));
    this.wires = this.wires.filter((id) => wires.has(id));
    this.#saveSoon();
    this.#checkSoon();
  }

  #saveSoon(): void {
    this.saving = 'waiting';
    clearTimeout(this.#saveTimer);
    this.#saveTimer = setTimeout(() => void this.#save(false), SAVE_AFTER_MILLIS);
  }

  /** Writes what is not written yet; false if that cannot be done. */
  async flush(): Promise<boolean> {
    if (this.saving === 'waiting' || this.saving === 'failed') await this.#save(false);
    else await this.#writing;
    return this.saving !== 'failed';
  }

  #save(keep: boolean): Promise<void> {
    clearTimeout(this.#saveTimer);
    const { document } = this;
    const name = this.name.trim() || this.untitled();
    // One after the other: the first gives the document its id.
    this.#writing = this.#writing.then(async () => {
      this.saving = 'saving';
      try {
        const entry = await this.ipc.saveCanvas({ id: this.id, name, document, keep });
        this.id = entry.id;
        this.entries = [entry, ...this.entries.filter((other) => other.id !== entry.id)];
        if (this.saving === 'saving') this.saving = document === this.document ? 'saved' : 'waiting';
        this.error = null;
      } catch (thrown) {
        this.saving = 'failed';
        this.error = toAppError(thrown);
        // The disk may have room again by then.
        clearTimeout(this.#saveTimer);
        this.#saveTimer = setTimeout(() => void this.#save(false), RETRY_MILLIS);
      }
    });
    return this.#writing;
  }

  #checkSoon(): void {
    clearTimeout(this.#checkTimer);
    this.#checkTimer = setTimeout(() => void this.check(), CHECK_AFTER_MILLIS);
  }

  /** Asks what is wrong; only the last question is answered. */
  async check(): Promise<readonly Fault[]> {
    clearTimeout(this.#checkTimer);
    const run = ++this.#checkRun;
    await this.#guard(async () => {
      const found = await this.ipc.checkGraph(this.resolved);
      if (run === this.#checkRun) this.faults = found;
    });
    return this.faults;
  }

  // What is done to the nodes that are chosen.

  add(kind: NodeKind, at: edits.Point): string {
    const [next, id] = edits.addNode(this.document, kind, at);
    this.edit(next);
    this.selection = [id];
    return id;
  }

  removeChosen(): void {
    const ungrouped = this.selection.reduce(edits.ungroup, this.document);
    this.edit(edits.disconnect(edits.remove(ungrouped, this.selection), this.wires));
    [this.selection, this.wires] = [[], []];
  }

  selectAll(): void {
    const { graph, comments } = this.document;
    this.selection = [...graph.nodes, ...comments].map(({ id }) => id);
  }

  /** Puts what is chosen on the clipboard, the system's too. */
  async copy(): Promise<void> {
    if (this.selection.length === 0) return;
    this.#copied = edits.clipOf(this.document, this.selection);
    try {
      await navigator.clipboard.writeText(JSON.stringify(this.#copied, null, 2));
    } catch {
      // The webview may keep the system's clipboard from us; ours still has it.
    }
  }

  async cut(): Promise<void> {
    await this.copy();
    this.removeChosen();
  }

  /** Puts in what is on the clipboard; false if that is no graph. */
  async paste(at: edits.Point): Promise<boolean> {
    let clip = this.#copied;
    try {
      const text = await navigator.clipboard.readText();
      clip = text.trim() === '' ? clip : edits.readClip(text, this.kinds);
    } catch {
      // As above.
    }
    if (!clip) return false;
    this.put(clip, at);
    return true;
  }

  /** Puts in a graph that was pasted as text; false if it is none. */
  pasteText(text: string, at: edits.Point): boolean {
    const clip = edits.readClip(text, this.kinds);
    if (clip) this.put(clip, at);
    return clip !== null;
  }

  put(clip: edits.Clip, at: edits.Point): void {
    const [next, ids] = edits.paste(this.document, clip, at);
    this.edit(next);
    this.selection = ids;
  }

  duplicate(at: edits.Point): void {
    if (this.chosenNodes.length > 0) this.put(edits.clipOf(this.document, this.selection), at);
  }

  // Running.

  setRun(change: Partial<RunWish>): void {
    this.edit({ ...this.document, run: { ...this.document.run, ...change } }, `run:${Object.keys(change).join()}`);
  }

  /** What is submitted where the graph is cut behind a node; all of it where `null`. */
  upTo(behind: string | null): Drawing {
    return behind === null ? this.resolved : resolved(cutBehind(this.document, this.kinds, behind), this.kinds);
  }

  requestFor(graph: Drawing, output: string | null = null): GraphRequest {
    const { inputs, codec, quality, device, overwrite, commercial } = this.document.run;
    const names = inputNames(graph);
    return {
      graph: graph as unknown as Graph,
      inputs: Object.fromEntries(Object.entries(inputs).filter(([name]) => names.includes(name))),
      output: output ?? '',
      codec,
      quality,
      device,
      compute: { precision: null, deterministic: false, threads: null, priority: null },
      overwrite,
      drop: [],
      pictures: { rate: null, sequence: false },
      commercial,
    };
  }

  plan(graph: Drawing, output: string | null): Promise<GraphPlan> {
    return this.ipc.planGraph(this.requestFor(graph, output));
  }

  submit(graph: Drawing, output: string | null): Promise<Job> {
    return this.ipc.submitGraph(this.requestFor(graph, output));
  }

  async #guard(action: () => Promise<void>): Promise<void> {
    try {
      await action();
      this.error = null;
    } catch (thrown) {
      this.error = toAppError(thrown);
    }
  }
}

export const [useCanvas, provideCanvas] = createContext<Canvas>();
