/**
 * The project in hand: a file that the document of the canvas belongs to. What is drawn is kept by the
 * canvas in any case; the file changes only when the user saves.
 */
import { createContext } from 'svelte';
import type { AppError } from '../ipc/bindings/AppError';
import type { Collected } from '../ipc/bindings/Collected';
import type { CollectForecast } from '../ipc/bindings/CollectForecast';
import type { OpenedProject } from '../ipc/bindings/OpenedProject';
import type { ProjectProgress } from '../ipc/bindings/ProjectProgress';
import type { ProjectRecovery } from '../ipc/bindings/ProjectRecovery';
import type { ProjectSave } from '../ipc/bindings/ProjectSave';
import type { ProjectVerification } from '../ipc/bindings/ProjectVerification';
import type { RecentProject } from '../ipc/bindings/RecentProject';
import { toAppError, type Ipc } from '../ipc/ipc';
import type { Canvas } from './canvas/canvas.svelte';
import { readDocument, type CanvasDocument } from './canvas/document';
import { setSource } from './canvas/edits';
import { same } from './same';

/** So long after the last change, what is not saved is noted. */
const NOTE_AFTER_MILLIS = 2000;

/** What is in a project's file, or was noted beside it. */
interface Contents {
  document: CanvasDocument;
  title: string;
}

/** What takes its time. */
export type ProjectWork = 'open' | 'save' | 'relink' | 'collect' | 'lock' | 'verify';

/** What came of it, for the dialog that shows it. */
export type ProjectResult =
  | { kind: 'collected'; collected: Collected }
  | { kind: 'locked' }
  | { kind: 'verified'; verification: ProjectVerification };

export class Projects {
  /** As it was opened or saved last; `null` while a graph without a project is in hand. */
  current = $state.raw<OpenedProject | null>(null);
  recent = $state.raw<readonly RecentProject[]>([]);
  /** Changes that were not saved when the program ended, until it is answered what becomes of them. */
  recoveries = $state.raw<readonly ProjectRecovery[]>([]);
  work = $state<ProjectWork | null>(null);
  progress = $state.raw<ProjectProgress | null>(null);
  result = $state.raw<ProjectResult | null>(null);
  error = $state.raw<AppError | null>(null);
  /** The dialog with the sources is asked for. */
  asksForSources = $state(false);

  #saved = $state.raw<Contents | null>(null);
  #noted: Contents | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #loading: Promise<void> = Promise.resolve();

  constructor(
    private readonly ipc: Ipc,
    private readonly canvas: Canvas,
  ) {
    canvas.leaving = () => this.noteNow();
  }

  /** The project of the document in hand; another document that was opened has none, or its own. */
  get inHand(): OpenedProject | null {
    const { current } = this;
    return current !== null && this.canvas.id === current.id ? current : null;
  }

  get unsaved(): boolean {
    if (this.inHand === null) return false;
    // By what they hold: a document that was left and opened again is another object.
    return !same(this.#saved, this.#drawn());
  }

  /** Sources that are not what or where they were. */
  get lost() {
    return this.inHand?.sources.filter(({ state }) => state === 'missing' || state === 'changed') ?? [];
  }

  #drawn(): Contents {
    return { document: this.canvas.document, title: this.canvas.name.trim() || 'Frameloom' };
  }

  load(): Promise<void> {
    return (this.#loading = this.#load());
  }

  async #load(): Promise<void> {
    await this.#guard(async () => {
      [this.recent, this.recoveries] = await Promise.all([this.ipc.recentProjects(), this.ipc.projectRecoveries()]);
    });
  }

  /**
   * The canvas shows a document that it kept; if that is the one of a project, the project is in hand
   * again. What is drawn stays, also where the program ended before it was noted or saved.
   */
  async adopt(): Promise<void> {
    await this.#loading;
    const { id } = this.canvas;
    if (id === null || this.inHand) return;
    const own = this.recent.find((one) => one.exists && one.id === id);
    if (!own || this.recoveries.some(({ path }) => path === own.path)) return;
    const opened = await this.#read((told) => this.ipc.openProject(own.path, told));
    if (!opened) return;
    await this.#guard(async () => {
      // Another document, or the project itself, may have been opened meanwhile.
      if (this.canvas.id !== opened.id || this.inHand) return;
      const changed = this.canvas.entries.find((entry) => entry.id === id)?.changed_millis ?? 0;
      const kept = { document: readDocument(opened.document, this.canvas.kinds), title: opened.title };
      // Saved since by somebody else, on another computer perhaps: the file is newer than what is drawn.
      if (opened.saved_millis > changed && !same(kept, this.#drawn())) return this.#show(opened, true);
      this.current = opened;
      this.#saved = kept;
      this.#noted = this.unsaved ? null : this.#drawn();
      if (this.unsaved) this.noteSoon();
    });
  }

  /** False if it cannot be opened. */
  async open(path: string): Promise<boolean> {
    const opened = await this.#read((told) => this.ipc.openProject(path, told));
    return opened !== null && this.#guard(() => this.#show(opened, true));
  }

  /** Goes on with what was not saved; the file stays as it is until it is saved. False if it cannot be opened. */
  async recover(path: string): Promise<boolean> {
    const opened = await this.#read((told) => this.ipc.recoverProject(path, told));
    if (!opened) return false;
    return this.#guard(async () => {
      await this.#show(opened, false);
      this.recoveries = this.recoveries.filter((one) => one.path !== path);
    });
  }

  /** Throws away what was not saved. */
  async drop(path: string): Promise<void> {
    const dropped = await this.#guard(async () => {
      await this.ipc.dropRecovery(path);
      this.recoveries = this.recoveries.filter((one) => one.path !== path);
      await this.canvas.load();
    });
    // The canvas kept the document with the changes, too.
    const own = this.recent.find((one) => one.path === path && one.exists);
    if (dropped && own && this.canvas.id === own.id && !this.inHand) await this.open(path);
  }

  /** They are offered again at the next start. */
  leaveRecoveries(): void {
    this.recoveries = [];
  }

  async fresh(): Promise<void> {
    await this.#guard(async () => {
      await this.canvas.load();
      await this.canvas.fresh(() => ([this.current, this.#saved] = [null, null]));
    });
  }

  async #show(opened: OpenedProject, saved: boolean): Promise<void> {
    // Not before the document is left: that may have to be asked first.
    await this.canvas.openDocument(opened.document, opened.title, opened.id, () => {
      this.current = opened;
      this.#saved = saved ? this.#drawn() : null;
      this.#noted = this.#drawn();
      this.asksForSources = this.lost.length > 0;
    });
    if (opened.recovery && !this.recoveries.some(({ path }) => path === opened.path)) {
      this.recoveries = [...this.recoveries, opened.recovery];
    }
    this.recent = await this.ipc.recentProjects();
  }

  /** Saves; where there is no file yet, `ask` says which. False if nothing was saved. */
  async save(ask: () => Promise<string | null>): Promise<boolean> {
    const { inHand } = this;
    return inHand ? this.#write(inHand.path, null) : this.saveAs(ask);
  }

  async saveAs(ask: () => Promise<string | null>): Promise<boolean> {
    const from = this.inHand?.path ?? null;
    let path: string | null = null;
    await this.#guard(async () => {
      await this.canvas.load();
      path = await ask();
    });
    return path !== null && this.#write(path, from);
  }

  #contents(path: string, from: string | null): ProjectSave {
    return { path, from: from === path ? null : from, id: this.canvas.id, ...this.#drawn(), graph: this.canvas.resolved };
  }

  async #write(path: string, from: string | null): Promise<boolean> {
    clearTimeout(this.#timer);
    const saving = this.#drawn();
    const save = this.#contents(path, from);
    const done = await this.#do('save', async (told) => {
      const saved = await this.ipc.saveProject(save, told);
      // Read again: hashes and places of files are known now.
      const opened = await this.ipc.openProject(saved.path, told);
      await this.canvas.become(saved.id);
      this.current = opened;
      [this.#saved, this.#noted] = [saving, saving];
      this.recent = await this.ipc.recentProjects();
    });
    // What was drawn meanwhile, or could not be saved, is noted as any other change.
    this.noteSoon();
    return done;
  }

  /** Notes what is not saved, a while after the last change. */
  noteSoon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.noteNow(), NOTE_AFTER_MILLIS);
  }

  async noteNow(): Promise<void> {
    clearTimeout(this.#timer);
    const { inHand } = this;
    const now = this.#drawn();
    if (!inHand || this.work === 'save' || same(this.#noted, now)) return;
    const before = this.#noted;
    this.#noted = now;
    try {
      // What was noted before may have to go, too: the program compares with the file.
      await this.ipc.autosaveProject(this.#contents(inHand.path, null));
    } catch (thrown) {
      if (this.#noted === now) this.#noted = before;
      this.error = toAppError(thrown);
    }
  }

  async relink(role: string, file: string, anyway: boolean): Promise<AppError | null> {
    const { inHand } = this;
    if (!inHand) return null;
    let refused: AppError | null = null;
    await this.#do('relink', async (told) => {
      try {
        const opened = await this.ipc.relinkProject(inHand.path, role, file, anyway, told);
        if (this.inHand?.path !== inHand.path) return;
        this.current = opened;
        this.#saved = { document: readDocument(opened.document, this.canvas.kinds), title: opened.title };
        const path = opened.sources.find((source) => source.role === role)?.path;
        // What is drawn takes the file, too, and keeps what is not saved.
        if (path != null) this.canvas.edit(setSource(this.canvas.document, role, path));
      } catch (thrown) {
        refused = toAppError(thrown);
      }
    });
    return refused;
  }

  async forecastCollect(folder: string): Promise<CollectForecast | null> {
    let forecast: CollectForecast | null = null;
    await this.#guard(async () => {
      if (this.inHand) forecast = await this.ipc.forecastCollect(this.inHand.path, folder);
    });
    return forecast;
  }

  async collect(folder: string): Promise<void> {
    const { inHand } = this;
    if (!inHand) return;
    await this.#do('collect', async (told) => {
      this.result = { kind: 'collected', collected: await this.ipc.collectProject(inHand.path, folder, told) };
    });
  }

  async lock(): Promise<void> {
    const { inHand } = this;
    if (!inHand) return;
    await this.#do('lock', async (told) => {
      this.current = await this.ipc.lockProject(inHand.path, told);
      this.result = { kind: 'locked' };
    });
  }

  async verify(): Promise<void> {
    const { inHand } = this;
    if (!inHand) return;
    await this.#do('verify', async (told) => {
      this.result = { kind: 'verified', verification: await this.ipc.verifyProject(inHand.path, told) };
    });
  }

  stop(): void {
    void this.ipc.stopProjectWork().catch(() => {});
  }

  async forget(path: string): Promise<void> {
    await this.#guard(async () => {
      await this.ipc.forgetProject(path);
      this.recent = await this.ipc.recentProjects();
    });
  }

  /** A project with its files looked for, which are read where they were copied; `null` if that failed or was stopped. */
  async #read(ask: (told: (progress: ProjectProgress) => void) => Promise<OpenedProject>): Promise<OpenedProject | null> {
    let opened: OpenedProject | null = null;
    await this.#do('open', async (told) => {
      opened = await ask(told);
    });
    return opened;
  }

  /** One thing at a time; true if it was done. */
  async #do(work: ProjectWork, action: (told: (progress: ProjectProgress) => void) => Promise<void>): Promise<boolean> {
    if (this.work !== null) return false;
    this.work = work;
    this.result = null;
    try {
      await action((progress) => (this.progress = progress));
      this.error = null;
      return true;
    } catch (thrown) {
      const error = toAppError(thrown);
      // Who stopped it knows that.
      if (error.code !== 'cancelled') this.error = error;
      return false;
    } finally {
      [this.work, this.progress] = [null, null];
    }
  }

  /** True if it went well. */
  async #guard(action: () => Promise<void>): Promise<boolean> {
    try {
      await action();
      this.error = null;
      return true;
    } catch (thrown) {
      this.error = toAppError(thrown);
      return false;
    }
  }
}

export const [useProjects, provideProjects] = createContext<Projects>();
