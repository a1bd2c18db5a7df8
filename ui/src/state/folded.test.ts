import { expect, it } from 'vitest';
import { folded } from './folded';

it('accents of Vietnamese and French do not stand in the way of a search', () => {
  expect(folded('Đường phố Hà Nội')).toBe('duong pho ha noi');
  expect(folded('Œuvre d’été, ÉLÈVE')).toBe('oeuvre d’ete, eleve');
  expect(folded('ngõ nhỏ'.normalize('NFD'))).toBe('ngo nho');
});
