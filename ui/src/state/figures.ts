/** Figures of a source and its result, as a line tells them. */
import { language, t } from '../i18n/index.svelte';
import { moment, number } from '../i18n/numbers';
import type { SoundOfBoth } from '../ipc/bindings/SoundOfBoth';

/** How loud both are, how high their peaks are, how long they are. */
export function soundFigures({ before, after }: SoundOfBoth): string[] {
  const level = (value: number | null, unit: string) => (value === null ? t('compare.figures.silent') : `${number(value, language(), 1, 1)} ${unit}`);
  return [
    t('compare.figures.loudness', { before: level(before.loudness, 'LUFS'), after: level(after.loudness, 'LUFS') }),
    t('compare.figures.peak', { before: level(before.peak, 'dBTP'), after: level(after.peak, 'dBTP') }),
    t('compare.figures.length', { before: moment(before.length_micros), after: moment(after.length_micros) }),
  ];
}
