import { expect, it } from 'vitest';
import { about, when } from './times';

it('a forecast is rounded up to what a person would say', () => {
  expect(about(0, 'en')).toBe('5 sec');
  expect(about(41_000_000, 'en')).toBe('45 sec');
  expect(about(56_000_000, 'en')).toBe('1 min');
  expect(about(61_000_000, 'en')).toBe('2 min');
  expect(about(3_590_000_000, 'en')).toBe('1 hr');
  expect(about(4_750_000_000, 'en')).toBe('1 hr 20 min');
});

it('a moment says no more than is needed to know when it was', () => {
  const now = new Date(2026, 10, 22, 18, 0).getTime();
  expect(when(new Date(2026, 10, 22, 9, 5).getTime(), 'en', 'short', now)).toBe('09:05 AM');
  expect(when(new Date(2026, 10, 20, 9, 5).getTime(), 'fr', 'short', now)).toContain('20 nov.');
  expect(when(new Date(2025, 0, 3, 9, 5).getTime(), 'en', 'short', now)).toBe('Jan 3, 2025');
});
