/** `CanvasIpc` without a program: the real list of kinds, documents in memory, and the faults that tests need. */
import type { CanvasEntry } from './bindings/CanvasEntry';
import type { Fault } from './bindings/Fault';
import type { Job } from './bindings/Job';
import type { NodeKind } from './bindings/NodeKind';
import type { UpscaleRequest } from './bindings/UpscaleRequest';
import type { CanvasIpc } from './canvas';
import kindList from './canvas-kinds.json';
import { SOUND_FILE } from './home-fake';

interface Told {
  calls: string[];
  /** Submits an enlargement, as which every job is shown. */
  submit(request: UpscaleRequest): Promise<Job>;
  jobs(): Promise<Job[]>;
  /** An address of the picture that a view named. */
  paint(key: string): string;
}

interface Saved {
  name: string;
  document: unknown;
  changed_millis: number;
  versions: { saved_millis: number; document: unknown }[];
}

interface Drawn {
  nodes: { id: string; op: string; params?: Record<string, unknown> }[];
  edges: { from: string; from_port: string; to: string; to_port: string }[];
}

const kinds = kindList as unknown as NodeKind[];
const nodesOf = (document: unknown) => (document as { graph: Drawn }).graph.nodes.length;

/** The faults that the program finds, as far as the tests of the window draw them. */
export function fakeFaults(graph: Drawn): Fault[] {
  const faults: Fault[] = [];
  const add = (fault: Partial<Fault> & Pick<Fault, 'kind' | 'message'>) =>
    faults.push({ node: null, side: null, port: null, param: null, wire: null, ...fault });
  for (const { id, op, params } of graph.nodes) {
    const kind = kinds.find((kind) => kind.op === op);
    const schema = kind?.params as { properties: Record<string, { minimum?: number; maximum?: number }>; required: string[] };
    for (const param of schema.required) {
      if (params?.[param] === undefined) {
        add({ kind: 'param_missing', node: id, param, message: `the parameter \`${param}\` is missing` });
      }
    }
    for (const [param, value] of Object.entries(params ?? {})) {
      const { minimum, maximum } = schema.properties[param] ?? {};
      if (typeof value === 'number' && (value < (minimum ?? -Infinity) || value > (maximum ?? Infinity))) {
        add({ kind: 'param', node: id, param, message: `\`${param}\` must be a number from ${minimum} to ${maximum}` });
      }
    }
    for (const [side, end] of [['input', 'to'], ['output', 'from']] as const) {
      const ports = side === 'input' ? kind?.inputs : kind?.outputs;
      const wired = (name: string) => graph.edges.some((edge) => edge[end] === id && edge[`${end}_port`] === name);
      const open = (ports ?? []).filter((port) => !port.optional && !wired(port.name));
      const first = ports?.[0];
      if (open.length === 0 && first && !ports?.some((port) => wired(port.name))) open.push(first);
      for (const port of open) {
        add({
          kind: side === 'input' ? 'input_open' : 'output_open',
          node: id,
          side,
          port: port.name,
          message: `the ${side} \`${port.name}\` of \`${id}\` is not connected; add a wire, or remove the node`,
        });
      }
    }
  }
  if (!graph.nodes.some((node) => node.op === 'sink')) {
    add({ kind: 'no_sink', message: 'a graph needs exactly one sink, and this one has 0' });
  }
  return faults;
}

export function canvasFake(told: Told): CanvasIpc {
  let viewing = 0;
  const saved = new Map<string, Saved>();
  const find = (id: string): Saved => {
    const found = saved.get(id);
    if (!found) throw { code: 'invalid_request', message: `There is no graph \`${id}\`.` };
    return found;
  };
  const entry = (id: string): CanvasEntry => {
    const { name, document, changed_millis } = find(id);
    return { id, name, nodes: nodesOf(document), changed_millis };
  };
  const specOf = (request: UpscaleRequest): Job['spec'] => ({
    version: 1,
    input: request.input,
    output: request.output ?? request.input.replace(/(\.\w+)$/, '_2x$1'),
    overwrite: false,
    graph: {
      version: 2,
      nodes: [
        { id: 'n0', op: 'source', params: {} },
        { id: 'n1', op: 'upscale', params: { model: request.model ?? 'loom-x2-web' } },
        { id: 'n2', op: 'sink' },
      ],
      edges: [
        { from: 'n0', to: 'n1' },
        { from: 'n1', to: 'n2' },
      ],
    },
    encode: { codec: request.codec, quality: request.quality, drop: [] },
    device: 'auto',
    compute: { precision: 'exact', deterministic: false, threads: null, priority: 'normal' },
    upright: true,
    sample: false,
  });
  return {
    nodeKinds: async () => structuredClone(kinds),
    checkGraph: async (graph) => fakeFaults(graph as Drawn),
    canvasGraphs: async () =>
      [...saved.keys()].map(entry).sort((a, b) => b.changed_millis - a.changed_millis),
    canvasGraph: async (id) => ({ id, ...structuredClone(find(id)) }),
    saveCanvas: async ({ id: given, name, document, keep }) => {
      const id = given ?? `graph-${saved.size + 1}`;
      const before = saved.get(id);
      const versions = before?.versions ?? [];
      if (before && (keep || versions.length === 0)) {
        versions.unshift({ saved_millis: before.changed_millis, document: before.document });
      }
      saved.set(id, { name, document: structuredClone(document), changed_millis: Date.now(), versions });
      told.calls.push(`saveCanvas ${id} ${nodesOf(document)}`);
      return entry(id);
    },
    removeCanvas: async (id) => {
      find(id);
      saved.delete(id);
    },
    canvasVersions: async (id) =>
      find(id).versions.map(({ saved_millis, document }) => ({ saved_millis, nodes: nodesOf(document) })),
    canvasVersion: async (id, at) => structuredClone(find(id).versions.find((version) => version.saved_millis === at)?.document),
    upscaleAsGraph: async (request) => specOf(request),
    jobAsGraph: async (id) => {
      const job = (await told.jobs()).find((job) => job.id === id);
      if (!job) throw { code: 'job_not_found', message: 'no such job' };
      return job.spec;
    },
    planGraph: async (request) => {
      for (const [name, path] of Object.entries(request.inputs)) {
        if (path.includes('missing')) throw { code: 'input_not_found', message: `The file of \`${name}\` is not there.` };
      }
      return {
        output: request.output,
        ...(SOUND_FILE.test(request.output)
          ? { sizes: null, length_micros: 62_000_000 }
          : { sizes: { input: [640, 360] as [number, number], output: [1280, 720] as [number, number] }, length_micros: null }),
        steps: request.graph.nodes.map((node) => node.id),
        about_micros: 95_000_000,
        encoder: SOUND_FILE.test(request.output) ? 'aac' : 'libx264',
        warnings: [],
      };
    },
    submitGraph: async (request) => {
      told.calls.push(`submitGraph ${JSON.stringify({ graph: request.graph, inputs: request.inputs, output: request.output })}`);
      return told.submit({
        ...{ preset: 'enlarge', format: null, input: Object.values(request.inputs)[0] ?? '', output: null, model: null, scale: null, codec: request.codec },
        ...{ quality: request.quality, device: request.device, compute: request.compute, name_template: null, counter: null },
        ...{ overwrite: false, drop: [], deinterlace: 'auto', below: '', span: null, sample: false },
      });
    },
    viewNode: async (request) => {
      const { graph, inputs } = request.run;
      const name = graph.nodes.map(({ op }) => op).filter((op) => op !== 'source' && op !== 'sink').join('>');
      told.calls.push(`viewNode ${name} ${request.at_micros}`);
      const mine = ++viewing;
      await new Promise((resolve) => setTimeout(resolve, 60));
      if (mine !== viewing) throw { code: 'cancelled', message: 'A newer picture was asked for.' };
      const path = Object.values(inputs)[0] ?? '';
      if (path.includes('crash')) {
        throw { code: 'worker_crashed', message: 'The process that makes this picture crashed (signal 11), as a faulty driver or codec makes it.' };
      }
      const trim = graph.nodes.find((node) => node.op === 'trim');
      const start = trim?.op === 'trim' ? trim.params.start : null;
      const from = start ? (1_000_000 * start.num) / start.den : 0;
      if (request.at_micros < from) return { kind: 'outside', from_micros: from, to_micros: null };
      const sized = graph.nodes.filter((node) => node.op === 'resize').at(-1);
      const size: [number, number] = sized?.op === 'resize' ? [sized.params.width, sized.params.height] : [640, 360];
      const partial = graph.nodes.some((node) => node.op === 'upscale');
      const key = JSON.stringify({ path, size, at: request.at_micros, name });
      return { kind: 'picture', key, size, at_micros: request.at_micros, partial, place: partial ? { left: 0.3, top: 0.2, right: 0.7, bottom: 0.8 } : null };
    },
    stopViewing: async () => {
      viewing += 1;
    },
    nodeUrl: (key) => told.paint(key),
    chooseFile: async (_title, extensions) =>
      extensions.includes('onnx') ? '/home/mai/Tải xuống/anime-x2.onnx' : '/home/mai/Phim/ngõ nhỏ Hà Nội.mp4',
    chooseSave: async (_title, suggested) => suggested ?? '/home/mai/Phim/kết quả.mp4',
  };
}
