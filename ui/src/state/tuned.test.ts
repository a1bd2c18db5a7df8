import { describe, expect, it } from 'vitest';
import type { Job } from '../ipc/bindings/Job';
import kindList from '../ipc/canvas-kinds.json';
import type { NodeKind } from '../ipc/bindings/NodeKind';
import { fieldsOf } from './canvas/form';
import { presetOf } from './facts';
import { TUNED, idle, valuesOf, wishOf } from './tuned';

const kinds = new Map((kindList as unknown as NodeKind[]).map((kind) => [kind.op, kind]));
const cards = Object.entries(TUNED) as [keyof typeof TUNED, NonNullable<(typeof TUNED)[keyof typeof TUNED]>][];

describe('settings of a card', () => {
  it.each(cards)('%s are parameters that its node has', (_, { op, first, more }) => {
    const kind = kinds.get(op);
    const names = kind ? fieldsOf(kind).map(({ name }) => name) : [];
    for (const name of [...first, ...more]) expect(names).toContain(name);
  });

  it.each(cards)('%s come back from the job that was made with them', (preset, { op, first, more }) => {
    const params = Object.fromEntries([...first, ...more].map((name) => [name, `a ${name}`]));
    if (op === 'background') params['mode'] = { cutout: 'remove', defocus: 'blur', backdrop: 'color' }[preset as string] ?? '';
    const job = { spec: { graph: { nodes: [{ id: 'a', op, params }] }, encode: { codec: null }, output: '/a.mp4' } } as unknown as Job;
    expect(presetOf(job)).toBe(preset);
    expect(valuesOf(job, preset)).toEqual(Object.fromEntries([...first, ...more].map((name) => [name, `a ${name}`])));
  });

  it('are asked for only where somebody chose them', () => {
    expect(wishOf('enlarge', { blur: 3 })).toEqual({});
    expect(wishOf('steady', {})).toEqual({ motion: { stabilise: {}, interpolate: null } });
    const slow = { num: 4, den: 1 };
    expect(wishOf('smooth', { slow, sound: 'drop' })).toEqual({ motion: { stabilise: null, interpolate: { times: null, rate: null, slow, sound: 'drop' } } });
    expect(wishOf('smooth', { times: 2 })).toEqual({ motion: { stabilise: null, interpolate: { times: 2, rate: null } } });
    expect(wishOf('defocus', { blur: 4, model: 'people' })).toEqual({
      model: 'people',
      background: { mode: null, blur: 4, color: null, behind: null, spill: null, smooth: null },
    });
    expect(wishOf('redact', { mute: '1-2' }).redact).toMatchObject({ mute: '1-2' });
    expect(wishOf('redact', { mute: '1-2' }, false).redact).toMatchObject({ mute: null });
    expect(wishOf('redact', {}).redact).toMatchObject({ what: 'faces', cover: null, keep_metadata: false });
    expect(wishOf('depth', { colors: 'heat', show: 'map' }).look).toMatchObject({ depth_colors: 'heat', style_colors: null, show: 'map' });
  });

  it('say which model hears, where a card leaves that open', () => {
    expect(wishOf('silence', {})).toEqual({ model: null });
    expect(wishOf('silence', { model: 'silero' })).toEqual({ model: 'silero' });
    expect(wishOf('voice', { model: 'gtcrn' })).toEqual({ model: 'gtcrn' });
    const cut = (heard_by?: string) => ({ spec: { graph: { nodes: [{ id: 'a', op: 'cut', params: { keep: '0-1', fade: 10, heard_by } }] }, encode: {}, output: '/a.mp4' } }) as unknown as Job;
    expect(presetOf(cut('silero'))).toBe('silence');
    expect(valuesOf(cut('silero'), 'silence')).toEqual({ model: 'silero' });
    expect(valuesOf(cut(), 'silence')).toEqual({});
  });

  it('that mean nothing with others are not shown', () => {
    expect(idle('redact', {})).toContain('color');
    expect(idle('redact', { cover: 'fill' })).not.toContain('color');
    expect(idle('depth', { show: 'map' })).toContain('blur');
    expect(idle('depth', {})).toEqual(['colors']);
    expect(idle('smooth', {})).toEqual(['sound']);
    expect(idle('smooth', { slow: { num: 4, den: 1 } })).toEqual([]);
  });
});
