/**
 * A short stretch of frames, fetched once and shown again and again: what flickers or swims shows
 * only in motion. Pictures are kept as elements, because their addresses are never cached.
 */
export interface LoopFrame {
  before: HTMLImageElement;
  after: HTMLImageElement;
}

/** So many pixels of both sides are kept at most: a decoded picture takes four bytes for each. */
const MOST_PIXELS = 160e6;

/** How many frames of this size a loop of a second has. */
export function loopLength(frameMicros: number, pixels: number): number {
  const second = Math.round(1_000_000 / Math.max(1, frameMicros));
  return Math.max(2, Math.min(second, 30, Math.floor(MOST_PIXELS / Math.max(1, pixels))));
}

export class Loop {
  state = $state<'off' | 'loading' | 'playing'>('off');
  loaded = $state(0);
  total = $state(0);
  /** The frame on screen. */
  shown = $state.raw<LoopFrame | null>(null);
  #frames: LoopFrame[] = [];
  #run = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Fetches `count` frames, `frameMicros` apart, and plays them. */
  async start(fetchFrame: (index: number) => Promise<LoopFrame>, count: number, frameMicros: number): Promise<void> {
    this.stop();
    const run = this.#run;
    [this.state, this.loaded, this.total] = ['loading', 0, count];
    const frames: LoopFrame[] = [];
    for (let index = 0; index < count; index += 1) {
      try {
        frames.push(await fetchFrame(index));
      } catch {
        // Past the end of the clip; what there is is played.
        break;
      }
      if (run !== this.#run) return;
      this.loaded = index + 1;
    }
    if (frames.length < 2) return this.stop();
    this.#frames = frames;
    this.state = 'playing';
    let at = 0;
    const show = () => {
      this.shown = this.#frames[at % this.#frames.length] ?? null;
      at += 1;
    };
    show();
    this.#timer = setInterval(show, frameMicros / 1000);
  }

  stop(): void {
    this.#run += 1;
    clearInterval(this.#timer);
    this.#frames = [];
    this.shown = null;
    this.state = 'off';
  }
}
