/** What is said about nodes and wires in short. */
import type { NodeKind } from '../../ipc/bindings/NodeKind';
import { t } from '../../i18n/index.svelte';
import { fileName } from '../facts';
import type { GraphNode, RunWish } from './document';
import type { Refusal } from './edits';
import { fieldsOf, PIXEL_FORMATS, textOf, type Field } from './form';
import { choiceName, kindName, unitName } from './names';

/** Why a wire cannot be put there, with what can be done. */
export function refusalText(refusal: Refusal): string {
  switch (refusal.why) {
    case 'kind':
      return t('canvas.refused.kind', { gives: kindName(refusal.gives), takes: kindName(refusal.takes) });
    case 'circle':
      return t('canvas.refused.circle');
    case 'same':
      return t('canvas.refused.same');
    case 'twice':
      return t('canvas.refused.twice');
    case 'gone':
      return t('canvas.refused.gone');
  }
}

function shown(field: Field, value: unknown): string {
  const { editor, unit } = field;
  const text = textOf(editor, value);
  switch (editor.kind) {
    case 'choice':
      return choiceName(field.name, value as string | number);
    case 'file':
      return fileName(text);
    case 'lines':
      return `“${text.replace(/\s+/g, ' ')}”`;
    case 'pixel_format':
      return PIXEL_FORMATS.find(([, format]) => JSON.stringify(format) === text)?.[0] ?? '';
    default:
      return unit === null || unit === 'part' ? text : `${text} ${unitName(unit)}`;
  }
}

/** What is set in a node, on one line. */
export function summaryOf(node: GraphNode, kind: NodeKind | undefined, run: RunWish): string {
  const params = node.params ?? {};
  if (node.op === 'source') return fileName(run.inputs[String(params['name'] ?? 'main')] ?? '');
  if (node.op === 'sink') return fileName(run.output ?? '');
  if (!kind) return '';
  const parts: string[] = [];
  const { width, height } = params;
  const sized = typeof width === 'number' && typeof height === 'number';
  if (sized) parts.push(`${width} × ${height}`);
  for (const field of fieldsOf(kind)) {
    const value = params[field.name];
    if (value === undefined || value === null || (sized && (field.name === 'width' || field.name === 'height'))) continue;
    parts.push(shown(field, value));
  }
  return parts.slice(0, 3).join(' · ');
}
