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
import type { CanvasDocument } from './canvas/document';

/** So long after the last change, what is not saved is noted. */
const NOTE_AFTER_MILLIS = 2000;

/** What takes its time. */
export type ProjectWork = 'save' | 'relink' | 'collect' | 'lock' | 'verify';

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

  #saved = $state.raw<{ document: CanvasDocument; title: string } | null>(null);
  #noted: { document: CanvasDocument; title: string } | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly ipc: Ipc,
    private readonly canvas: Canvas,
  ) {}

  /** The project of the document in hand; another document that was opened has none, or its own. */
  get inHand(): OpenedProject | null {
    const { current } = this;
    return current !== null && this.canvas.id === current.id ? current : null;
  }

  get unsaved(): boolean {
    const { inHand } = this;
    if (inHand === null) return false;
    return this.#saved?.document !== this.canvas.document || this.#saved.title !== this.canvas.name.trim();
  }

  /** Sources that are not what or where they were. */
  get lost() {
    return this.inHand?.sources.filter(({ state }) => state === 'missing' || state === 'changed') ?? [];
  }

  async load(): Promise<void> {
    await this.#guard(async () => {
      [this.recent, this.recoveries] = await Promise.all([this.ipc.recentProjects(), this.ipc.projectRecoveries()]);
    });
  }

  /** The canvas shows what was drawn last; if that is the document of a project, it is in hand again. */
  async adopt(): Promise<void> {
    if (this.current || this.canvas.id === null) return;
    const own = this.recent.find(({ id, exists }) => exists && id === this.canvas.id);
    if (!own || this.recoveries.some(({ path }) => path === own.path)) return;
    await this.open(own.path);
  }

  async open(path: string): Promise<void> {
    await this.#guard(async () => this.#show(await this.ipc.openProject(path), true));
  }

  /** Goes on with what was not saved; the file stays as it is until it is saved. */
  async recover(path: string): Promise<void> {
    await this.#guard(async () => {
      await this.#show(await this.ipc.recoverProject(path), false);
      this.recoveries = this.recoveries.filter((one) => one.path !== path);
    });
  }

  /** Throws away what was not saved. */
  async drop(path: string): Promise<void> {
    await this.#guard(async () => {
      await this.ipc.dropRecovery(path);
      this.recoveries = this.recoveries.filter((one) => one.path !== path);
    });
  }

  /** They are offered again at the next start. */
  leaveRecoveries(): void {
    this.recoveries = [];
  }

  async fresh(): Promise<void> {
    await this.#guard(async () => {
      await this.noteNow();
      await this.canvas.load();
      await this.canvas.fresh();
      [this.current, this.#saved] = [null, null];
    });
  }

  async #show(opened: OpenedProject, saved: boolean): Promise<void> {
    await this.noteNow();
    await this.canvas.openDocument(opened.document, opened.title, opened.id);
    this.current = opened;
    this.#saved = saved ? { document: this.canvas.document, title: opened.title } : null;
    this.#noted = { document: this.canvas.document, title: opened.title };
    this.asksForSources = this.lost.length > 0;
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
    const { canvas } = this;
    const title = canvas.name.trim() || 'Frameloom';
    return { path, from: from === path ? null : from, id: canvas.id, title, document: canvas.document, graph: canvas.resolved };
  }

  async #write(path: string, from: string | null): Promise<boolean> {
    clearTimeout(this.#timer);
    const { document } = this.canvas;
    const save = this.#contents(path, from);
    return this.#do('save', async (told) => {
      const saved = await this.ipc.saveProject(save, told);
      // Read again: hashes and places of files are known now.
      const opened = await this.ipc.openProject(saved.path);
      await this.canvas.become(saved.id);
      this.current = opened;
      this.#saved = { document, title: save.title };
      this.#noted = this.#saved;
      this.recent = await this.ipc.recentProjects();
    });
  }

  /** Notes what is not saved, a while after the last change. */
  noteSoon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.noteNow(), NOTE_AFTER_MILLIS);
  }

  async noteNow(): Promise<void> {
    clearTimeout(this.#timer);
    const { inHand } = this;
    const now = { document: this.canvas.document, title: this.canvas.name.trim() };
    const known = this.#noted?.document === now.document && this.#noted.title === now.title;
    if (!inHand || this.work === 'save' || known) return;
    this.#noted = now;
    // What was noted before may have to go, too: the program compares with the file.
    await this.ipc.autosaveProject(this.#contents(inHand.path, null)).catch((thrown: unknown) => (this.error = toAppError(thrown)));
  }

  async relink(role: string, file: string, anyway: boolean): Promise<AppError | null> {
    const { inHand } = this;
    if (!inHand) return null;
    const { unsaved } = this;
    let refused: AppError | null = null;
    await this.#do('relink', async (told) => {
      try {
        const opened = await this.ipc.relinkProject(inHand.path, role, file, anyway, told);
        if (!unsaved) await this.#show(opened, true);
        else this.current = opened;
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

  async #guard(action: () => Promise<void>): Promise<void> {
    try {
      await action();
      this.error = null;
    } catch (thrown) {
      this.error = toAppError(thrown);
    }
  }
}

export const [useProjects, provideProjects] = createContext<Projects>();
