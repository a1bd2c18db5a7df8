import { expect, it } from 'vitest';
import { bars, share } from './silence';

it('moments lie within the clip', () => {
  expect([-5, 0, 25, 100, 400].map((at) => share({ length_micros: 100 }, at))).toEqual([0, 0, 0.25, 1, 1]);
  expect(share({ length_micros: 0 }, 1)).toBe(1);
});

it('a bar is as high as the loudest in it, and what lies outside of the clip is not drawn', () => {
  const view = { levels: [0, -60, -30, -100, 0], first_micros: -10, step_micros: 10, length_micros: 30 };
  // The first level lies before the clip, the last behind it.
  expect(bars(view, 3)).toEqual([0, 0.5, 0]);
  expect(bars({ ...view, first_micros: 0, length_micros: 50 }, 1)).toEqual([1]);
});
