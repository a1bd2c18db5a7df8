import { expect, it } from 'vitest';
import { beginAt, endAt } from './span';

const clip = { durationMicros: 10_000_000, frameMicros: 40_000 };

it('a beginning and an end make a stretch that holds both frames', () => {
  const begun = beginAt(2_000_000, null, clip);
  expect(begun).toEqual({ from_micros: 2_000_000, to_micros: 10_000_000 });
  expect(endAt(5_000_000, begun, clip)).toEqual({ from_micros: 2_000_000, to_micros: 5_040_000 });
});

it('what would lie the wrong way round is given up, and all of it is no stretch', () => {
  const span = { from_micros: 2_000_000, to_micros: 5_000_000 };
  expect(beginAt(6_000_000, span, clip)).toEqual({ from_micros: 6_000_000, to_micros: 10_000_000 });
  expect(endAt(1_000_000, span, clip)).toEqual({ from_micros: 0, to_micros: 1_040_000 });
  expect(beginAt(0, null, clip)).toBeNull();
  expect(endAt(9_960_000, null, clip)).toBeNull();
});

it('a stretch has at least one frame, and none behind the clip', () => {
  expect(beginAt(99_000_000, null, clip)).toEqual({ from_micros: 9_960_000, to_micros: 10_000_000 });
  expect(endAt(0, null, clip)).toEqual({ from_micros: 0, to_micros: 40_000 });
});
