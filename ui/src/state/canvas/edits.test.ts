import { describe, expect, it } from 'vitest';
import type { NodeKind } from '../../ipc/bindings/NodeKind';
import kindList from '../../ipc/canvas-kinds.json';
import { documentOfSpec, freshDocument, inputNames, placeOf, readDocument, tidied, type CanvasDocument, type Kinds } from './document';
import * as edits from './edits';
import { resolved } from './resolve';

const kinds: Kinds = new Map((kindList as unknown as NodeKind[]).map((kind) => [kind.op, kind]));
const kind = (op: string) => kinds.get(op) as NodeKind;

/** A document of `ids` (the part before the digit is the operation) and wires like `a.out>b.in`. */
function drawn(ids: string[], wires: string[]): CanvasDocument {
  const nodes = ids.map((id) => ({ id, op: id.replace(/\d+$/, ''), params: {} }));
  const edges = wires.map((wire) => {
    const [from = '', to = ''] = wire.split('>').map((end) => end.split('.'));
    return { from: from[0] ?? '', from_port: from[1] ?? '', to: to[0] ?? '', to_port: to[1] ?? '' };
  });
  return tidied({ ...freshDocument(), graph: { version: 2, nodes, edges }, places: {} }, kinds);
}

const shape = ({ nodes, edges }: CanvasDocument['graph']) => ({
  nodes: nodes.map(({ id }) => id),
  edges: edges.map((edge) => `${edge.from}.${edge.from_port}>${edge.to}.${edge.to_port}`),
});

const chain = () =>
  drawn(['source1', 'denoise1', 'flip1', 'sink1'], ['source1.video>denoise1.in', 'denoise1.out>flip1.in', 'flip1.out>sink1.video']);
const overlay = () =>
  drawn(
    ['source1', 'source2', 'flip1', 'overlay1', 'sink1'],
    ['source1.video>overlay1.in', 'source2.video>flip1.in', 'flip1.out>overlay1.over', 'overlay1.out>sink1.video'],
  );

describe('wires', () => {
  const wire = (from: string, from_port: string, to: string, to_port: string) => ({ from, from_port, to, to_port });

  it('are refused with the reason where they cannot be', () => {
    const document = chain();
    const why = (...ends: Parameters<typeof wire>) => edits.refusal(document, kinds, wire(...ends));
    expect(why('source1', 'audio', 'flip1', 'in')).toEqual({ why: 'kind', gives: 'sound', takes: 'pictures' });
    expect(why('flip1', 'out', 'denoise1', 'in')).toEqual({ why: 'circle' });
    expect(why('flip1', 'out', 'flip1', 'in')).toEqual({ why: 'same' });
    expect(why('flip1', 'out', 'sink1', 'video')).toEqual({ why: 'twice' });
    expect(why('flip1', 'gone', 'sink1', 'video')).toEqual({ why: 'gone' });
    expect(why('source1', 'audio', 'sink1', 'audio')).toBeNull();
  });

  it('replace what an input of one wire has, and join what an input of many has', () => {
    const one = edits.connect(chain(), kinds, wire('source1', 'video', 'sink1', 'video'));
    expect(shape(one.graph).edges).not.toContain('flip1.out>sink1.video');
    const joined = drawn(['source1', 'source2', 'concat1'], ['source1.video>concat1.in']);
    expect(edits.connect(joined, kinds, wire('source2', 'video', 'concat1', 'in')).graph.edges).toHaveLength(2);
  });

  it('offer only the nodes that fit on a loose end', () => {
    const sound = edits.fitting(kinds, 'inputs', 'sound').map(([{ op }]) => op);
    expect(sound).toEqual(expect.arrayContaining(['loudness', 'mux', 'sink']));
    expect(sound).not.toContain('resize');
  });
});

describe('nodes that rest', () => {
  const rest = (document: CanvasDocument, id: string, how: 'muted' | 'bypassed') => resolved(edits.toggleRest(document, [id], how), kinds);

  it('pass on what they get when bypassed', () => {
    expect(shape(rest(chain(), 'denoise1', 'bypassed'))).toEqual({
      nodes: ['source1', 'flip1', 'sink1'],
      edges: ['source1.video>flip1.in', 'flip1.out>sink1.video'],
    });
  });

  it('take what was made for them alone along', () => {
    expect(shape(rest(overlay(), 'overlay1', 'bypassed'))).toEqual({
      nodes: ['source1', 'sink1'],
      edges: ['source1.video>sink1.video'],
    });
  });

  it('when muted, leave what lay under them and what can do without them', () => {
    expect(shape(rest(overlay(), 'flip1', 'muted'))).toEqual({ nodes: ['source1', 'sink1'], edges: ['source1.video>sink1.video'] });
    const sound = drawn(
      ['source1', 'loudness1', 'sink1'],
      ['source1.video>sink1.video', 'source1.audio>loudness1.in', 'loudness1.out>sink1.audio'],
    );
    expect(shape(rest(sound, 'loudness1', 'muted')).edges).toEqual(['source1.video>sink1.video']);
  });

  it('settle where a node loses both its inputs', () => {
    const both = edits.toggleRest(overlay(), ['source1', 'source2'], 'muted');
    expect(shape(resolved(both, kinds))).toEqual({ nodes: ['sink1'], edges: [] });
  });

  it('keep what led nowhere before, so that it is found fault with', () => {
    const loose = drawn(['source1', 'flip1', 'denoise1', 'sink1'], ['source1.video>flip1.in', 'flip1.out>sink1.video', 'source1.video>denoise1.in']);
    expect(shape(rest(loose, 'flip1', 'bypassed')).nodes).toContain('denoise1');
  });

  it('are all woken where all of them rest, and the output never rests', () => {
    const muted = edits.toggleRest(chain(), ['denoise1', 'flip1', 'sink1'], 'muted');
    expect([placeOf(muted, 'flip1').rest, placeOf(muted, 'sink1').rest]).toEqual(['muted', undefined]);
    expect(placeOf(edits.toggleRest(muted, ['denoise1', 'flip1'], 'muted'), 'flip1').rest).toBeUndefined();
  });
});

describe('the clipboard', () => {
  it('gives copies with ids, wires and groups of their own', () => {
    const grouped = edits.group(chain(), ['denoise1', 'flip1'], 'Clean');
    const clip = edits.readClip(JSON.stringify(edits.clipOf(grouped, ['denoise1', 'flip1'])), kinds);
    const [next, ids] = edits.paste(grouped, clip as edits.Clip, { x: 400, y: 400 });
    expect(ids).toEqual(['denoise2', 'flip2']);
    expect(shape(next.graph).edges).toContain('denoise2.out>flip2.in');
    expect(next.groups.map(({ members }) => members)).toEqual([['denoise1', 'flip1'], ['denoise2', 'flip2']]);
    expect(Math.min(placeOf(next, 'denoise2').x, placeOf(next, 'flip2').x)).toBe(400);
  });

  it('takes a graph of the command line and nothing else', () => {
    const graph = { version: 1, nodes: [{ id: 'a', op: 'source' }, { id: 'b', op: 'sink' }], edges: [{ from: 'a', to: 'b' }] };
    expect(edits.readClip(JSON.stringify(graph), kinds)?.edges).toEqual([{ from: 'a', from_port: 'video', to: 'b', to_port: 'video' }]);
    for (const text of ['', 'hello', '[]', '{"nodes":[],"edges":[]}', '{"nodes":[{"id":"a","op":"rm"}],"edges":[]}']) {
      expect(edits.readClip(text, kinds)).toBeNull();
    }
  });
});

it('nodes are aligned and spread', () => {
  let document = chain();
  document = edits.move(document, new Map([['denoise1', { x: 100, y: 50 }], ['flip1', { x: 900, y: 90 }], ['sink1', { x: 300, y: 10 }]]));
  const ids = ['denoise1', 'flip1', 'sink1'];
  const xs = (how: edits.Alignment) => ids.map((id) => placeOf(edits.align(document, kinds, ids, how), id).x);
  expect(xs('left')).toEqual([100, 100, 100]);
  expect(xs('right')).toEqual([900, 900, 900]);
  expect(xs('spread_x')).toEqual([100, 900, 500]);
});

it('removing a node takes its wires, its place and its part of a group along', () => {
  const grouped = edits.group(chain(), ['denoise1'], 'Clean');
  const next = edits.remove(grouped, ['denoise1']);
  expect(shape(next.graph)).toEqual({ nodes: ['source1', 'flip1', 'sink1'], edges: ['flip1.out>sink1.video'] });
  expect([next.groups, next.places['denoise1']]).toEqual([[], undefined]);
});

it('a second source is another input', () => {
  const [two] = edits.addNode(freshDocument(), kind('source'), { x: 0, y: 0 });
  expect(inputNames(two.graph)).toEqual(['main', 'input2']);
});

it('a job becomes a document with its files, its wires named and its nodes in order from left to right', () => {
  const spec = {
    version: 1, input: '/a.mp4', output: '/b.mp4', overwrite: false, device: 'auto', upright: true,
    inputs: { logo: '/logo.png' },
    graph: {
      version: 2,
      nodes: [{ id: 's', op: 'source', params: {} }, { id: 'l', op: 'source', params: { name: 'logo' } }, { id: 'o', op: 'overlay', params: {} }, { id: 'e', op: 'sink' }],
      edges: [{ from: 's', to: 'o' }, { from: 'l', to: 'o', to_port: 'over' }, { from: 'o', to: 'e' }],
    },
    encode: { codec: null, quality: 'good', drop: [] },
    compute: { precision: 'exact', deterministic: false, threads: null, priority: 'normal' },
  };
  const document = documentOfSpec(spec as unknown as Parameters<typeof documentOfSpec>[0], kinds);
  expect(document.run.inputs).toEqual({ main: '/a.mp4', logo: '/logo.png' });
  expect(document.graph.edges[1]).toEqual({ from: 'l', from_port: 'video', to: 'o', to_port: 'over' });
  expect(placeOf(document, 's').x).toBeLessThan(placeOf(document, 'o').x);
  expect(placeOf(document, 'o').x).toBeLessThan(placeOf(document, 'e').x);
  expect(readDocument(JSON.parse(JSON.stringify(document)), kinds)).toEqual(document);
});
