/** What the canvas calls things, in the language of the window. */
import type { Fault } from '../../ipc/bindings/Fault';
import type { PlainKey } from '../../i18n/dictionary';
import { hasMessage, t } from '../../i18n/index.svelte';
import { nodeOf, placeOf, type CanvasDocument, type GraphNode, type Kinds } from './document';
import { fieldsOf, type Editor, type Field } from './form';

/** The first of the keys that has a message. */
function first(keys: readonly string[], otherwise: string): string {
  const key = keys.find(hasMessage);
  return key === undefined ? otherwise : t(key as PlainKey);
}

export const opName = (op: string) => first([`op.${op}`], op);
export const opAbout = (op: string, otherwise = '') => first([`op.${op}.about`], otherwise);
export const portName = (port: string) => first([`port.${port}`], port);
export const kindName = (kind: string) => first([`flow.${kind}`], kind);
/** A port with what flows through it, said once where both have one name. */
export function portLabel(side: 'input' | 'output', port: { name: string; kind: string }): string {
  const [name, kind] = [portName(port.name), kindName(port.kind)];
  return name === kind ? t(`canvas.port.${side}.plain`, { port: name }) : t(`canvas.port.${side}`, { port: name, kind });
}

export const paramName = (op: string, param: string) => first([`param.${op}.${param}`, `param.${param}`], param);
export const paramAbout = (op: string, { name, about }: Field) => first([`help.${op}.${name}`, `help.${name}`], about);
export const choiceName = (param: string, choice: string | number) => first([`choice.${param}.${choice}`, `choice.${choice}`], String(choice));
export const unitName = (unit: string | null) => (unit === null ? '' : first([`unit.${unit}`], unit));

/** The user's name for a node, or what it does. Nodes of one kind are told apart by their number. */
export function nodeName(document: CanvasDocument, node: GraphNode): string {
  const own = placeOf(document, node.id).title;
  if (own) return own;
  const name = opName(node.op);
  if (node.op === 'source' && node.params?.['name']) return `${name}: ${String(node.params['name'])}`;
  const alike = document.graph.nodes.filter((other) => other.op === node.op);
  return alike.length > 1 ? `${name} ${alike.findIndex((other) => other.id === node.id) + 1}` : name;
}

/** What a field takes, in words. */
export function wanted(editor: Editor): string {
  switch (editor.kind) {
    case 'integer':
      return t('canvas.wanted.whole', { min: editor.min, max: editor.max });
    case 'number':
    case 'fraction':
      return t('canvas.wanted.number', { min: editor.min, max: editor.max });
    default:
      return t('canvas.wanted.value');
  }
}

export interface FaultText {
  /** What is wrong. */
  says: string;
  /** What mends it; empty where the sentence says it. */
  remedy: string;
  /** The program's own words, in English, where they say more than `says`. */
  words: string | null;
}

/** A fault in words. */
export function faultText(fault: Fault, document: CanvasDocument, kinds: Kinds): FaultText {
  const node = fault.node === null ? undefined : nodeOf(document, fault.node);
  const op = node?.op ?? '';
  const kind = kinds.get(op);
  const port = fault.port === null ? '' : portName(fault.port);
  const param = fault.param === null ? '' : paramName(op, fault.param);
  const field = kind && fault.param !== null ? fieldsOf(kind).find(({ name }) => name === fault.param) : undefined;
  const own = { says: t('fault.other'), remedy: '', words: fault.message };
  const say = (says: string, remedy: string): FaultText => ({ says, remedy, words: null });
  switch (fault.kind) {
    case 'param':
      return field ? say(t('fault.param', { param }), t('fault.param.mend', { wanted: wanted(field.editor) })) : own;
    case 'param_missing':
      return say(t('fault.param_missing', { param }), t('fault.param_missing.mend'));
    case 'input_open':
      return say(t('fault.input_open', { port }), t('fault.input_open.mend'));
    case 'output_open':
      return say(t('fault.output_open', { port }), t('fault.output_open.mend'));
    case 'crowded':
      return say(t('fault.crowded', { port }), t('fault.crowded.mend'));
    case 'mismatch':
      return say(t('fault.mismatch', { port }), t('fault.mismatch.mend'));
    case 'wire':
      return say(t('fault.wire'), t('fault.wire.mend'));
    case 'circle':
      return say(t('fault.circle'), t('fault.circle.mend'));
    case 'off_path':
      return say(t('fault.off_path'), t('fault.off_path.mend'));
    case 'no_sink':
      return say(t('fault.no_sink'), t('fault.no_sink.mend'));
    case 'several_sinks':
      return say(t('fault.several_sinks'), t('fault.several_sinks.mend'));
    case 'too_many_steps':
      return say(t('fault.too_many_steps'), t('fault.too_many_steps.mend'));
    case 'duplicate_id':
      return say(t('fault.duplicate_id'), t('fault.duplicate_id.mend'));
    case 'unknown_op':
      return say(t('fault.unknown_op', { op }), t('fault.unknown_op.mend'));
    case 'node':
      return op === 'text' ? say(t('fault.text'), t('fault.text.mend')) : own;
    case 'document':
      return own;
  }
}
