/** From a document to what xyflow draws. What has not changed stays the same object, so that nothing is drawn twice. */
import { Position, type Edge, type Node } from '@xyflow/svelte';
import type { Fault } from '../../ipc/bindings/Fault';
import type { NodeKind } from '../../ipc/bindings/NodeKind';
import {
  bounds, cardHeight, CARD_WIDTH, placeOf, portTop,
  type CanvasDocument, type Comment, type GraphNode, type Group, type Kinds, type Rest,
} from './document';
import { wireId } from './edits';

export interface CardData extends Record<string, unknown> {
  node: GraphNode;
  kind: NodeKind | undefined;
  name: string;
  summary: string;
  rest: Rest | undefined;
  seen: boolean;
  faults: readonly Fault[];
}

export type CardNode = Node<CardData, 'card'>;
export type GroupNode = Node<{ group: Group }, 'frame'>;
export type CommentNode = Node<{ comment: Comment }, 'comment'>;
export type FlowNode = CardNode | GroupNode | CommentNode;

const PADDING = 20;
const TITLE = 30;
export const COMMENT_SIZE = { width: 220, height: 112 };
const NO_FAULTS: readonly Fault[] = [];

interface Words {
  name(node: GraphNode): string;
  summary(node: GraphNode): string;
}

/** The ends of wires on a card: known beforehand, so that wires to cards out of sight are drawn, too. */
function handles(kind: NodeKind | undefined): NonNullable<Node['handles']> {
  const end = (type: 'source' | 'target', x: number, position: Position) => (port: { name: string }, index: number) => ({
    id: port.name, type, position, x: x - 6, y: portTop(index) - 6, width: 12, height: 12,
  });
  return [
    ...(kind?.inputs ?? []).map(end('target', 0, Position.Left)),
    ...(kind?.outputs ?? []).map(end('source', CARD_WIDTH, Position.Right)),
  ];
}

function sameData(a: Record<string, unknown>, b: Record<string, unknown>): boolean {
  return Object.keys(b).every((key) => a[key] === b[key]);
}

function sameFaults(a: readonly Fault[], b: readonly Fault[]): boolean {
  return a.length === b.length && a.every((fault, index) => JSON.stringify(fault) === JSON.stringify(b[index]));
}

/** `fresh`, or `old` if it shows the same. */
function settled<N extends FlowNode>(old: FlowNode | undefined, fresh: N): FlowNode {
  if (!old || old.type !== fresh.type) return fresh;
  const same =
    old.position.x === fresh.position.x &&
    old.position.y === fresh.position.y &&
    old.width === fresh.width &&
    old.height === fresh.height &&
    (old.selected ?? false) === fresh.selected &&
    old.ariaLabel === fresh.ariaLabel &&
    sameData(old.data, fresh.data);
  if (same) return old;
  const { measured } = old;
  return measured ? { ...fresh, measured } : fresh;
}

export function flowNodes(
  document: CanvasDocument,
  kinds: Kinds,
  faults: readonly Fault[],
  selection: readonly string[],
  words: Words,
  drawn: readonly FlowNode[],
): FlowNode[] {
  const chosen = new Set(selection);
  const known = new Map(drawn.map((node) => [node.id, node]));
  const byNode = new Map<string, Fault[]>();
  for (const fault of faults) {
    if (fault.node !== null) byNode.set(fault.node, [...(byNode.get(fault.node) ?? []), fault]);
  }
  const frames = document.groups.flatMap((group): GroupNode[] => {
    const box = bounds(document, kinds, group.members);
    if (!box) return [];
    return [
      {
        id: group.id,
        type: 'frame',
        position: { x: box.x - PADDING, y: box.y - PADDING - TITLE },
        width: box.width + 2 * PADDING,
        height: box.height + 2 * PADDING + TITLE,
        data: { group },
        selected: chosen.has(group.id),
        dragHandle: '.grip',
        zIndex: -1,
        ariaLabel: group.title,
      },
    ];
  });
  const cards = document.graph.nodes.map((node): CardNode => {
    const { x, y, rest, seen = false } = placeOf(document, node.id);
    const kind = kinds.get(node.op);
    const before = known.get(node.id)?.data as CardData | undefined;
    const found = byNode.get(node.id) ?? NO_FAULTS;
    const name = words.name(node);
    return {
      id: node.id,
      type: 'card',
      position: { x, y },
      width: CARD_WIDTH,
      height: cardHeight(kind, seen),
      handles: handles(kind),
      data: {
        node,
        kind,
        name,
        summary: words.summary(node),
        rest,
        seen,
        faults: before && sameFaults(before.faults, found) ? before.faults : found,
      },
      selected: chosen.has(node.id),
      ariaLabel: name,
    };
  });
  const notes = document.comments.map((comment): CommentNode => ({
    id: comment.id,
    type: 'comment',
    position: { x: comment.x, y: comment.y },
    ...COMMENT_SIZE,
    data: { comment },
    selected: chosen.has(comment.id),
    ariaLabel: comment.text,
    dragHandle: '.grip',
  }));
  return [...frames, ...cards, ...notes].map((fresh) => settled(known.get(fresh.id), fresh));
}

export function flowEdges(
  document: CanvasDocument,
  kinds: Kinds,
  wires: readonly string[],
  label: (edge: { from: string; to: string }) => string,
  drawn: readonly Edge[],
): Edge[] {
  const ops = new Map(document.graph.nodes.map((node) => [node.id, node.op]));
  const known = new Map(drawn.map((edge) => [edge.id, edge]));
  return document.graph.edges.map((wire): Edge => {
    const id = wireId(wire);
    const flows = kinds.get(ops.get(wire.from) ?? '')?.outputs.find((port) => port.name === wire.from_port)?.kind;
    const idle = placeOf(document, wire.from).rest === 'muted' || placeOf(document, wire.to).rest === 'muted';
    const fresh = {
      id,
      source: wire.from,
      sourceHandle: wire.from_port,
      target: wire.to,
      targetHandle: wire.to_port,
      class: `${flows ?? ''}${idle ? ' idle' : ''}`,
      selected: wires.includes(id),
      ariaLabel: label(wire),
    };
    const old = known.get(id);
    const same = old && old.class === fresh.class && (old.selected ?? false) === fresh.selected && old.ariaLabel === fresh.ariaLabel;
    return same ? old : fresh;
  });
}
