/** What is drawn of the loudness of a clip. */
import type { SilenceView } from '../../ipc/bindings/SilenceView';

/** Quieter than this, in dB of full scale, is drawn as nothing. */
const FLOOR_DB = -60;

/** Where a moment lies in the clip, 0 to 1. */
export function share({ length_micros }: Pick<SilenceView, 'length_micros'>, micros: number): number {
  return Math.min(1, Math.max(0, micros / Math.max(1, length_micros)));
}

/** Heights of `count` bars over the whole clip, 0 to 1: the loudest that is heard in each. */
export function bars(view: Pick<SilenceView, 'levels' | 'first_micros' | 'step_micros' | 'length_micros'>, count: number): number[] {
  const heights = new Array<number>(count).fill(0);
  view.levels.forEach((level, n) => {
    const at = view.first_micros + (n + 0.5) * view.step_micros;
    if (at < 0 || at >= view.length_micros) return;
    const bar = Math.min(count - 1, Math.floor(share(view, at) * count));
    heights[bar] = Math.max(heights[bar] ?? 0, Math.min(1, Math.max(0, 1 - level / FLOOR_DB)));
  });
  return heights;
}
