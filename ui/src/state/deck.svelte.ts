/** A file that is heard: where it is, its sound, and how loud it is over its time. */
import type { MediaInfo } from '../ipc/bindings/MediaInfo';
import type { Ipc } from '../ipc/ipc';
import { soundTracks } from './facts';
import { Player } from './player.svelte';
import { Sound, type SoundDoor } from './sound.svelte';
import { Wave } from './wave.svelte';

/** A larger file is not read from end to end only to be drawn. */
const MOST_DRAWN_BYTES = 2_000_000_000;

/** As often as a screen needs it to show that it goes on. */
export const TICK_MICROS = 1_000_000 / 30;

export class Deck {
  readonly durationMicros: number;
  /** The track that is heard; `null` where there is none. */
  track = $state<number | null>(null);
  readonly sound: Sound;
  /** The player of clips, with nothing to show. */
  readonly player: Player<null>;
  wave = $state.raw<Wave | null>(null);

  constructor(
    private readonly ipc: Ipc,
    private readonly path: string,
    readonly info: MediaInfo,
  ) {
    const tracks = soundTracks(info);
    this.track = (tracks.find((stream) => stream.dispositions.includes('default')) ?? tracks[0])?.index ?? null;
    this.durationMicros = info.duration_micros ?? 0;
    this.sound = new Sound((from, count, rate) => this.#fetch(this.track)(from, count, rate), this.durationMicros);
    this.player = new Player<null>(
      {
        load: () => Promise.resolve(null),
        draw: () => {},
        now: () => performance.now(),
        hear: (at, speed) => (at === null || this.track === null ? this.sound.stop() : this.sound.play(at, speed)),
        heard: () => this.sound.position(),
      },
      this.durationMicros,
      TICK_MICROS,
    );
  }

  #fetch(track: number | null): SoundDoor {
    return (from, count, rate) =>
      track === null ? Promise.reject(new Error(this.path)) : this.ipc.clipSound({ path: this.path, stream: track, rate, from, count });
  }

  /** Goes to a time, and plays on from there if it was playing. */
  seek(at: number): void {
    const { speed } = this.player;
    this.player.seek(at);
    if (speed !== 0) this.player.play(speed);
  }

  /** Listens to how loud the track is. Of a clip its pictures would have to be read with it. */
  async listen(): Promise<void> {
    this.wave?.close();
    if (this.durationMicros <= 0 || this.info.kind !== 'audio' || this.info.size_bytes > MOST_DRAWN_BYTES) return;
    this.wave = new Wave(this.#fetch(this.track), this.durationMicros);
    await this.wave.listen();
  }

  /** Hears another track, from where it is. */
  take(track: number): void {
    this.track = track;
    this.seek(this.player.at);
    void this.listen();
  }

  /** Nobody listens any more. */
  close(): void {
    this.wave?.close();
    this.player.close();
    this.sound.close();
  }
}
