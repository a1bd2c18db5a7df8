/** The stretch of a clip that is taken: its first moment, and the first one behind it. */
import type { Span } from '../ipc/bindings/Span';

export interface Clip {
  durationMicros: number;
  frameMicros: number;
}

/** A stretch with whole microseconds inside of the clip; `null` where that is all of it. */
function within(from: number, to: number, { durationMicros, frameMicros }: Clip): Span | null {
  const first = Math.max(0, Math.min(Math.round(from), durationMicros - frameMicros));
  const end = Math.max(first + frameMicros, Math.min(Math.round(to), durationMicros));
  if (first <= 0 && end >= durationMicros) return null;
  return { from_micros: Math.round(first), to_micros: Math.round(end) };
}

/** The stretch that begins at `at`; an end before that is given up. */
export function beginAt(at: number, span: Span | null, clip: Clip): Span | null {
  const to = span !== null && span.to_micros > at ? span.to_micros : clip.durationMicros;
  return within(at, to, clip);
}

/** The stretch whose last frame is the one at `at`; a beginning behind it is given up. */
export function endAt(at: number, span: Span | null, clip: Clip): Span | null {
  const end = at + clip.frameMicros;
  const from = span !== null && span.from_micros < end ? span.from_micros : 0;
  return within(from, end, clip);
}
