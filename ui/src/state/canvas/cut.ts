/**
 * A graph cut behind a node: what the node makes becomes the result. So a node is looked at, and
 * the graph is run up to it.
 */
import type { PortShape } from '../../ipc/bindings/PortShape';
import { nodeOf, type CanvasDocument, type GraphNode, type Kinds, type Wire } from './document';
import { withGraph } from './edits';
import { leadingTo, reaching } from './resolve';

/** The output by which a node is looked at: its first; what comes in at the end of the graph. */
export function mainOutput(kinds: Kinds, node: GraphNode | undefined): PortShape | undefined {
  const kind = kinds.get(node?.op ?? '');
  return kind?.outputs[0] ?? kind?.inputs[0];
}

/** Whether a node makes pictures, which can be looked at. */
export function showsPictures(kinds: Kinds, node: GraphNode | undefined): boolean {
  return mainOutput(kinds, node)?.kind === 'pictures';
}

/** Whether something is left to run behind a node: it is no output itself. */
export function canCut(kinds: Kinds, node: GraphNode | undefined): boolean {
  return (kinds.get(node?.op ?? '')?.outputs.length ?? 0) > 0;
}

/**
 * The document with the graph cut behind a node. What else leads to the output stays, where it does
 * not depend on the node; with `alone`, nothing of it does. Nodes that then work for nobody go.
 */
export function cutBehind(document: CanvasDocument, kinds: Kinds, id: string, alone = false): CanvasDocument {
  const { nodes, edges } = document.graph;
  const output = mainOutput(kinds, nodeOf(document, id));
  const isEnd = (node: GraphNode) => node.op === 'sink';
  // The node itself, where it is an output; else the one that is there; else a new one.
  const end = nodes.find((node) => node.id === id && isEnd(node)) ?? nodes.find(isEnd) ?? { id: 'end:', op: 'sink' };
  const port = kinds.get('sink')?.inputs.find((input) => input.kind === output?.kind)?.name;
  if (!output || port === undefined) return document;

  const behind = id === end.id ? new Set<string>() : reaching(edges.map(turned), [id]);
  const inner = edges.filter((edge) => edge.to !== end.id);
  const others = edges.filter((edge) => {
    if (edge.to !== end.id) return false;
    if (edge.to_port === port) return id === end.id;
    return !alone && (edge.from === id || !behind.has(edge.from));
  });
  const own: Wire[] = id === end.id ? [] : [{ from: id, from_port: output.name, to: end.id, to_port: port }];
  const all = nodes.some((node) => node.id === end.id) ? nodes : [...nodes, end];
  const build = (kept: readonly Wire[]) => {
    const wires = [...inner, ...kept, ...own];
    const used = leadingTo(wires, end.id);
    return withGraph(document, {
      nodes: all.filter((node) => used.has(node.id)),
      edges: wires.filter((edge) => used.has(edge.from) && used.has(edge.to)),
    });
  };
  const cut = build(others);
  // What is kept for its sound alone must not be left with pictures that nobody takes.
  return isClosed(cut, kinds) ? cut : build(others.filter((edge) => edge.to_port === port));
}

const turned = (edge: Wire): Wire => ({ ...edge, from: edge.to, to: edge.from });

function isClosed({ graph }: CanvasDocument, kinds: Kinds): boolean {
  return graph.nodes.every((node) =>
    (kinds.get(node.op)?.outputs ?? []).every(
      (port) => port.optional || graph.edges.some((edge) => edge.from === node.id && edge.from_port === port.name),
    ),
  );
}
