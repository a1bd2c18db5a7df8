import { expect, test } from 'vitest';
import { subtitleWish } from './subtitles';

const usual = { place: 'pictures' as const, language: '', file: null, size: 5, back: false, top: false, seconds: 0 };

test('what is left as it is says nothing', () => {
  expect(subtitleWish(usual)).toMatchObject({ shift: null, box: null, anchor: null, size: 5 });
});

test('a track has a language where one is named', () => {
  expect(subtitleWish({ ...usual, place: 'track', language: ' vi ' })).toMatchObject({ place: 'track', language: 'vi' });
  expect(subtitleWish({ ...usual, place: 'track' }).language).toBeNull();
  expect(subtitleWish({ ...usual, language: 'vi' }).language).toBeNull();
});

test('times are whole milliseconds', () => {
  expect(subtitleWish({ ...usual, seconds: -1.2345 }).shift).toEqual({ num: -1234, den: 1000 });
  expect(subtitleWish({ ...usual, seconds: Number.NaN }).shift).toBeNull();
});
