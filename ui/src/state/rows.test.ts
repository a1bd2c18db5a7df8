import { expect, it } from 'vitest';
import { columnsIn, rowsInView, scrolledTo } from './rows';

it('only the rows that are seen are had, with a few more on either side', () => {
  expect(rowsInView(0, 500, 100, 1000, 2)).toEqual({ from: 0, to: 7 });
  expect(rowsInView(250, 500, 100, 1000, 2)).toEqual({ from: 0, to: 10 });
  expect(rowsInView(99_950, 500, 100, 1000, 2)).toEqual({ from: 997, to: 1000 });
});

it('a list that became shorter or has no height yet has its rows all the same', () => {
  expect(rowsInView(90_000, 500, 100, 3, 2)).toEqual({ from: 0, to: 3 });
  expect(rowsInView(-40, 0, 100, 10, 0)).toEqual({ from: 0, to: 1 });
  expect(rowsInView(0, 500, 0, 10, 2)).toEqual({ from: 0, to: 0 });
  expect(rowsInView(0, 500, 100, 0, 2)).toEqual({ from: 0, to: 0 });
});

it('it is scrolled as little as shows a row whole', () => {
  expect(scrolledTo(3, 0, 500, 100)).toBe(0);
  expect(scrolledTo(5, 0, 500, 100)).toBe(100);
  expect(scrolledTo(2, 450, 500, 100)).toBe(200);
});

it('columns are as many as have room with the gaps between them', () => {
  expect(columnsIn(100, 200, 10)).toBe(1);
  expect(columnsIn(410, 200, 10)).toBe(2);
  expect(columnsIn(409, 200, 10)).toBe(1);
});
