/** Trying the settings on a few seconds first, and what that says of the whole. */
import type { Job } from '../ipc/bindings/Job';
import type { MediaInfo } from '../ipc/bindings/MediaInfo';
import type { Span } from '../ipc/bindings/Span';

/** So long is a sample. */
export const SAMPLE_MICROS = 3_000_000;

/** The stretch to try: from where the clip is looked at, or its end; inside of what is taken of it. */
export function sampleSpan(atMicros: number, durationMicros: number, taken: Span | null = null): Span {
  const first = taken?.from_micros ?? 0;
  const end = Math.min(durationMicros, taken?.to_micros ?? durationMicros);
  const from = Math.max(first, Math.min(atMicros, end - SAMPLE_MICROS));
  return { from_micros: Math.round(from), to_micros: Math.round(Math.min(end, from + SAMPLE_MICROS)) };
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
