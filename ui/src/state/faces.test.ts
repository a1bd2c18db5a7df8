import { describe, expect, it } from 'vitest';
import type { FaceSeen } from '../ipc/bindings/FaceSeen';
import type { UpscaleRequest } from '../ipc/bindings/UpscaleRequest';
import { facesBasis, keptFaces } from './faces';
import { wishOf } from './tuned';

const request = (more: Partial<UpscaleRequest> = {}, values = {}) =>
  ({ preset: 'redact', input: '/a.mp4', span: null, model: null, deinterlace: 'auto', ...wishOf('redact', values), ...more }) as UpscaleRequest;
const face = (number: number): FaceSeen => ({
  number,
  from_micros: 0,
  to_micros: 1,
  pictures: 2,
  at_micros: 0,
  sides: [0, 0, 1, 1],
  score: 1,
  key: '',
  keep: `${number} 0 0 5 5`,
});
const found = (...visible: number[]) => ({
  faces: { faces: [face(1), face(2), face(3)], left_out: 0 },
  facesBasis: facesBasis(request()),
  visible: new Set(visible),
});

describe('faces that stay visible', () => {
  it('are said by their ways, with a blank line between two', () => {
    expect(keptFaces(found(), request())).toBeNull();
    expect(keptFaces(found(3, 1), request())).toBe('1 0 0 5 5\n\n3 0 0 5 5');
    expect(keptFaces({ ...found(1), faces: null }, request())).toBeNull();
  });

  it('are those of the file and the settings with which they were found, and of no other', () => {
    expect(keptFaces(found(1), request({}, { cover: 'fill', color: '#ff0000', grow: 0.5 }))).not.toBeNull();
    for (const other of [
      request({ input: '/b.mp4' }),
      request({ preset: 'cutout' }),
      request({ span: { from_micros: 1, to_micros: 2 } }),
      request({ model: 'other' }),
      request({}, { what: 'text' }),
      request({}, { search: 'thorough' }),
      request({}, { threshold: 0.3 }),
      request({}, { spare: '0 0 5 5' }),
    ]) {
      expect(keptFaces(found(1), other)).toBeNull();
    }
  });
});
