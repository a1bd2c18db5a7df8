/** What a verification found, in the language of the window. */
import { hasMessage, language, t } from '../../i18n/index.svelte';
import { errorTitle } from '../../i18n/errors';
import { moment } from '../../i18n/numbers';
import type { Remark } from '../../ipc/bindings/Remark';
import type { Subject } from '../../ipc/bindings/Subject';
import { nodeOf, type CanvasDocument } from '../../state/canvas/document';
import { choiceName, nodeName, opName, paramName } from '../../state/canvas/names';

/** Programs are called what they are called everywhere. */
const PROGRAMS: Readonly<Record<string, string>> = { frameloom: 'Frameloom', onnxruntime: 'ONNX Runtime' };

export function subjectName(subject: Subject): string {
  switch (subject.is) {
    case 'input':
    case 'file':
      return t(`project.what.${subject.is}`, { name: subject.name });
    case 'model':
      return t('project.what.model', { name: subject.id });
    case 'frame':
      return t('project.what.frame', { name: moment(subject.at_micros) });
    case 'program':
      return PROGRAMS[subject.name] ?? subject.name;
    default:
      return t(`project.what.${subject.is}`);
  }
}

/** A remark as a sentence. Nodes have the names that they have in `document`. */
export function remarkText(remark: Remark, document: CanvasDocument): string {
  const value = (text: string | null) => text ?? t('project.found.nothing');
  /** A value of a parameter or setting, as its form shows it. */
  const choice = (name: string, text: string | null) => {
    if (text === null) return value(null);
    const key = `${name}.${text}`;
    return name === 'quality' && hasMessage(key) ? t(key as 'quality.good') : choiceName(name, text);
  };
  const values = ({ then, now }: { then: string | null; now: string | null }) => ({ then: value(then), now: value(now) });
  const size = ([width, height]: [number, number]) => `${width} × ${height}`;
  const node = (id: string) => {
    const found = nodeOf(document, id);
    return found ? nodeName(document, found) : id;
  };
  switch (remark.code) {
    case 'same_value':
      return remark.value;
    case 'changed':
      return t('project.found.changed', values(remark));
    case 'other_file':
    case 'file_gone':
      return t(`project.found.${remark.code}`, { name: remark.name });
    case 'unusable':
    case 'unrenderable':
    case 'not_rendered':
      return t(`project.found.${remark.code}`, { why: errorTitle(remark.error) });
    case 'moved':
      return t('project.found.moved', { at: moment(remark.at_micros) });
    case 'source_size':
    case 'result_size':
      return t(`project.found.${remark.code}`, { then: size(remark.then), now: size(remark.now) });
    case 'frame_count': {
      const count = (frames: number | null) => (frames === null ? t('project.found.unknown') : new Intl.NumberFormat(language()).format(frames));
      return t('project.found.frame_count', { then: count(remark.then), now: count(remark.now) });
    }
    case 'encoder':
      return t('project.found.encoder', values(remark));
    case 'node_gone':
    case 'node_new':
      return t(`project.found.${remark.code}`, { node: node(remark.node) });
    case 'node_kind':
      return t('project.found.node_kind', { node: node(remark.node), then: opName(remark.then), now: opName(remark.now) });
    case 'parameter': {
      const op = nodeOf(document, remark.node)?.op ?? '';
      return t('project.found.parameter', { node: node(remark.node), name: paramName(op, remark.name), then: choice(remark.name, remark.then), now: choice(remark.name, remark.now) });
    }
    case 'setting': {
      const key = `project.setting.${remark.name}`;
      return t('project.found.setting', { name: hasMessage(key) ? t(key as 'project.setting.output') : remark.name, then: choice(remark.name, remark.then), now: choice(remark.name, remark.now) });
    }
    case 'same':
    case 'added':
    case 'taken_out':
    case 'other_weights':
    case 'not_installed':
    case 'other_picture':
    case 'not_made':
    case 'segments':
    case 'wires':
      return t(`project.found.${remark.code}`);
  }
}
