import { expect, it } from 'vitest';
import { shownAt } from './scenes';

const shot = (clear_frame: number) => ({ from_frame: 100, to_frame: 160, from_micros: 4_000_000, to_micros: 6_400_000, dissolves: clear_frame > 100, clear_frame });

it('a shot is shown a third into it, and once its dissolve is over', () => {
  expect(shownAt(shot(100))).toBe(4_800_000);
  expect(shownAt(shot(130))).toBe(5_200_000);
  expect(shownAt(shot(160))).toBe(5_600_000);
});
