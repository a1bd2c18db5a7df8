/** Where a moment of a source is in the result that was made of it, and the other way. */
import type { Graph } from '../ipc/bindings/Graph';
import type { Rational } from '../ipc/bindings/Rational';
import type { Span } from '../ipc/bindings/Span';

export interface Moments {
  /** What is left out goes to the cut. */
  toResult(sourceMicros: number): number;
  toSource(resultMicros: number): number;
}

const micros = (seconds: Rational) => (seconds.num / seconds.den) * 1_000_000;

/** `12.5`, `1:02` or `1:02:03.25` in microseconds. */
function momentOf(text: string): number {
  return text
    .trim()
    .split(':')
    .reduce((sum, part) => sum * 60 + Number(part) * 1_000_000, 0);
}

/** The stretches of a source that a graph keeps, in order. */
function keptOf(graph: Graph): Span[] {
  for (const node of graph.nodes) {
    if (node.op === 'trim') {
      const { start, end } = node.params;
      return [{ from_micros: start ? micros(start) : 0, to_micros: end ? micros(end) : Infinity }];
    }
    if (node.op === 'cut') {
      const words = node.params.keep.split(/[,\r\n]/).filter((word) => word.trim() !== '');
      return words.map((word) => {
        const [from = '', to = ''] = word.split('-');
        return { from_micros: momentOf(from), to_micros: to.trim() === '' ? Infinity : momentOf(to) };
      });
    }
  }
  return [{ from_micros: 0, to_micros: Infinity }];
}

/** How many times as long a result lasts. */
function slownessOf(graph: Graph): number {
  return graph.nodes.reduce((all, node) => {
    const slow = node.op === 'interpolate' ? node.params.slow : undefined;
    return slow ? (all * slow.num) / slow.den : all;
  }, 1);
}

/** As a graph of one source moves them; of several, they are left where they are. */
export function momentsOf(graph: Graph): Moments {
  const single = graph.nodes.filter(({ op }) => op === 'source').length <= 1;
  const kept = single ? keptOf(graph) : [{ from_micros: 0, to_micros: Infinity }];
  const slow = single ? slownessOf(graph) : 1;
  return {
    toResult: (at) => {
      let sum = 0;
      for (const { from_micros, to_micros } of kept) {
        if (at < to_micros) return (sum + Math.max(0, at - from_micros)) * slow;
        sum += to_micros - from_micros;
      }
      return sum * slow;
    },
    toSource: (at) => {
      let rest = at / slow;
      for (const { from_micros, to_micros } of kept) {
        const length = to_micros - from_micros;
        if (rest < length) return from_micros + rest;
        rest -= length;
      }
      return kept.at(-1)?.to_micros ?? at;
    },
  };
}
