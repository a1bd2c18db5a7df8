/**
 * Looking at a clip: under the pointer, frame by frame, and playing. One picture is asked for at a
 * time; while it comes, only the newest wish is remembered, so that nothing piles up however fast
 * the pointer moves.
 */
export interface PlayerDoor<Picture> {
  /** Fetches the picture at a time; `exact`: the very frame, otherwise one near by, at once. */
  load(atMicros: number, exact: boolean): Promise<Picture>;
  draw(picture: Picture): void;
  now(): number;
}

interface Wish {
  at: number;
  exact: boolean;
}

/** After so long without a move the exact frame is fetched. */
const SETTLE_MILLIS = 120;

export class Player<Picture> {
  /** Where the clip is, in microseconds. */
  at = $state(0);
  /** Times the usual speed; 0 while it stands. */
  speed = $state(0);
  failed = $state(false);
  #wish: Wish | null = null;
  #busy = false;
  #settle: ReturnType<typeof setTimeout> | undefined;
  /** Where and when playing began. */
  #from = { at: 0, millis: 0 };
  #gone = false;

  constructor(
    private readonly door: PlayerDoor<Picture>,
    private readonly durationMicros: number,
    private readonly frameMicros: number,
  ) {}

  /** Latest time that still has a frame. */
  get end(): number {
    return Math.max(0, this.durationMicros - this.frameMicros);
  }

  /** Goes to a time: first a picture near by, and the exact one when it stays there. */
  seek(at: number): void {
    this.#stop();
    this.at = this.#within(at);
    this.#ask({ at: this.at, exact: false });
    clearTimeout(this.#settle);
    this.#settle = setTimeout(() => this.#ask({ at: this.at, exact: true }), SETTLE_MILLIS);
  }

  /** Goes to the exact frame `count` frames away. */
  step(count: number): void {
    this.show((Math.round(this.at / this.frameMicros) + count) * this.frameMicros);
  }

  /** Goes to an exact frame. */
  show(at: number): void {
    this.#stop();
    clearTimeout(this.#settle);
    this.at = this.#within(Math.round(at));
    this.#ask({ at: this.at, exact: true });
  }

  toggle(): void {
    if (this.speed !== 0) this.show(this.at);
    else this.play(1);
  }

  /** Plays; backwards too. At the end it begins again. */
  play(speed: number): void {
    clearTimeout(this.#settle);
    if (speed > 0 && this.at >= this.end) this.at = 0;
    this.speed = speed;
    this.#from = { at: this.at, millis: this.door.now() };
    this.#ask({ at: this.at, exact: true });
  }

  /** The view is gone. */
  close(): void {
    this.#gone = true;
    this.#stop();
    clearTimeout(this.#settle);
  }

  #stop(): void {
    this.speed = 0;
  }

  #within(at: number): number {
    return Math.min(this.end, Math.max(0, at));
  }

  #ask(wish: Wish): void {
    this.#wish = wish;
    if (!this.#busy) void this.#work();
  }

  async #work(): Promise<void> {
    this.#busy = true;
    while (this.#wish !== null && !this.#gone) {
      const wish = this.#wish;
      this.#wish = null;
      try {
        const picture = await this.door.load(wish.at, wish.exact);
        if (this.#gone) break;
        this.door.draw(picture);
        this.failed = false;
      } catch {
        // A place that was left meanwhile needs no picture.
        if (this.#wish === null) this.failed = true;
      }
      if (this.speed !== 0 && this.#wish === null) await this.#next();
    }
    this.#busy = false;
  }

  /** The frame whose time it is; frames that come too late are left out. */
  async #next(): Promise<void> {
    const due = () => this.#from.at + (this.door.now() - this.#from.millis) * 1000 * this.speed;
    const frame = (at: number) => Math.floor(at / this.frameMicros);
    while (this.speed !== 0 && this.#wish === null && frame(due()) === frame(this.at)) {
      await new Promise((resolve) => setTimeout(resolve, 4));
    }
    if (this.speed === 0 || this.#wish !== null || this.failed) return this.failed ? this.#stop() : undefined;
    const at = due();
    if (at >= this.end || at <= 0) {
      this.#stop();
      this.at = this.#within(at);
    } else {
      this.at = frame(at) * this.frameMicros;
    }
    this.#wish = { at: this.at, exact: true };
  }
}
