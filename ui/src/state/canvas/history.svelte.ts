/** What a document was, and what it was before it was undone. Documents share what is the same in them, so there is no limit. */

/** Typing on within this time is one change. */
const TOGETHER_MILLIS = 1500;

export class History<T> {
  #current = $state.raw() as T;
  #past = $state.raw<readonly T[]>([]);
  #future = $state.raw<readonly T[]>([]);
  #key: string | null = null;
  #at = 0;

  constructor(
    first: T,
    private readonly now: () => number = Date.now,
  ) {
    this.#current = first;
  }

  get current(): T {
    return this.#current;
  }

  get canUndo(): boolean {
    return this.#past.length > 0;
  }

  get canRedo(): boolean {
    return this.#future.length > 0;
  }

  /** Takes over what an edit made. Edits with one `key` that follow each other closely are one. */
  apply(next: T, key: string | null = null): void {
    if (next === this.current) return;
    const at = this.now();
    const together = key !== null && key === this.#key && at - this.#at < TOGETHER_MILLIS && this.#past.length > 0;
    if (!together) this.#past = [...this.#past, this.#current];
    this.#future = [];
    [this.#current, this.#key, this.#at] = [next, key, at];
  }

  undo(): void {
    const before = this.#past.at(-1);
    if (before === undefined) return;
    this.#past = this.#past.slice(0, -1);
    this.#future = [this.#current, ...this.#future];
    [this.#current, this.#key] = [before, null];
  }

  redo(): void {
    const [after, ...later] = this.#future;
    if (after === undefined) return;
    this.#past = [...this.#past, this.#current];
    [this.#current, this.#future, this.#key] = [after, later, null];
  }

  /** Begins anew with another document. */
  reset(first: T): void {
    [this.#current, this.#past, this.#future, this.#key] = [first, [], [], null];
  }
}
