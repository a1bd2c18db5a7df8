/**
 * Sound that is faster and not higher: pieces of it are joined where they fit best (waveform
 * similarity overlap-add, W. Verhelst and M. Roelands, ICASSP 1993). What comes out at any time is
 * never more than the search away from where it should be, so pictures stay in step.
 */

/** Length of a join: a few periods of a voice. */
const JOIN_SECONDS = 0.02;
/** How far from its place a piece may be taken. */
const SEARCH_SECONDS = 0.012;
/** Of so many samples one is compared while a place is looked for. */
const STRIDE = 4;

type Channel = Float32Array<ArrayBuffer>;

export class Stretch {
  /** Samples of a join, and of every piece that comes out. */
  readonly join: number;
  readonly #search: number;
  #left: Channel = new Float32Array(0);
  #right: Channel = new Float32Array(0);
  /** Which sample the first one that is kept is. */
  #base = 0;
  /** Where the piece that came out last would go on. */
  #next = 0;
  #pieces = 0;

  constructor(
    private readonly speed: number,
    rate: number,
  ) {
    this.join = Math.round(rate * JOIN_SECONDS);
    this.#search = Math.round(rate * SEARCH_SECONDS);
  }

  /** Takes the samples that follow; gives those that are ready, as many for each channel. */
  push(left: Channel, right: Channel): [Channel, Channel] {
    [this.#left, this.#right] = [joined(this.#left, left), joined(this.#right, right)];
    const { join } = this;
    const outs: [Channel, Channel][] = [];
    for (;;) {
      const ideal = Math.round(this.#pieces * join * this.speed);
      const needed = Math.max(this.#next, ideal + this.#search) + join;
      if (needed > this.#base + this.#left.length) break;
      const from = this.#pieces === 0 ? 0 : this.#place(ideal);
      outs.push([this.#joint(this.#left, from), this.#joint(this.#right, from)]);
      this.#next = from + join;
      this.#pieces += 1;
      this.#forget(Math.min(this.#next, Math.round(this.#pieces * join * this.speed) - this.#search));
    }
    const whole: [Channel, Channel] = [new Float32Array(outs.length * join), new Float32Array(outs.length * join)];
    for (const [n, piece] of outs.entries()) {
      whole[0].set(piece[0], n * join);
      whole[1].set(piece[1], n * join);
    }
    return whole;
  }

  /** Lets go of what is before a sample. */
  #forget(before: number): void {
    const gone = Math.min(this.#left.length, before - this.#base);
    if (gone <= 0) return;
    [this.#left, this.#right] = [this.#left.slice(gone), this.#right.slice(gone)];
    this.#base += gone;
  }

  /** Where near `ideal` the sound is most like the one that would follow. */
  #place(ideal: number): number {
    const like = (at: number): number => {
      let [product, energy] = [0, 1e-9];
      const [a, b] = [at - this.#base, this.#next - this.#base];
      for (let n = 0; n < this.join; n += STRIDE) {
        const here = (this.#left[a + n] ?? 0) + (this.#right[a + n] ?? 0);
        product += here * ((this.#left[b + n] ?? 0) + (this.#right[b + n] ?? 0));
        energy += here * here;
      }
      return product / Math.sqrt(energy);
    };
    const best = (from: number, to: number, step: number, first: number): number => {
      let [place, most] = [first, like(first)];
      for (let at = from; at <= to; at += step) {
        const found = like(at);
        if (found > most) [place, most] = [at, found];
      }
      return place;
    };
    const [from, to] = [Math.max(this.#base, ideal - this.#search), ideal + this.#search];
    // Silence and what is like nothing else stay in their place.
    const near = best(from, to, 8, Math.max(this.#base, ideal));
    return best(Math.max(from, near - 7), Math.min(to, near + 7), 1, near);
  }

  /** From what would follow over to the piece at `from`. */
  #joint(samples: Channel, from: number): Channel {
    const out: Channel = new Float32Array(this.join);
    const [a, b] = [from - this.#base, this.#next - this.#base];
    for (let n = 0; n < this.join; n += 1) {
      const share = 0.5 - 0.5 * Math.cos((Math.PI * (n + 0.5)) / this.join);
      out[n] = (samples[a + n] ?? 0) * share + (samples[b + n] ?? 0) * (1 - share);
    }
    return out;
  }
}

function joined(a: Channel, b: Channel): Channel {
  const both: Channel = new Float32Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
