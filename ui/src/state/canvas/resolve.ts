/**
 * From what is drawn to what is run: muted and bypassed nodes are resolved here, so that the
 * program's graphs know nothing of them.
 */
import { placeOf, type CanvasDocument, type Drawing, type Kinds, type Wire } from './document';

/**
 * The graph without its resting nodes.
 *
 * A bypassed node passes on what comes to its first input of the same kind. A muted one gives
 * nothing: its wires are left out. Where a node loses what it cannot do without, it is muted too if
 * that was its first input, and bypassed otherwise (what lies over a picture is then not laid over
 * it). What worked for those nodes alone is left out with them; what led nowhere before is kept, so
 * that it is still found fault with.
 */
export function resolved(document: CanvasDocument, kinds: Kinds): Drawing {
  const { graph } = document;
  const rest = new Map(graph.nodes.map((node) => [node.id, placeOf(document, node.id).rest]));
  if (![...rest.values()].some((state) => state !== undefined)) return graph;
  const kindOf = new Map(graph.nodes.map((node) => [node.id, kinds.get(node.op)]));

  // What a muted node gave is missed further on, step by step.
  for (let changed = true; changed; ) {
    changed = false;
    for (const node of graph.nodes) {
      if (rest.get(node.id) === 'muted') continue;
      const inputs = kindOf.get(node.id)?.inputs ?? [];
      for (const [index, port] of inputs.entries()) {
        const wires = graph.edges.filter((edge) => edge.to === node.id && edge.to_port === port.name);
        const lost = wires.length > 0 && wires.every((edge) => rest.get(edge.from) === 'muted');
        if (!lost || port.optional) continue;
        const next = index === 0 ? 'muted' : 'bypassed';
        // Once bypassed it can still be muted, and never the other way round.
        if (node.op === 'sink' || rest.get(node.id) === next || rest.get(node.id) === 'muted') continue;
        rest.set(node.id, next);
        changed = true;
      }
    }
  }

  /** Where what a wire carries really comes from; several places where a bypassed node took several. */
  const origins = (wire: Wire, depth: number): Pick<Wire, 'from' | 'from_port'>[] => {
    const state = rest.get(wire.from);
    if (state === 'muted' || depth > graph.nodes.length) return [];
    if (state === undefined) return [{ from: wire.from, from_port: wire.from_port }];
    const kind = kindOf.get(wire.from);
    const flows = kind?.outputs.find((port) => port.name === wire.from_port)?.kind;
    const input = kind?.inputs.find((port) => port.kind === flows);
    if (!input) return [];
    return graph.edges
      .filter((edge) => edge.to === wire.from && edge.to_port === input.name)
      .flatMap((edge) => origins(edge, depth + 1));
  };

  const edges: Wire[] = [];
  for (const wire of graph.edges) {
    if (rest.get(wire.to) !== undefined) continue;
    const many = kindOf.get(wire.to)?.inputs.find((port) => port.name === wire.to_port)?.many ?? false;
    const found = origins(wire, 0);
    for (const from of many ? found : found.slice(0, 1)) edges.push({ ...from, to: wire.to, to_port: wire.to_port });
  }

  const before = reaching(graph.edges, graph.nodes.filter((node) => node.op === 'sink').map((node) => node.id));
  const after = reaching(edges, graph.nodes.filter((node) => node.op === 'sink').map((node) => node.id));
  const stays = new Set(
    graph.nodes
      .filter((node) => rest.get(node.id) === undefined && (after.has(node.id) || !before.has(node.id)))
      .map((node) => node.id),
  );
  return {
    ...graph,
    nodes: graph.nodes.filter((node) => stays.has(node.id)),
    edges: edges.filter((edge) => stays.has(edge.from) && stays.has(edge.to)),
  };
}

/** The nodes from which wires lead to `end`, which is one of them. */
export const leadingTo = (edges: readonly Wire[], end: string): Set<string> => reaching(edges, [end]);

/** The nodes from which wires lead to one of `ends`, those included. */
export function reaching(edges: readonly Wire[], ends: readonly string[]): Set<string> {
  const found = new Set<string>();
  const ahead = [...ends];
  while (ahead.length > 0) {
    const id = ahead.pop() as string;
    if (found.has(id)) continue;
    found.add(id);
    for (const edge of edges) if (edge.to === id) ahead.push(edge.from);
  }
  return found;
}
