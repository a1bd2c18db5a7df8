/** Jobs that are over, fetched page by page as they are scrolled to. */
import type { HistoryQuery } from '../ipc/bindings/HistoryQuery';
import type { Job } from '../ipc/bindings/Job';
import { toAppError, type Ipc } from '../ipc/ipc';
import type { Studio } from './studio.svelte';

/** Jobs that are fetched together. */
export const PAGE = 60;

export type Outcome = HistoryQuery['outcome'];

export class HistoryState {
  text = $state('');
  outcome = $state<Outcome>(null);
  /** All that were found; `null` before the first answer. */
  found = $state<number | null>(null);
  counts = $state.raw({ succeeded: 0, failed: 0, cancelled: 0 });
  chosenId = $state<string | null>(null);

  #rows = $state.raw<ReadonlyMap<number, Job>>(new Map());
  #asked = new Set<number>();
  #run = 0;

  chosen = $derived.by(() => {
    for (const job of this.#rows.values()) if (job.id === this.chosenId) return job;
    return null;
  });

  constructor(
    private readonly ipc: Ipc,
    private readonly studio: Studio,
  ) {}

  /** The job at a place of the list, once it was fetched. */
  at(index: number): Job | null {
    return this.#rows.get(index) ?? null;
  }

  indexOf(id: string): number {
    for (const [index, job] of this.#rows) if (job.id === id) return index;
    return -1;
  }

  /** Looks anew, as after a change of what is looked for. What is shown stays until the answer. */
  async refresh(): Promise<void> {
    this.#run += 1;
    this.#asked = new Set();
    await this.#fetch(0, true);
  }

  /** Sees to it that the jobs of these places are there or on their way. */
  async need(first: number, last: number): Promise<void> {
    for (let page = Math.floor(first / PAGE); page <= Math.floor(last / PAGE); page += 1) await this.#fetch(page, false);
  }

  async #fetch(page: number, anew: boolean): Promise<void> {
    if (this.#asked.has(page)) return;
    this.#asked.add(page);
    const run = this.#run;
    try {
      const answer = await this.ipc.history({ text: this.text, outcome: this.outcome, skip: page * PAGE, limit: PAGE });
      if (run !== this.#run) return;
      const rows = new Map(anew ? [] : this.#rows);
      answer.jobs.forEach((job, at) => rows.set(page * PAGE + at, job));
      this.#rows = rows;
      this.found = answer.found;
      this.counts = { succeeded: answer.succeeded, failed: answer.failed, cancelled: answer.cancelled };
    } catch (thrown) {
      this.#asked.delete(page);
      if (run === this.#run) this.studio.notice = toAppError(thrown);
    }
  }
}
