import { expect, it } from 'vitest';
import type { Graph } from '../ipc/bindings/Graph';
import type { Node } from '../ipc/bindings/Node';
import { momentsOf } from './moments';

const graph = (...nodes: Node[]): Graph => ({ version: 2, nodes: [{ id: 'in', op: 'source', params: {} } as Node, ...nodes], edges: [] });
const S = 1_000_000;

it('without a cut a moment is the same in source and result', () => {
  const moments = momentsOf(graph());
  expect([moments.toResult(3 * S), moments.toSource(3 * S)]).toEqual([3 * S, 3 * S]);
});

it('a stretch begins the result; what lies before it goes to its beginning', () => {
  const moments = momentsOf(graph({ id: 't', op: 'trim', params: { start: { num: 5, den: 2 }, end: { num: 10, den: 1 } } }));
  expect([0, 2.5, 4, 10, 12].map((at) => moments.toResult(at * S) / S)).toEqual([0, 0, 1.5, 7.5, 7.5]);
  expect([0, 1, 7.5, 9].map((at) => moments.toSource(at * S) / S)).toEqual([2.5, 3.5, 10, 10]);
});

it('what is cut out has no moment of its own', () => {
  const moments = momentsOf(graph({ id: 'c', op: 'cut', params: { keep: '1-3\n0:05.5-0:06,1:00-', fade: 10 } }));
  expect([0, 1.5, 4, 5.75, 30, 61].map((at) => moments.toResult(at * S) / S)).toEqual([0, 0.5, 2, 2.25, 2.5, 3.5]);
  expect([0, 1.5, 2.25, 2.5, 12].map((at) => moments.toSource(at * S) / S)).toEqual([1, 2.5, 5.75, 60, 69.5]);
});

it('where it is slowed down, moments come later', () => {
  const moments = momentsOf(graph({ id: 's', op: 'interpolate', params: { rate: null, times: null, slow: { num: 2, den: 1 } } }));
  expect([moments.toResult(3 * S), moments.toSource(6 * S)]).toEqual([6 * S, 3 * S]);
});

it('of several sources nothing is known: moments stay where they are', () => {
  const moments = momentsOf(graph({ id: 'b', op: 'source', params: {} } as Node, { id: 't', op: 'trim', params: { start: { num: 5, den: 1 }, end: null } }));
  expect([moments.toResult(7 * S), moments.toSource(7 * S)]).toEqual([7 * S, 7 * S]);
});
