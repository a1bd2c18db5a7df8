import { expect, test } from 'vitest';
import { subtitleWish } from './subtitles';

const usual = { file: null, size: 5, back: false, top: false, seconds: 0 };

test('what is left as it is says nothing', () => {
  expect(subtitleWish(usual)).toMatchObject({ shift: null, box: null, anchor: null, size: 5 });
});

test('times are whole milliseconds', () => {
  expect(subtitleWish({ ...usual, seconds: -1.2345 }).shift).toEqual({ num: -1234, den: 1000 });
  expect(subtitleWish({ ...usual, seconds: Number.NaN }).shift).toBeNull();
});
