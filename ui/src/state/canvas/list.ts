/** The list of what a document holds, in the order in which one reads it. */
import { nodeOf, placeOf, type CanvasDocument, type GraphNode } from './document';

/** Sources first, then whatever has all that leads to it; what is in a circle comes last. */
export function inOrder(document: CanvasDocument): GraphNode[] {
  const { nodes, edges } = document.graph;
  const done = new Set<string>();
  const order: GraphNode[] = [];
  for (let left = [...nodes]; left.length > 0; ) {
    const next = left.filter((node) => edges.every((edge) => edge.to !== node.id || done.has(edge.from) || !nodeOf(document, edge.from)));
    const round = next.length > 0 ? next : left;
    round.sort((a, b) => placeOf(document, a.id).y - placeOf(document, b.id).y);
    for (const node of round) {
      done.add(node.id);
      order.push(node);
    }
    left = left.filter((node) => !done.has(node.id));
  }
  return order;
}

/** Every row: nodes in the order of the work, then groups, then comments. */
export function rowsOf(document: CanvasDocument, nodes: readonly GraphNode[]): string[] {
  return [...nodes, ...document.groups, ...document.comments].map(({ id }) => id);
}
