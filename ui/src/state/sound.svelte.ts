/**
 * The sound of a clip that is played. The program hands over short stretches of samples; here they
 * are queued one behind the other on the clock of the sound device, and that clock is the one that
 * the pictures follow.
 */
import { Stretch } from './stretch';

const CHUNK_SECONDS = 0.5;
/** So much is ready before it is heard. */
const AHEAD_SECONDS = 1.5;
/** Between the first stretch and its sound, so that it is in time. */
const LEAD_SECONDS = 0.06;
/** A device whose clock stands still for so long plays nothing. */
const DEAD_MILLIS = 1500;
const KEPT = 'frameloom.sound';

/** Fetches `count` samples of both channels from sample `from` on, at `rate` samples per second. */
export type SoundDoor = (from: number, count: number, rate: number) => Promise<ArrayBuffer>;

/** Left and right of 16-bit samples by turns, as numbers from -1 to 1. */
export function channelsOf(bytes: ArrayBuffer): [Float32Array<ArrayBuffer>, Float32Array<ArrayBuffer>] {
  const view = new DataView(bytes);
  const count = Math.floor(bytes.byteLength / 4);
  const [left, right] = [new Float32Array(count), new Float32Array(count)];
  for (let n = 0; n < count; n += 1) {
    left[n] = view.getInt16(n * 4, true) / 32768;
    right[n] = view.getInt16(n * 4 + 2, true) / 32768;
  }
  return [left, right];
}

interface Anchor {
  /** When the device plays `sample`, by its clock. */
  time: number;
  sample: number;
  /** When that was settled, and what the clock of the device said then. */
  millis: number;
  clock: number;
}

/** Volume as it was left the last time. */
function kept(): { volume: number; muted: boolean } {
  try {
    const { volume, muted } = JSON.parse(localStorage.getItem(KEPT) ?? '{}') as { volume?: unknown; muted?: unknown };
    return { volume: typeof volume === 'number' ? Math.min(1, Math.max(0, volume)) : 1, muted: muted === true };
  } catch {
    return { volume: 1, muted: false };
  }
}

export class Sound {
  volume = $state(1);
  muted = $state(false);
  /** It could not be played; pictures go on by themselves. */
  failed = $state(false);

  #context: AudioContext | null = null;
  #gain: GainNode | null = null;
  #sources = new Set<AudioBufferSourceNode>();
  #run = 0;
  #playing = false;
  /** Times the usual speed. */
  #speed = 1;
  /** Where it begins, until the first stretch is there. */
  #waitingAt = 0;
  #anchor: Anchor | null = null;
  /** Behind the last sample that is queued. */
  #queued = 0;

  constructor(
    private readonly fetch: SoundDoor,
    private readonly endMicros: number,
    private readonly open: () => AudioContext = () => new AudioContext({ latencyHint: 'interactive' }),
  ) {
    ({ volume: this.volume, muted: this.muted } = kept());
  }

  /** Plays from a time on, `speed` times as fast as usual and as high as ever. */
  play(atMicros: number, speed = 1): void {
    this.stop();
    this.#speed = speed;
    this.failed = false;
    this.#playing = true;
    this.#waitingAt = atMicros;
    void this.#feed(this.#run, atMicros);
  }

  /** Silence at once; what is being fetched is not heard any more. */
  stop(): void {
    this.#run += 1;
    this.#playing = false;
    this.#anchor = null;
    for (const source of this.#sources) source.stop();
    this.#sources.clear();
  }

  /** The time of the clip that is heard now; `null` while nothing is played. */
  position(): number | null {
    if (!this.#playing) return null;
    const [anchor, context] = [this.#anchor, this.#context];
    if (anchor === null || context === null) return this.#waitingAt;
    if (context.currentTime === anchor.clock && performance.now() - anchor.millis > DEAD_MILLIS) {
      this.#fail();
      return null;
    }
    const since = context.currentTime - (context.outputLatency || 0) - anchor.time;
    const sample = anchor.sample + since * context.sampleRate * this.#speed;
    // Before the first sample and behind the last one pictures wait.
    return (Math.min(this.#queued, Math.max(anchor.sample, sample)) / context.sampleRate) * 1_000_000;
  }

  setVolume(volume: number): void {
    [this.volume, this.muted] = [volume, false];
    this.#keep();
  }

  toggleMuted(): void {
    this.muted = !this.muted;
    this.#keep();
  }

  /** The view is gone. */
  close(): void {
    this.stop();
    void this.#context?.close();
    this.#context = null;
  }

  #keep(): void {
    if (this.#gain && this.#context) this.#gain.gain.setTargetAtTime(this.muted ? 0 : this.volume, this.#context.currentTime, 0.01);
    try {
      localStorage.setItem(KEPT, JSON.stringify({ volume: this.volume, muted: this.muted }));
    } catch {
      // Then it is forgotten with the window.
    }
  }

  #device(): AudioContext {
    if (this.#context === null) {
      this.#context = this.open();
      this.#gain = this.#context.createGain();
      this.#gain.gain.value = this.muted ? 0 : this.volume;
      this.#gain.connect(this.#context.destination);
    }
    return this.#context;
  }

  #fail(): void {
    this.stop();
    this.failed = true;
  }

  async #feed(run: number, atMicros: number): Promise<void> {
    try {
      const context = this.#device();
      // Not waited for: without a device it may never come, which `position` notices.
      void context.resume();
      const rate = context.sampleRate;
      const speed = this.#speed;
      const stretch = speed === 1 ? null : new Stretch(speed, rate);
      const count = Math.round(rate * CHUNK_SECONDS * speed);
      const end = Math.ceil((this.endMicros / 1_000_000) * rate);
      let next = Math.round((atMicros / 1_000_000) * rate);
      /** Of which sample the next one that is heard is. */
      let heard = next;
      while (next < end) {
        const fetched = channelsOf(await this.fetch(next, count, rate));
        if (run !== this.#run) return;
        const [left, right] = stretch ? stretch.push(...fetched) : fetched;
        next += count;
        if (left.length > 0) this.#queue(context, heard, left, right);
        heard = stretch ? heard + left.length * speed : next;
        while (this.#timeOf(heard, rate) - context.currentTime > AHEAD_SECONDS) {
          await new Promise((resolve) => setTimeout(resolve, 40));
          if (run !== this.#run) return;
        }
      }
    } catch {
      if (run === this.#run) this.#fail();
    }
  }

  #timeOf(sample: number, rate: number): number {
    return this.#anchor === null ? 0 : this.#anchor.time + (sample - this.#anchor.sample) / (rate * this.#speed);
  }

  #queue(context: AudioContext, sample: number, left: Float32Array<ArrayBuffer>, right: Float32Array<ArrayBuffer>): void {
    const rate = context.sampleRate;
    // The first one, or one that comes too late: everything after it is so much later.
    if (this.#anchor === null || this.#timeOf(sample, rate) < context.currentTime) {
      this.#anchor = { time: context.currentTime + LEAD_SECONDS, sample, millis: performance.now(), clock: context.currentTime };
    }
    const buffer = context.createBuffer(2, Math.max(1, left.length), rate);
    buffer.copyToChannel(left, 0);
    buffer.copyToChannel(right, 1);
    const source = context.createBufferSource();
    source.buffer = buffer;
    if (this.#gain) source.connect(this.#gain);
    source.onended = () => this.#sources.delete(source);
    source.start(this.#timeOf(sample, rate));
    this.#sources.add(source);
    this.#queued = sample + left.length * this.#speed;
  }
}
