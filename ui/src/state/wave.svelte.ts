/** How loud a file of sound is from its beginning to its end, listened to piece by piece. */
import { channelsOf, type SoundDoor } from './sound.svelte';

/** The lowest that the program gives: enough to tell loud from quiet. */
const RATE = 8000;
/** The longest stretch that the program gives. */
const PIECE_SECONDS = 10;
/** A step is as short as a word needs it, shorter in what is short itself, and longer in what lasts for hours. */
const STEP_SECONDS = 0.05;
const LEAST_STEPS = 480;
const MOST_STEPS = 20_000;
/** What is silent. */
export const SILENT_DB = -90;

export class Wave {
  /** Level of each step in dB of full scale, as far as it was listened to. */
  levels = $state.raw<number[]>([]);
  readonly first_micros = 0;
  readonly length_micros: number;
  readonly step_micros: number;
  /** Samples of a step. */
  readonly #perStep: number;
  #gone = false;

  constructor(
    private readonly fetch: SoundDoor,
    durationMicros: number,
  ) {
    const seconds = durationMicros / 1_000_000;
    this.length_micros = durationMicros;
    this.#perStep = Math.max(8, Math.round(RATE * Math.max(Math.min(STEP_SECONDS, seconds / LEAST_STEPS), seconds / MOST_STEPS)));
    this.step_micros = (this.#perStep / RATE) * 1_000_000;
  }

  /** Listens to all of it. What cannot be read is not drawn: the player says so when it is played. */
  async listen(): Promise<void> {
    const perStep = this.#perStep;
    const end = Math.ceil((this.length_micros / 1_000_000) * RATE);
    const piece = Math.max(1, Math.floor((PIECE_SECONDS * RATE) / perStep)) * perStep;
    try {
      for (let from = 0; from < end && !this.#gone; from += piece) {
        const [left, right] = channelsOf(await this.fetch(from, Math.min(piece, end - from), RATE));
        const levels: number[] = [];
        for (let at = 0; at < left.length; at += perStep) levels.push(levelOf(left, right, at, Math.min(left.length, at + perStep)));
        if (!this.#gone) this.levels = [...this.levels, ...levels];
      }
    } catch {
      this.#gone = true;
    }
  }

  /** Nobody looks any more. */
  close(): void {
    this.#gone = true;
  }
}

/** The mean level of a stretch of both channels, in dB of full scale. */
function levelOf(left: Float32Array, right: Float32Array, from: number, to: number): number {
  let sum = 0;
  for (let n = from; n < to; n += 1) sum += (left[n] ?? 0) ** 2 + (right[n] ?? 0) ** 2;
  const mean = sum / Math.max(1, 2 * (to - from));
  return mean > 0 ? Math.max(SILENT_DB, 10 * Math.log10(mean)) : SILENT_DB;
}
