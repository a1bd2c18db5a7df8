/**
 * What a screen reader is told. Changes of state at once; progress seldom, because every message
 * interrupts the one before.
 */
export class Announcer {
  #lastProgress = new Map<string, number>();

  constructor(
    private readonly say: (text: string) => void,
    private readonly now: () => number = () => Date.now(),
    private readonly everyMillis = 15_000,
  ) {}

  /** Something changed for good. */
  state(id: string, text: string): void {
    this.#lastProgress.set(id, this.now());
    this.say(text);
  }

  /** It moved on; said at most once per `everyMillis` for each `id`. */
  progress(id: string, text: () => string): void {
    const now = this.now();
    const last = this.#lastProgress.get(id);
    if (last !== undefined && now - last < this.everyMillis) return;
    this.#lastProgress.set(id, now);
    this.say(text());
  }

  forget(id: string): void {
    this.#lastProgress.delete(id);
  }
}
