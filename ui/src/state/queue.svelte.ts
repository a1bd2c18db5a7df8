/** The queue as the window shows it: a mirror of the program's, and what is selected in it. */
import { createContext } from 'svelte';
import type { Job } from '../ipc/bindings/Job';
import type { JobEdit } from '../ipc/bindings/JobEdit';
import type { QueueEnd } from '../ipc/bindings/QueueEnd';
import type { QueueEvent } from '../ipc/bindings/QueueEvent';
import type { QueueOptions } from '../ipc/bindings/QueueOptions';
import type { QueueView } from '../ipc/bindings/QueueView';
import type { Retry } from '../ipc/bindings/Retry';
import { toAppError, type Ipc } from '../ipc/ipc';
import type { AppError } from '../ipc/bindings/AppError';
import type { Studio } from './studio.svelte';

const NOTHING: QueueView = {
  waiting: [],
  options: { at_once: 1, when_done: 'nothing', paused: false },
  asks: false,
  countdown: null,
  forecast: null,
  per_mille: null,
};

/** Who is told when the queue is done. */
export interface QueueListener {
  done?(end: QueueEnd, sound: boolean): void;
}

/** Where to: one place, or to an end. */
export type Direction = 'up' | 'down' | 'top' | 'bottom';

export class QueueState {
  view = $state.raw<QueueView>(NOTHING);
  /** Ids of jobs that an action for several is for. */
  selected = $state.raw<ReadonlySet<string>>(new Set());
  /** The job whose row has the focus. */
  current = $state<string | null>(null);

  running = $derived.by(() => this.studio.jobs.filter((job) => job.state === 'running'));
  waiting = $derived.by(() => {
    const queued = new Map(this.studio.jobs.filter((job) => job.state === 'queued').map((job) => [job.id, job]));
    const placed = this.view.waiting.flatMap((id) => queued.get(id) ?? []);
    const known = new Set(this.view.waiting);
    // One that was submitted just now, before the queue told its place.
    return [...placed, ...[...queued.values()].filter((job) => !known.has(job.id))];
  });
  /** Jobs that wait for a decision of the user. */
  stopped = $derived.by(() => this.studio.jobs.filter((job) => ['paused', 'interrupted', 'failed'].includes(job.state)));
  finished = $derived.by(() => this.studio.jobs.filter((job) => job.state === 'succeeded').length);
  /** In the order in which they are shown. */
  rows = $derived<Job[]>([...this.running, ...this.waiting, ...this.stopped]);
  /** What an action is for: the selected jobs, or else the one with the focus. */
  chosen = $derived.by(() => {
    const selected = this.rows.filter((job) => this.selected.has(job.id));
    return selected.length > 0 ? selected : this.rows.filter((job) => job.id === this.current);
  });

  constructor(
    private readonly ipc: Ipc,
    private readonly studio: Studio,
    private readonly listener: QueueListener = {},
  ) {}

  async load(): Promise<void> {
    await this.#guard(async () => {
      let isTold = false;
      await this.ipc.watchQueue((event) => {
        isTold ||= event.event === 'changed';
        this.apply(event);
      });
      const view = await this.ipc.queue();
      // An event that came meanwhile is newer.
      if (!isTold) this.view = view;
    });
  }

  apply(event: QueueEvent): void {
    switch (event.event) {
      case 'changed':
        this.view = event.view;
        break;
      case 'done':
        this.listener.done?.(event.end, event.sound);
        break;
      case 'refused':
        this.studio.notice = event.error;
        break;
    }
  }

  async setOptions(change: Partial<QueueOptions>): Promise<void> {
    const before = this.view.options;
    const options = { ...before, ...change };
    this.view = { ...this.view, options };
    const taken = await this.#guard(() => this.ipc.setQueueOptions(options));
    if (!taken && this.view.options === options) this.view = { ...this.view, options: before };
  }

  /** Moves jobs that wait; the others of `ids` are passed over. */
  async move(ids: readonly string[], direction: Direction): Promise<void> {
    const order = this.waiting.map((job) => job.id);
    const moved = order.filter((id) => ids.includes(id));
    const first = order.indexOf(moved[0] ?? '');
    if (first < 0) return;
    const rest = order.filter((id) => !moved.includes(id));
    // How many of the others stand before them.
    const ahead = order.slice(0, first).filter((id) => rest.includes(id)).length;
    const at = { up: Math.max(0, ahead - 1), down: ahead + 1, top: 0, bottom: rest.length }[direction];
    await this.moveBefore(moved, rest[at] ?? null);
  }

  /** Moves waiting jobs before another one, or behind all others. */
  async moveBefore(ids: readonly string[], before: string | null): Promise<void> {
    const rest = this.view.waiting.filter((id) => !ids.includes(id));
    const at = before === null ? rest.length : rest.indexOf(before);
    // Seen at once; the program's answer follows.
    if (at >= 0) this.view = { ...this.view, waiting: rest.toSpliced(at, 0, ...ids) };
    await this.#guard(() => this.ipc.moveJobs([...ids], before));
  }

  toggle(id: string, on: boolean): void {
    const selected = new Set(this.selected);
    if (on) selected.add(id);
    else selected.delete(id);
    this.selected = selected;
  }

  /** Selects every row from the one with the focus to `id`. */
  selectTo(id: string): void {
    const ids = this.rows.map((job) => job.id);
    const [from, to] = [ids.indexOf(this.current ?? id), ids.indexOf(id)].sort((a, b) => a - b) as [number, number];
    this.selected = new Set([...this.selected, ...ids.slice(Math.max(0, from), to + 1)]);
  }

  selectAll(): void {
    this.selected = new Set(this.rows.map((job) => job.id));
  }

  selectNone(): void {
    this.selected = new Set();
  }

  async stopCountdown(): Promise<void> {
    await this.#guard(() => this.ipc.stopCountdown());
  }

  /** Says what becomes of the jobs that waited when the program was started. */
  async answerLeftOver(goOn: boolean): Promise<void> {
    if (!this.view.asks) return;
    this.view = { ...this.view, asks: false };
    // An answer that did not arrive leaves the queue waiting for one.
    if (!(await this.#guard(() => this.ipc.answerLeftOver(goOn)))) this.view = { ...this.view, asks: true };
  }

  async retry(id: string, how: Retry): Promise<boolean> {
    return this.#guard(async () => {
      await this.ipc.retryJob(id, how);
    });
  }

  async duplicate(id: string): Promise<boolean> {
    return this.#guard(async () => {
      await this.ipc.duplicateJob(id);
    });
  }

  /** Changes a job that has not begun; gives why that is not possible. */
  async edit(id: string, edit: JobEdit): Promise<AppError | null> {
    try {
      await this.ipc.editJob(id, edit);
      return null;
    } catch (thrown) {
      return toAppError(thrown);
    }
  }

  async #guard(action: () => Promise<void>): Promise<boolean> {
    try {
      await action();
      return true;
    } catch (thrown) {
      this.studio.notice = toAppError(thrown);
      return false;
    }
  }
}

export const [useQueue, provideQueue] = createContext<QueueState>();
