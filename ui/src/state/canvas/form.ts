/** From the JSON Schema of a node's parameters to the fields of its form, and from what is typed to values. */
import type { NodeKind } from '../../ipc/bindings/NodeKind';

export type Editor =
  | { kind: 'integer' | 'number'; min: number; max: number }
  | { kind: 'choice'; choices: readonly (string | number)[] }
  | { kind: 'text' | 'lines' | 'color' | 'model' | 'pixel_format' }
  | { kind: 'file'; extensions: readonly string[] }
  | { kind: 'fraction'; min: number; max: number };

export interface Field {
  name: string;
  editor: Editor;
  required: boolean;
  /** Key of its unit in the messages. */
  unit: string | null;
  /** What holds where it is left out; `undefined`: nothing, or what the source decides. */
  fallback: unknown;
  /** English, of the program; shown where there is no message. */
  about: string;
}

interface Property {
  type?: string;
  enum?: (string | number)[];
  minimum?: number;
  maximum?: number;
  description?: string;
  default?: unknown;
  'x-editor'?: string;
  'x-order'?: number;
  'x-unit'?: string;
  'x-extensions'?: string[];
  'x-minimum'?: number;
  'x-maximum'?: number;
}

function editorOf(property: Property): Editor {
  const [min, max] = [property.minimum ?? -Infinity, property.maximum ?? Infinity];
  switch (property['x-editor']) {
    case 'file':
      return { kind: 'file', extensions: property['x-extensions'] ?? [] };
    case 'fraction':
      return { kind: 'fraction', min: property['x-minimum'] ?? 0, max: property['x-maximum'] ?? Infinity };
    case 'lines':
    case 'color':
    case 'model':
    case 'pixel_format':
      return { kind: property['x-editor'] };
  }
  if (property.enum) return { kind: 'choice', choices: property.enum };
  if (property.type === 'integer' || property.type === 'number') return { kind: property.type, min, max };
  return { kind: 'text' };
}

/** The fields of a node's form, in the order of the schema: what must be given first. */
export function fieldsOf(kind: NodeKind): Field[] {
  const schema = kind.params as { properties?: Record<string, Property>; required?: string[] };
  const required = new Set(schema.required ?? []);
  const order = ([, property]: [string, Property]) => property['x-order'] ?? 0;
  const properties = Object.entries(schema.properties ?? {}).sort((a, b) => order(a) - order(b));
  const fields = properties.map(([name, property]) => ({
    name,
    editor: editorOf(property),
    required: required.has(name),
    unit: property['x-unit'] ?? null,
    fallback: property.default,
    about: property.description ?? '',
  }));
  return fields.sort((a, b) => Number(b.required) - Number(a.required));
}

export type Typed = { value: unknown } | { wrong: 'number' | 'whole' | 'range' };

/** A number that was typed, with either sign for the fraction's point. */
function numberOf(text: string): number {
  const plain = text.trim().replace(',', '.').replace('−', '-');
  return /^[+-]?(\d+\.?\d*|\.\d+)$/.test(plain) ? Number(plain) : NaN;
}

/** A fraction of a text like `29.97`, `30000/1001` or `25`. */
function fractionOf(text: string): { num: number; den: number } | null {
  const [above = '', below, more] = text.split('/');
  if (more !== undefined) return null;
  if (below !== undefined) {
    const [num, den] = [numberOf(above), numberOf(below)];
    return Number.isInteger(num) && Number.isInteger(den) && den > 0 ? { num, den } : null;
  }
  const value = numberOf(above);
  if (Number.isNaN(value)) return null;
  const digits = /[.,](\d*)/.exec(above.trim())?.[1]?.length ?? 0;
  let den = 10 ** Math.min(digits, 6);
  let num = Math.round(value * den);
  for (let [a, b] = [Math.abs(num), den]; ; [a, b] = [b, a % b]) {
    if (b !== 0) continue;
    if (a > 1) [num, den] = [num / a, den / a];
    return { num, den };
  }
}

/** What a text means in a field; an empty one leaves the parameter out. */
export function valueOf(editor: Editor, text: string): Typed {
  if (text.trim() === '') return { value: undefined };
  switch (editor.kind) {
    case 'integer':
    case 'number': {
      const value = numberOf(text);
      if (Number.isNaN(value)) return { wrong: 'number' };
      if (editor.kind === 'integer' && !Number.isInteger(value)) return { wrong: 'whole' };
      return value < editor.min || value > editor.max ? { wrong: 'range' } : { value };
    }
    case 'fraction': {
      const value = fractionOf(text);
      if (!value) return { wrong: 'number' };
      const seconds = value.num / value.den;
      return seconds < editor.min || seconds > editor.max ? { wrong: 'range' } : { value };
    }
    case 'choice':
      return { value: editor.choices.find((choice) => String(choice) === text) };
    default:
      return { value: text };
  }
}

/** What stands in a field for a value. */
export function textOf(editor: Editor, value: unknown): string {
  if (value === undefined || value === null) return '';
  if (editor.kind === 'fraction') {
    const { num, den } = value as { num: number; den: number };
    const short = num / den;
    return den === 1 || Number(short.toFixed(6)) === short ? String(short) : `${num}/${den}`;
  }
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

const yuv = (shift_x: number, shift_y: number) => ({ yuv: { shift_x, shift_y } });

/** Pixel formats that a form offers, by the names that people in the trade use. */
export const PIXEL_FORMATS: readonly [string, unknown][] = [
  ...[8, 10, 12].flatMap((bits): [string, unknown][] => [
    [`YUV 4:2:0, ${bits} bit`, { planes: yuv(1, 1), bits, alpha: false }],
    [`YUV 4:2:2, ${bits} bit`, { planes: yuv(1, 0), bits, alpha: false }],
    [`YUV 4:4:4, ${bits} bit`, { planes: yuv(0, 0), bits, alpha: false }],
  ]),
  ...[8, 10, 12, 16].map((bits): [string, unknown] => [`RGB, ${bits} bit`, { planes: 'gbr', bits, alpha: false }]),
  ...[8, 16].map((bits): [string, unknown] => [`RGBA, ${bits} bit`, { planes: 'gbr', bits, alpha: true }]),
  ['YUVA 4:4:4, 10 bit', { planes: yuv(0, 0), bits: 10, alpha: true }],
  ...[8, 16].map((bits): [string, unknown] => [`Y, ${bits} bit`, { planes: 'gray', bits, alpha: false }]),
];
