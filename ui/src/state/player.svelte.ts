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
  /** Lets the sound be heard from a time on, so many times as fast; `null`: nothing. */
  hear?(at: number | null, speed: number): void;
  /** The time of the clip that is heard now; `null` where nothing is. */
  heard?(): number | null;
}

interface Wish {
  at: number;
  exact: boolean;
  /** It is drawn when its time has come. */
  timed?: boolean;
}

/** After so long without a move the exact frame is fetched. */
const SETTLE_MILLIS = 120;

/** No picture is asked for earlier than that: one that took long once must not hold up all others. */
const MOST_EARLY_MICROS = 250_000;

/** A moment that no frame is missed by. */
const pause = () => new Promise((resolve) => setTimeout(resolve, 4));

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
  /** How long a picture takes to come, in microseconds: while playing it is asked for so much earlier. */
  #wait = 0;
  /** The frame that was asked for last. */
  #asked = 0;

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
    this.#asked = this.at;
    this.#from = { at: this.at, millis: this.door.now() };
    // Backwards there is nothing to understand.
    this.door.hear?.(speed > 0 ? this.at : null, speed);
    this.#ask({ at: this.at, exact: true });
  }

  /** The view is gone. */
  close(): void {
    this.#gone = true;
    this.#stop();
    clearTimeout(this.#settle);
  }

  #stop(): void {
    if (this.speed !== 0) this.door.hear?.(null, 0);
    this.speed = 0;
  }

  /** Where the clip should be now: where its sound is, or else where the clock is. */
  #due(): number {
    const now = this.door.now();
    const heard = this.speed > 0 ? (this.door.heard?.() ?? null) : null;
    // Where the sound ends or fails, the clock goes on from there.
    if (heard !== null) this.#from = { at: heard, millis: now };
    return this.#from.at + (now - this.#from.millis) * 1000 * this.speed;
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
        const asked = this.door.now();
        const picture = await this.door.load(wish.at, wish.exact);
        if (this.#gone) break;
        this.#wait += ((this.door.now() - asked) * 1000 - this.#wait) / 4;
        if (wish.timed) {
          while (this.speed > 0 && this.#wish === null && this.#due() < wish.at) await pause();
          // Where one went elsewhere meanwhile, it is not for the eye any more.
          if (this.#gone || this.#wish !== null) continue;
          if (this.speed !== 0) this.at = wish.at;
        }
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
    const early = Math.max(0, this.speed) * Math.min(this.#wait, MOST_EARLY_MICROS);
    const frame = (at: number) => Math.floor(at / this.frameMicros);
    const due = () => this.#due() + early;
    while (this.speed !== 0 && this.#wish === null && frame(due()) === frame(this.#asked)) await pause();
    if (this.speed === 0 || this.#wish !== null || this.failed) return this.failed ? this.#stop() : undefined;
    const at = due();
    if (at >= this.end || at <= 0) {
      this.#stop();
      this.at = this.#within(at);
      this.#wish = { at: this.at, exact: true };
    } else {
      this.#asked = frame(at) * this.frameMicros;
      this.#wish = { at: this.#asked, exact: true, timed: true };
    }
  }
}
