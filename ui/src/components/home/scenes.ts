/** Which picture of a shot is shown. */
import type { Shot } from '../../ipc/bindings/Shot';

/** A third into it, once a dissolve is over; two thirds at most, where it is nothing but one. */
export function shownAt({ from_micros, to_micros, from_frame, to_frame, clear_frame }: Shot): number {
  const length = to_micros - from_micros;
  const veiled = (length * Math.max(0, clear_frame - from_frame)) / Math.max(1, to_frame - from_frame);
  return Math.round(from_micros + Math.min(Math.max(length / 3, veiled), (length * 2) / 3));
}
