/** Cards whose settings are parameters of one node: their forms are those of the canvas. */
import type { Job } from '../ipc/bindings/Job';
import type { InterpolateParams } from '../ipc/bindings/InterpolateParams';
import type { PresetId } from '../ipc/bindings/PresetId';
import type { RedactWish } from '../ipc/bindings/RedactWish';
import type { StabiliseParams } from '../ipc/bindings/StabiliseParams';
import type { Task } from '../ipc/bindings/Task';
import type { UpscaleRequest } from '../ipc/bindings/UpscaleRequest';

/** Parameters that somebody gave a value; the others are as usual. */
export type Values = Record<string, unknown>;

export interface Tuned {
  /** The node. */
  op: string;
  /** Parameters that are seen at once. */
  first: readonly string[];
  /** Those that unfold. */
  more: readonly string[];
}

export const TUNED: Partial<Record<PresetId, Tuned>> = {
  cutout: { op: 'background', first: [], more: ['model', 'smooth', 'spill'] },
  defocus: { op: 'background', first: ['blur'], more: ['model', 'smooth', 'spill'] },
  backdrop: { op: 'background', first: ['color'], more: ['model', 'smooth', 'spill'] },
  redact: { op: 'redact', first: ['cover', 'color'], more: ['model', 'search', 'threshold', 'grow', 'areas', 'spare'] },
  steady: { op: 'stabilise', first: ['border'], more: ['smooth', 'zoom'] },
  smooth: { op: 'interpolate', first: ['times', 'slow'], more: ['model', 'rate', 'sound'] },
  reframe: { op: 'reframe', first: ['shape'], more: ['model', 'smooth', 'keys'] },
  light: { op: 'light', first: ['strength'], more: ['model', 'highlights', 'smooth'] },
  style: { op: 'style', first: ['model', 'strength'], more: ['size', 'colors', 'smooth'] },
  depth: { op: 'depth', first: ['show', 'blur'], more: ['model', 'focus', 'side', 'colors', 'smooth'] },
};

/** What the models do that cards with a form of their own let one choose. */
export const HEARING: Partial<Record<PresetId, Task>> = { silence: 'voice_activity', voice: 'speech_cleaning' };

/** Parameters of a card that mean nothing with these values. */
export function idle(preset: PresetId, values: Values): readonly string[] {
  switch (preset) {
    case 'backdrop':
      return values['behind'] ? ['color'] : [];
    case 'redact':
      return [...(values['cover'] === 'fill' ? [] : ['color']), ...(values['what'] === 'areas' ? ['model', 'search', 'threshold', 'grow', 'spare'] : [])];
    case 'steady':
      return values['border'] === 'mirror' ? ['zoom'] : [];
    case 'smooth':
      return values['slow'] ? [] : ['sound'];
    case 'depth':
      return values['show'] === 'map' ? ['blur', 'focus', 'side'] : ['colors'];
    default:
      return [];
  }
}

/** What a request says of the values of a card; of sound, only where the file has some. */
export function wishOf(preset: PresetId, values: Values, hasSound = true): Partial<UpscaleRequest> {
  const tuned = TUNED[preset];
  const number = (name: string) => (typeof values[name] === 'number' ? values[name] : null);
  const text = (name: string) => (typeof values[name] === 'string' && values[name] !== '' ? values[name] : null);
  if (tuned === undefined) return HEARING[preset] === undefined ? {} : { model: text('model') };
  /** A choice of the schema: the program reads it anew. */
  const choice = <T extends string>(name: string) => text(name) as T | null;
  const model = tuned.first.includes('model') || tuned.more.includes('model') ? { model: text('model') } : {};
  switch (tuned.op) {
    case 'background':
      return {
        ...model,
        background: { mode: null, blur: number('blur'), color: text('color'), behind: text('behind'), spill: number('spill'), smooth: number('smooth') },
      };
    case 'redact':
      return {
        ...model,
        redact: {
          what: choice<RedactWish['what']>('what') ?? 'faces',
          cover: choice('cover'),
          color: text('color'),
          threshold: number('threshold'),
          grow: number('grow'),
          search: choice('search'),
          areas: text('areas'),
          spare: text('spare'),
          // Who stays visible is of one file: its draft says it.
          keep: null,
          keep_from_micros: null,
          mute: hasSound ? text('mute') : null,
          beep: hasSound ? text('beep') : null,
          keep_metadata: values['keep_metadata'] === true,
        },
      };
    case 'reframe':
      return { ...model, reframe: { shape: choice('shape'), smooth: number('smooth'), keys: text('keys'), motion_only: false } };
    case 'stabilise': {
      // What is left out is as usual.
      const stabilise = picked(values, ['border', 'smooth', 'zoom']) as unknown as StabiliseParams;
      return { motion: { stabilise, interpolate: null } };
    }
    case 'interpolate': {
      const given = picked(values, ['model', 'slow', 'sound']) as Partial<InterpolateParams>;
      const interpolate: InterpolateParams = { times: number('times'), rate: (values['rate'] ?? null) as InterpolateParams['rate'], ...given };
      return { motion: { stabilise: null, interpolate } };
    }
    default:
      return {
        ...model,
        look: {
          strength: number('strength'),
          highlights: number('highlights'),
          size: number('size'),
          style_colors: preset === 'style' ? choice('colors') : null,
          show: choice('show'),
          depth_colors: preset === 'depth' ? choice('colors') : null,
          focus: number('focus'),
          blur: number('blur'),
          side: choice('side'),
          smooth: number('smooth'),
        },
      };
  }
}

/** What a job was made with, for the card that it is most like. */
export function valuesOf(job: Job, preset: PresetId): Values {
  const tuned = TUNED[preset];
  if (preset === 'silence') {
    const heard = job.spec.graph.nodes.flatMap((node) => (node.op === 'cut' ? (node.params.heard_by ?? []) : []));
    return picked({ model: heard[0] }, ['model']);
  }
  const node = tuned && job.spec.graph.nodes.find(({ op }) => op === tuned.op);
  if (!node || !('params' in node)) return {};
  return picked(node.params as Values, [...tuned.first, ...tuned.more]);
}

function picked(values: Values, names: readonly string[]): Values {
  const given = names.filter((name) => values[name] !== undefined && values[name] !== null);
  return Object.fromEntries(given.map((name) => [name, values[name]]));
}
