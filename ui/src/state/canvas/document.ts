/**
 * A document of the canvas: the graph as the program reads it, and where and how it is drawn.
 * Documents are never changed in place; every edit makes a new one that shares what stays.
 */
import type { Device } from '../../ipc/bindings/Device';
import type { JobSpec } from '../../ipc/bindings/JobSpec';
import type { NodeKind } from '../../ipc/bindings/NodeKind';
import type { PortShape } from '../../ipc/bindings/PortShape';
import type { Quality } from '../../ipc/bindings/Quality';
import type { VideoCodec } from '../../ipc/bindings/VideoCodec';

/** Version of the graphs that this window writes. */
export const GRAPH_VERSION = 2;

/** A node as it is drawn: its parameters may be unfinished. */
export interface GraphNode {
  id: string;
  op: string;
  params?: Readonly<Record<string, unknown>>;
}

/** A wire; here the ports are always named. */
export interface Wire {
  from: string;
  from_port: string;
  to: string;
  to_port: string;
}

export interface Drawing {
  version: number;
  nodes: readonly GraphNode[];
  edges: readonly Wire[];
}

/** A muted node gives nothing; a bypassed one passes on what it gets. */
export type Rest = 'muted' | 'bypassed';

export interface Placed {
  /** Left upper corner, in pixels of the canvas at 100 %. */
  x: number;
  y: number;
  /** The user's own name for it. */
  title?: string;
  rest?: Rest;
  /** What leaves it is shown on its card. */
  seen?: true;
}

export interface Group {
  id: string;
  title: string;
  members: readonly string[];
}

export interface Comment {
  id: string;
  text: string;
  x: number;
  y: number;
}

/** How the graph is run: remembered with it. */
export interface RunWish {
  inputs: Readonly<Record<string, string>>;
  output: string | null;
  codec: VideoCodec | null;
  quality: Quality;
  device: Device;
  overwrite: boolean;
  /** Models whose licence forbids commercial work are refused. */
  commercial: boolean;
}

export interface CanvasDocument {
  version: 1;
  graph: Drawing;
  places: Readonly<Record<string, Placed>>;
  groups: readonly Group[];
  comments: readonly Comment[];
  run: RunWish;
}

export type Kinds = ReadonlyMap<string, NodeKind>;

export const CARD_WIDTH = 208;
const HEAD_HEIGHT = 36;
export const PORT_HEIGHT = 24;
const SUMMARY_HEIGHT = 26;
const FOOT_HEIGHT = 8;
/** Room for a picture on a card: 16 to 9, as most are. */
export const PICTURE_HEIGHT = 117;
/** Distance of columns and rows where the window places nodes itself. */
const COLUMN = CARD_WIDTH + 72;
const ROW = 40;

const RUN: RunWish = { inputs: {}, output: null, codec: null, quality: 'good', device: 'auto', overwrite: false, commercial: false };

/** Whether there is anything to say at the foot of its card. */
export function hasSummary(kind: NodeKind | undefined): boolean {
  return kind?.op === 'sink' || Object.keys((kind?.params['properties'] as object | undefined) ?? {}).length > 0;
}

/** Height of a node's card in pixels of the canvas: cards are drawn by this, so nothing has to be measured. */
export function cardHeight(kind: NodeKind | undefined, seen = false): number {
  const rows = Math.max(kind?.inputs.length ?? 0, kind?.outputs.length ?? 0, 1);
  return HEAD_HEIGHT + rows * PORT_HEIGHT + (hasSummary(kind) ? SUMMARY_HEIGHT : FOOT_HEIGHT) + (seen ? PICTURE_HEIGHT : 0);
}

/** Height of the card of a node as it is drawn. */
export function heightOf(document: CanvasDocument, kinds: Kinds, node: GraphNode | undefined): number {
  return cardHeight(kinds.get(node?.op ?? ''), node && placeOf(document, node.id).seen);
}

/** Middle of a port, from the card's upper edge. */
export function portTop(index: number): number {
  return HEAD_HEIGHT + index * PORT_HEIGHT + PORT_HEIGHT / 2;
}

export function nodeOf(document: CanvasDocument, id: string): GraphNode | undefined {
  return document.graph.nodes.find((node) => node.id === id);
}

export function placeOf(document: CanvasDocument, id: string): Placed {
  return document.places[id] ?? { x: 0, y: 0 };
}

/** The smallest rectangle around nodes, or `null` without any. */
export function bounds(document: CanvasDocument, kinds: Kinds, ids: readonly string[]) {
  const boxes = ids.flatMap((id) => {
    const node = nodeOf(document, id);
    if (!node) return [];
    const { x, y } = placeOf(document, id);
    return [{ x, y, right: x + CARD_WIDTH, bottom: y + heightOf(document, kinds, node) }];
  });
  if (boxes.length === 0) return null;
  const x = Math.min(...boxes.map((box) => box.x));
  const y = Math.min(...boxes.map((box) => box.y));
  const width = Math.max(...boxes.map((box) => box.right)) - x;
  const height = Math.max(...boxes.map((box) => box.bottom)) - y;
  return { x, y, width, height };
}

/** An input, an output and the wire between them: the least that can run. */
export function freshDocument(): CanvasDocument {
  return {
    version: 1,
    graph: {
      version: GRAPH_VERSION,
      nodes: [
        { id: 'source1', op: 'source', params: {} },
        { id: 'sink1', op: 'sink' },
      ],
      edges: [{ from: 'source1', from_port: 'video', to: 'sink1', to_port: 'video' }],
    },
    places: { source1: { x: 0, y: 0 }, sink1: { x: 2 * COLUMN, y: 0 } },
    groups: [],
    comments: [],
    run: RUN,
  };
}

/** Wires of a document from elsewhere, with their ports named. */
export function namedWires(
  nodes: readonly GraphNode[],
  edges: readonly { from: string; from_port?: string | undefined; to: string; to_port?: string | undefined }[],
  kinds: Kinds,
): Wire[] {
  const first = (id: string, side: 'inputs' | 'outputs') => {
    const op = nodes.find((node) => node.id === id)?.op;
    return kinds.get(op ?? '')?.[side][0]?.name ?? '';
  };
  return edges.map((edge) => ({
    from: edge.from,
    from_port: edge.from_port ?? first(edge.from, 'outputs'),
    to: edge.to,
    to_port: edge.to_port ?? first(edge.to, 'inputs'),
  }));
}

/** Places nodes in columns, each to the right of all that lead to it. */
export function tidied(document: CanvasDocument, kinds: Kinds): CanvasDocument {
  const { nodes, edges } = document.graph;
  const column = new Map(nodes.map((node) => [node.id, 0]));
  // As many rounds as there are nodes settle every graph without a circle, and end in one with.
  for (let round = 0; round < nodes.length; round += 1) {
    let moved = false;
    for (const { from, to } of edges) {
      const wanted = (column.get(from) ?? 0) + 1;
      if (column.has(to) && column.has(from) && wanted > (column.get(to) ?? 0) && wanted < nodes.length) {
        column.set(to, wanted);
        moved = true;
      }
    }
    if (!moved) break;
  }
  const filled = new Map<number, number>();
  const places: Record<string, Placed> = {};
  for (const node of nodes) {
    const at = column.get(node.id) ?? 0;
    const y = filled.get(at) ?? 0;
    filled.set(at, y + heightOf(document, kinds, node) + ROW);
    places[node.id] = { ...document.places[node.id], x: at * COLUMN, y };
  }
  return { ...document, places };
}

/** A job, or what would become one, as a document. */
export function documentOfSpec(spec: JobSpec, kinds: Kinds): CanvasDocument {
  const nodes = spec.graph.nodes as readonly GraphNode[];
  const edges = namedWires(nodes, spec.graph.edges, kinds);
  const sources = nodes.filter((node) => node.op === 'source').map((node) => String(node.params?.['name'] ?? 'main'));
  const others = spec.inputs ?? {};
  const main = sources.find((name) => !(name in others)) ?? 'main';
  return tidied(
    {
      ...freshDocument(),
      graph: { version: GRAPH_VERSION, nodes, edges },
      places: {},
      run: {
        inputs: { ...others, [main]: spec.input },
        output: spec.output,
        codec: spec.encode.codec,
        quality: spec.encode.quality,
        device: spec.device,
        overwrite: false,
        commercial: false,
      },
    },
    kinds,
  );
}

/** Names of the inputs, each once, in the order of the nodes. */
export function inputNames(drawing: Drawing): string[] {
  const sources = drawing.nodes.filter((node) => node.op === 'source');
  return [...new Set(sources.map((node) => String(node.params?.['name'] ?? 'main')))];
}

function isPlaced(value: unknown): value is Placed {
  const place = value as Placed | null;
  return typeof place === 'object' && place !== null && Number.isFinite(place.x) && Number.isFinite(place.y);
}

/** A document of the program's database, or of an older window, with what is missing filled in. */
export function readDocument(value: unknown, kinds: Kinds): CanvasDocument {
  const found = value as Partial<CanvasDocument> & { graph: Drawing };
  const { nodes, edges } = found.graph;
  const known: CanvasDocument = {
    version: 1,
    graph: { version: GRAPH_VERSION, nodes, edges: namedWires(nodes, edges, kinds) },
    places: found.places ?? {},
    groups: found.groups ?? [],
    comments: found.comments ?? [],
    run: { ...RUN, ...found.run },
  };
  return nodes.every((node) => isPlaced(known.places[node.id])) ? known : tidied(known, kinds);
}

/** The port of a node. */
export function portOf(
  document: CanvasDocument,
  kinds: Kinds,
  id: string,
  side: 'inputs' | 'outputs',
  name: string,
): PortShape | undefined {
  const kind = kinds.get(nodeOf(document, id)?.op ?? '');
  return kind?.[side].find((port) => port.name === name);
}
