import { expect, it } from 'vitest';
import { same } from './same';

it('values are the same whatever the order of their fields, and fields without a value are none', () => {
  expect(same({ a: 1, b: [{ c: 'x' }, null] }, { b: [{ c: 'x', d: undefined }, null], a: 1 })).toBe(true);
  expect(same([], {})).toBe(false);
  expect(same(null, {})).toBe(false);
  expect(same([1, 2], [2, 1])).toBe(false);
  expect(same({ a: 1 }, { a: 1, b: 0 })).toBe(false);
  expect(same({ a: undefined, b: 1 }, { c: 1, b: 1 })).toBe(false);
});
