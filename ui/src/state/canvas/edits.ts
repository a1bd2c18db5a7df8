/** What can be done to a document: each edit gives a new one. */
import type { NodeKind } from '../../ipc/bindings/NodeKind';
import type { PortKind } from '../../ipc/bindings/PortKind';
import {
  bounds, CARD_WIDTH, GRAPH_VERSION, heightOf, namedWires, nodeOf, placeOf, portOf,
  type CanvasDocument, type Comment, type GraphNode, type Group, type Kinds, type Placed, type Rest, type Wire,
} from './document';

export interface Point {
  x: number;
  y: number;
}

/** Why a wire cannot be put there. */
export type Refusal =
  | { why: 'kind'; gives: PortKind; takes: PortKind }
  | { why: 'circle' | 'same' | 'twice' | 'gone' };

const GRID = 8;
export const onGrid = (value: number) => Math.round(value / GRID) * GRID;

function freshId(taken: Iterable<string>, stem: string): string {
  const known = new Set(taken);
  for (let number = 1; ; number += 1) if (!known.has(`${stem}${number}`)) return `${stem}${number}`;
}

const allIds = (document: CanvasDocument) => [
  ...document.graph.nodes.map((node) => node.id),
  ...document.groups.map((group) => group.id),
  ...document.comments.map((comment) => comment.id),
];

export function withGraph(document: CanvasDocument, graph: Partial<CanvasDocument['graph']>): CanvasDocument {
  return { ...document, graph: { ...document.graph, ...graph } };
}

/** Adds a node with what its kind takes where nothing is given; gives its id too. */
export function addNode(document: CanvasDocument, kind: NodeKind, at: Point): [CanvasDocument, string] {
  const id = freshId(allIds(document), kind.op);
  const hasParams = Object.keys((kind.params['properties'] as object | undefined) ?? {}).length > 0;
  const sources = document.graph.nodes.filter((node) => node.op === 'source').length;
  // A further source is meant to be another file; without a name of its own it would be the same.
  const params = kind.op === 'source' && sources > 0 ? { name: `input${sources + 1}` } : {};
  const node: GraphNode = hasParams ? { id, op: kind.op, params } : { id, op: kind.op };
  const places = { ...document.places, [id]: freeSpot(document, { x: onGrid(at.x), y: onGrid(at.y) }) };
  return [{ ...withGraph(document, { nodes: [...document.graph.nodes, node] }), places }, id];
}

/** The point, or one a little further where a card already begins there. */
function freeSpot(document: CanvasDocument, at: Point): Point {
  const taken = new Set(Object.values(document.places).map(({ x, y }) => `${x} ${y}`));
  let { x, y } = at;
  while (taken.has(`${x} ${y}`)) [x, y] = [x + 3 * GRID, y + 3 * GRID];
  return { x, y };
}

/** Whether wires lead from one node to the other. */
function leads(document: CanvasDocument, from: string, to: string): boolean {
  const seen = new Set<string>();
  const ahead = [from];
  while (ahead.length > 0) {
    const id = ahead.pop() as string;
    if (id === to) return true;
    if (seen.has(id)) continue;
    seen.add(id);
    for (const edge of document.graph.edges) if (edge.from === id) ahead.push(edge.to);
  }
  return false;
}

/** Why this wire cannot be; `null` if it can. An input that is taken gives up the wire it has. */
export function refusal(document: CanvasDocument, kinds: Kinds, wire: Wire): Refusal | null {
  const out = portOf(document, kinds, wire.from, 'outputs', wire.from_port);
  const input = portOf(document, kinds, wire.to, 'inputs', wire.to_port);
  if (!out || !input) return { why: 'gone' };
  if (wire.from === wire.to) return { why: 'same' };
  if (out.kind !== input.kind) return { why: 'kind', gives: out.kind, takes: input.kind };
  if (document.graph.edges.some((edge) => sameWire(edge, wire))) return { why: 'twice' };
  if (leads(document, wire.to, wire.from)) return { why: 'circle' };
  return null;
}

export function sameWire(a: Wire, b: Wire): boolean {
  return a.from === b.from && a.from_port === b.from_port && a.to === b.to && a.to_port === b.to_port;
}

export function wireId(wire: Wire): string {
  return JSON.stringify([wire.from, wire.from_port, wire.to, wire.to_port]);
}

/** Puts a wire on; the caller has asked `refusal`. */
export function connect(document: CanvasDocument, kinds: Kinds, wire: Wire): CanvasDocument {
  const many = portOf(document, kinds, wire.to, 'inputs', wire.to_port)?.many ?? false;
  const others = document.graph.edges.filter(
    (edge) => many || edge.to !== wire.to || edge.to_port !== wire.to_port,
  );
  return withGraph(document, { edges: [...others, wire] });
}

export function disconnect(document: CanvasDocument, wires: readonly string[]): CanvasDocument {
  return withGraph(document, { edges: document.graph.edges.filter((edge) => !wires.includes(wireId(edge))) });
}

/** Takes nodes and comments off, with their wires; a chain is closed where a single node leaves it. */
export function remove(document: CanvasDocument, ids: readonly string[]): CanvasDocument {
  const gone = new Set(ids);
  const places = Object.fromEntries(Object.entries(document.places).filter(([id]) => !gone.has(id)));
  return {
    ...document,
    graph: {
      ...document.graph,
      nodes: document.graph.nodes.filter((node) => !gone.has(node.id)),
      edges: document.graph.edges.filter((edge) => !gone.has(edge.from) && !gone.has(edge.to)),
    },
    places,
    groups: document.groups
      .map((group) => ({ ...group, members: group.members.filter((id) => !gone.has(id)) }))
      .filter((group) => group.members.length > 0 && !gone.has(group.id)),
    comments: document.comments.filter((comment) => !gone.has(comment.id)),
  };
}

/** Sets a parameter; `undefined` leaves it out. */
export function setParam(document: CanvasDocument, id: string, name: string, value: unknown): CanvasDocument {
  const nodes = document.graph.nodes.map((node) => {
    if (node.id !== id) return node;
    const params: Record<string, unknown> = { ...node.params };
    if (value === undefined) delete params[name];
    else params[name] = value;
    return { ...node, params };
  });
  return withGraph(document, { nodes });
}

/** Where a file is that takes part: `input:NAME`, or `node:ID:PARAMETER`. */
export function setSource(document: CanvasDocument, role: string, path: string): CanvasDocument {
  const [, kind, name = ''] = /^(input|node):(.*)$/s.exec(role) ?? [];
  if (kind === 'input') return { ...document, run: { ...document.run, inputs: { ...document.run.inputs, [name]: path } } };
  const at = name.lastIndexOf(':');
  return kind === 'node' && at > 0 ? setParam(document, name.slice(0, at), name.slice(at + 1), path) : document;
}

function place(document: CanvasDocument, ids: readonly string[], change: (placed: Placed, id: string) => Placed): CanvasDocument {
  const places = { ...document.places };
  for (const id of ids) if (nodeOf(document, id)) places[id] = change(placeOf(document, id), id);
  return { ...document, places };
}

/** Moves nodes and comments to points. */
export function move(document: CanvasDocument, to: ReadonlyMap<string, Point>): CanvasDocument {
  const moved = place(document, [...to.keys()], (placed, id) => ({ ...placed, ...to.get(id) }));
  const comments = document.comments.map((comment) => ({ ...comment, ...to.get(comment.id) }));
  return { ...moved, comments };
}

export function setTitle(document: CanvasDocument, id: string, title: string): CanvasDocument {
  return place(document, [id], ({ title: _, ...rest }) => (title.trim() === '' ? rest : { ...rest, title }));
}

/** Mutes or bypasses nodes; where all of them already are, they work again. Inputs and the output always do. */
export function toggleRest(document: CanvasDocument, ids: readonly string[], rest: Rest): CanvasDocument {
  const able = ids.filter((id) => canRest(nodeOf(document, id), rest));
  const all = able.every((id) => placeOf(document, id).rest === rest);
  return place(document, able, ({ rest: _, ...placed }) => (all ? placed : { ...placed, rest }));
}

/** Shows what leaves nodes on their cards; where all of them show it, none does any more. */
export function toggleSeen(document: CanvasDocument, ids: readonly string[]): CanvasDocument {
  const all = ids.every((id) => placeOf(document, id).seen);
  return place(document, ids, ({ seen: _, ...placed }) => (all ? placed : { ...placed, seen: true }));
}

export function canRest(node: GraphNode | undefined, rest: Rest): boolean {
  if (!node || node.op === 'sink') return false;
  return node.op !== 'source' || rest === 'muted';
}

/** Makes a group of nodes; what was in another leaves it. */
export function group(document: CanvasDocument, ids: readonly string[], title: string): CanvasDocument {
  const members = ids.filter((id) => nodeOf(document, id));
  if (members.length === 0) return document;
  const others = document.groups
    .map((other) => ({ ...other, members: other.members.filter((id) => !members.includes(id)) }))
    .filter((other) => other.members.length > 0);
  const fresh: Group = { id: freshId(allIds(document), 'group'), title, members };
  return { ...document, groups: [...others, fresh] };
}

/** Puts nodes into a group, or into none (`null`). A group that nothing is left in goes. */
export function putIn(document: CanvasDocument, ids: readonly string[], id: string | null): CanvasDocument {
  const moved = ids.filter((one) => nodeOf(document, one));
  if (moved.length === 0) return document;
  const groups = document.groups
    .map((group) => {
      const rest = group.members.filter((member) => !moved.includes(member));
      return { ...group, members: group.id === id ? [...rest, ...moved] : rest };
    })
    .filter((group) => group.members.length > 0);
  return { ...document, groups };
}

export function ungroup(document: CanvasDocument, id: string): CanvasDocument {
  return { ...document, groups: document.groups.filter((group) => group.id !== id) };
}

export function setGroupTitle(document: CanvasDocument, id: string, title: string): CanvasDocument {
  return { ...document, groups: document.groups.map((group) => (group.id === id ? { ...group, title } : group)) };
}

export function addComment(document: CanvasDocument, at: Point): [CanvasDocument, string] {
  const comment: Comment = { id: freshId(allIds(document), 'comment'), text: '', x: onGrid(at.x), y: onGrid(at.y) };
  return [{ ...document, comments: [...document.comments, comment] }, comment.id];
}

export function setComment(document: CanvasDocument, id: string, text: string): CanvasDocument {
  return {
    ...document,
    comments: document.comments.map((comment) => (comment.id === id ? { ...comment, text } : comment)),
  };
}

export type Alignment = 'left' | 'centre' | 'right' | 'top' | 'middle' | 'bottom' | 'spread_x' | 'spread_y';

/** Brings nodes into a line, or the gaps between them to one width. */
export function align(document: CanvasDocument, kinds: Kinds, ids: readonly string[], how: Alignment): CanvasDocument {
  const box = bounds(document, kinds, ids);
  const nodes = ids.filter((id) => nodeOf(document, id));
  if (!box || nodes.length < 2) return document;
  const height = (id: string) => heightOf(document, kinds, nodeOf(document, id));
  const spread = (axis: 'x' | 'y', size: (id: string) => number, room: number) => {
    const sorted = [...nodes].sort((a, b) => placeOf(document, a)[axis] - placeOf(document, b)[axis]);
    const gap = (room - sorted.reduce((sum, id) => sum + size(id), 0)) / (sorted.length - 1);
    let at = box[axis];
    const to = new Map<string, number>();
    for (const id of sorted) {
      to.set(id, Math.round(at));
      at += size(id) + gap;
    }
    return to;
  };
  const xs = how === 'spread_x' ? spread('x', () => CARD_WIDTH, box.width) : null;
  const ys = how === 'spread_y' ? spread('y', height, box.height) : null;
  return place(document, nodes, (placed, id) => {
    switch (how) {
      case 'left':
      case 'centre':
      case 'right':
        return { ...placed, x: Math.round(box.x + ((box.width - CARD_WIDTH) * { left: 0, centre: 1, right: 2 }[how]) / 2) };
      case 'top':
      case 'middle':
      case 'bottom':
        return { ...placed, y: Math.round(box.y + ((box.height - height(id)) * { top: 0, middle: 1, bottom: 2 }[how]) / 2) };
      case 'spread_x':
        return { ...placed, x: xs?.get(id) ?? placed.x };
      case 'spread_y':
        return { ...placed, y: ys?.get(id) ?? placed.y };
    }
  });
}

/** A piece of a document on the clipboard. `version`, `nodes` and `edges` alone are a graph that runs. */
export interface Clip {
  version: number;
  nodes: readonly GraphNode[];
  edges: readonly Wire[];
  places?: Readonly<Record<string, Placed>>;
  groups?: readonly Group[];
  comments?: readonly Comment[];
}

export function clipOf(document: CanvasDocument, ids: readonly string[]): Clip {
  const chosen = new Set(ids);
  return {
    version: GRAPH_VERSION,
    nodes: document.graph.nodes.filter((node) => chosen.has(node.id)),
    edges: document.graph.edges.filter((edge) => chosen.has(edge.from) && chosen.has(edge.to)),
    places: Object.fromEntries(Object.entries(document.places).filter(([id]) => chosen.has(id))),
    groups: document.groups.filter((group) => group.members.every((id) => chosen.has(id))),
    comments: document.comments.filter((comment) => chosen.has(comment.id)),
  };
}

/** A clip of a text, or `null` if it is none. A graph document of the command line is one, too. */
export function readClip(text: string, kinds: Kinds): Clip | null {
  try {
    const found = JSON.parse(text) as Partial<Clip> & { graph?: Clip };
    const clip = found.graph ? { ...found, ...found.graph } : found;
    const { nodes, edges } = clip;
    if (!Array.isArray(nodes) || !Array.isArray(edges)) return null;
    const fit = nodes.every((node) => typeof node?.id === 'string' && typeof node?.op === 'string' && kinds.has(node.op));
    if (!fit || (nodes.length === 0 && !clip.comments?.length)) return null;
    return { ...clip, version: GRAPH_VERSION, nodes, edges: namedWires(nodes, edges as Wire[], kinds) };
  } catch {
    return null;
  }
}

/** Puts a clip in with fresh ids, its left upper corner at `at`; gives the ids of what is new. */
export function paste(document: CanvasDocument, clip: Clip, at: Point): [CanvasDocument, string[]] {
  const taken = new Set(allIds(document));
  const names = new Map<string, string>();
  const rename = (id: string, stem: string) => {
    const fresh = freshId(taken, stem);
    taken.add(fresh);
    names.set(id, fresh);
    return fresh;
  };
  const nodes = clip.nodes.map((node) => ({ ...node, id: rename(node.id, node.op) }));
  const comments = (clip.comments ?? []).map((comment) => ({ ...comment, id: rename(comment.id, 'comment') }));
  const old = new Map([...names].map(([before, after]) => [after, before]));
  const spot = (id: string, index: number): Placed =>
    clip.places?.[old.get(id) ?? ''] ?? { x: index * (CARD_WIDTH + 72), y: 0 };
  const points = [...nodes.map((node, index) => spot(node.id, index)), ...comments];
  const left = Math.min(...points.map(({ x }) => x));
  const top = Math.min(...points.map(({ y }) => y));
  const shift = ({ x, y }: Point) => ({ x: onGrid(x - left + at.x), y: onGrid(y - top + at.y) });
  const renamed = (id: string) => names.get(id) ?? id;
  const places = { ...document.places };
  nodes.forEach((node, index) => {
    const placed = spot(node.id, index);
    places[node.id] = { ...placed, ...shift(placed) };
  });
  const edges = clip.edges
    .filter((edge) => names.has(edge.from) && names.has(edge.to))
    .map((edge) => ({ ...edge, from: renamed(edge.from), to: renamed(edge.to) }));
  const groups = (clip.groups ?? []).map((group) => ({
    ...group,
    id: rename(group.id, 'group'),
    members: group.members.map(renamed),
  }));
  return [
    {
      ...document,
      graph: {
        ...document.graph,
        nodes: [...document.graph.nodes, ...nodes],
        edges: [...document.graph.edges, ...edges],
      },
      places,
      groups: [...document.groups, ...groups],
      comments: [...document.comments, ...comments.map((comment) => ({ ...comment, ...shift(comment) }))],
    },
    [...nodes.map((node) => node.id), ...comments.map((comment) => comment.id)],
  ];
}

/** Kinds with a port that the loose end of a wire fits on, with that port. */
export function fitting(kinds: Kinds, side: 'inputs' | 'outputs', flows: PortKind): [NodeKind, string][] {
  return [...kinds.values()].flatMap((kind): [NodeKind, string][] => {
    const port = kind[side].find((port) => port.kind === flows);
    return port ? [[kind, port.name]] : [];
  });
}
