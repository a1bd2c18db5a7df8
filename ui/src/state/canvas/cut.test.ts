import { describe, expect, it } from 'vitest';
import kindList from '../../ipc/canvas-kinds.json';
import type { NodeKind } from '../../ipc/bindings/NodeKind';
import { canCut, cutBehind, showsPictures } from './cut';
import { freshDocument, namedWires, type CanvasDocument, type GraphNode } from './document';
import { resolved } from './resolve';

const KINDS = new Map((kindList as unknown as NodeKind[]).map((kind) => [kind.op, kind]));

function drawn(nodes: readonly string[], wires: readonly string[]): CanvasDocument {
  const list: GraphNode[] = nodes.map((name) => ({ id: name, op: name.replace(/\d+$/, '') }));
  const edges = wires.map((wire) => {
    const [from = '', to = ''] = wire.split('>');
    const [a, b] = [from.split('.'), to.split('.')];
    return { from: a[0] ?? '', from_port: a[1], to: b[0] ?? '', to_port: b[1] };
  });
  return { ...freshDocument(), places: {}, graph: { version: 2, nodes: list, edges: namedWires(list, edges, KINDS) } };
}

const shape = ({ nodes, edges }: CanvasDocument['graph']) => ({
  nodes: nodes.map(({ id }) => id).sort(),
  edges: edges.map(({ from, from_port, to, to_port }) => `${from}.${from_port}>${to}.${to_port}`).sort(),
});

describe('a graph cut behind a node', () => {
  const chain = drawn(['source1', 'flip1', 'resize1', 'sink1'], ['source1>flip1', 'flip1>resize1', 'resize1>sink1', 'source1.audio>sink1.audio']);

  it('ends there, with the sound as it was', () => {
    expect(shape(cutBehind(chain, KINDS, 'flip1').graph)).toEqual({
      nodes: ['flip1', 'sink1', 'source1'],
      edges: ['flip1.out>sink1.video', 'source1.audio>sink1.audio', 'source1.video>flip1.in'],
    });
    expect(shape(cutBehind(chain, KINDS, 'source1').graph).edges).toEqual(['source1.audio>sink1.audio', 'source1.video>sink1.video']);
  });

  it('has no sound where only a picture is looked at', () => {
    expect(shape(cutBehind(chain, KINDS, 'flip1', true).graph).edges).toEqual(['flip1.out>sink1.video', 'source1.video>flip1.in']);
    // The output itself shows what comes there.
    expect(shape(cutBehind(chain, KINDS, 'sink1', true).graph)).toEqual({
      nodes: ['flip1', 'resize1', 'sink1', 'source1'],
      edges: ['flip1.out>resize1.in', 'resize1.out>sink1.video', 'source1.video>flip1.in'],
    });
  });

  it('gets an output where the drawing has none, and loses what is behind or beside it', () => {
    const loose = drawn(['source1', 'flip1', 'resize1', 'source2'], ['source1>flip1', 'flip1>resize1']);
    const { nodes, edges } = cutBehind(loose, KINDS, 'flip1').graph;
    expect(nodes.map(({ op }) => op)).toEqual(['source', 'flip', 'sink']);
    expect(edges).toHaveLength(2);
  });

  it('keeps the pictures where it is cut behind a node of sound', () => {
    const sound = drawn(
      ['source1', 'flip1', 'loudness1', 'audio_denoise1', 'sink1'],
      ['source1>flip1', 'flip1>sink1', 'source1.audio>loudness1', 'loudness1>audio_denoise1', 'audio_denoise1>sink1.audio'],
    );
    expect(shape(cutBehind(sound, KINDS, 'loudness1').graph).edges).toEqual([
      'flip1.out>sink1.video', 'loudness1.out>sink1.audio', 'source1.audio>loudness1.in', 'source1.video>flip1.in',
    ]);
    expect(showsPictures(KINDS, sound.graph.nodes[2])).toBe(false);
    expect(showsPictures(KINDS, sound.graph.nodes[4])).toBe(true);
    expect([canCut(KINDS, sound.graph.nodes[2]), canCut(KINDS, sound.graph.nodes[4])]).toEqual([true, false]);
  });

  it('lets go of sound that depends on what is behind the cut', () => {
    const joined = drawn(
      ['source1', 'source2', 'flip1', 'concat1', 'sink1'],
      ['source1>flip1', 'flip1>concat1', 'source2>concat1', 'source1.audio>concat1.audio', 'source2.audio>concat1.audio', 'concat1>sink1', 'concat1.audio>sink1.audio'],
    );
    expect(shape(cutBehind(joined, KINDS, 'flip1').graph)).toEqual({
      nodes: ['flip1', 'sink1', 'source1'],
      edges: ['flip1.out>sink1.video', 'source1.video>flip1.in'],
    });
    expect(shape(cutBehind(joined, KINDS, 'concat1').graph).nodes).toHaveLength(5);
  });

  it('passes on what a bypassed node gets', () => {
    const resting = { ...chain, places: { flip1: { x: 0, y: 0, rest: 'bypassed' as const } } };
    expect(shape(resolved(cutBehind(resting, KINDS, 'flip1', true), KINDS)).edges).toEqual(['source1.video>sink1.video']);
  });
});
