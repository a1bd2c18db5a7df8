/** What of subtitles the form of Home asks. */
import type { SubtitlePlace } from '../../ipc/bindings/SubtitlePlace';
import type { SubtitleWish } from '../../ipc/bindings/SubtitleWish';

export interface SubtitleTuning {
  /** Whether they become part of the pictures, or a track. */
  place: SubtitlePlace;
  /** Language of a track by two or three letters; that of the file where empty. */
  language: string;
  /** A file of subtitles; the clip's own where `null`. */
  file: string | null;
  /** Height of a line in percent of the picture's height. */
  size: number;
  /** A box stands behind the letters. */
  back: boolean;
  /** Above instead of below. */
  top: boolean;
  /** How much later everything is shown. */
  seconds: number;
}

/** The same as a job is asked for it; times are exact to a millisecond. */
export function subtitleWish({ place, language, file, size, back, top, seconds }: SubtitleTuning): SubtitleWish {
  const millis = Math.round(seconds * 1000);
  return {
    place,
    language: place === 'track' ? language.trim() || null : null,
    title: null,
    show: 'chosen',
    file,
    track: null,
    charset: null,
    shift: millis === 0 || !Number.isFinite(millis) ? null : { num: millis, den: 1000 },
    stretch: null,
    font: null,
    size,
    color: null,
    outline_color: null,
    outline: null,
    box: back ? '#000000' : null,
    anchor: top ? 'top' : null,
    margin: null,
  };
}
