/** Trying the settings on a few seconds first, and what that says of the whole. */
import type { Job } from '../ipc/bindings/Job';
import type { MediaInfo } from '../ipc/bindings/MediaInfo';
import type { Span } from '../ipc/bindings/Span';

/** So long is a sample. */
export const SAMPLE_MICROS = 3_000_000;

/** The stretch to try: from where the clip is looked at, or its end. */
export function sampleSpan(atMicros: number, durationMicros: number): Span {
  const from = Math.max(0, Math.min(atMicros, durationMicros - SAMPLE_MICROS));
  return { from_micros: Math.round(from), to_micros: Math.round(Math.min(durationMicros, from + SAMPLE_MICROS)) };
}

export interface Forecast {
  micros: number;
  bytes: number;
}

/**
 * What the whole clip would take, by a sample that is done. Starting up and putting together are
 * part of both, so that the time is rather said too long than too short.
 */
export function forecast(job: Job, resultBytes: number, info: MediaInfo | null): Forecast | null {
  const trim = job.spec.graph.nodes.find((node) => node.op === 'trim');
  if (trim?.op !== 'trim' || info?.duration_micros == null) return null;
  const { start, end } = trim.params;
  if (!start || !end) return null;
  const micros = (end.num / end.den - start.num / start.den) * 1_000_000;
  if (!(micros > 0)) return null;
  const times = info.duration_micros / micros;
  return { micros: job.progress.elapsed_micros * times, bytes: resultBytes * times };
}
