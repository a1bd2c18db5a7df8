import { describe, expect, it } from 'vitest';
import { LANGUAGES, MESSAGES } from '../../i18n/index.svelte';
import type { NodeKind } from '../../ipc/bindings/NodeKind';
import kindList from '../../ipc/canvas-kinds.json';
import { fieldsOf, textOf, valueOf, type Editor } from './form';
import { History } from './history.svelte';

const kinds = kindList as unknown as NodeKind[];

describe.each(LANGUAGES)('in %s', (language) => {
  const messages = MESSAGES[language] as Record<string, unknown>;

  it('every node, port, parameter, choice and unit of the program has its words', () => {
    const missing: string[] = [];
    const need = (...keys: string[]) => {
      if (!keys.some((key) => key in messages)) missing.push(keys[0] ?? '');
    };
    for (const kind of kinds) {
      need(`op.${kind.op}`);
      need(`op.${kind.op}.about`);
      for (const port of [...kind.inputs, ...kind.outputs]) need(`port.${port.name}`);
      for (const { name, editor, unit } of fieldsOf(kind)) {
        need(`param.${kind.op}.${name}`, `param.${name}`);
        need(`help.${kind.op}.${name}`, `help.${name}`);
        if (unit !== null) need(`unit.${unit}`);
        if (editor.kind === 'choice') for (const choice of editor.choices) need(`choice.${name}.${choice}`, `choice.${choice}`);
      }
    }
    expect(missing).toEqual([]);
  });
});

describe('what is typed', () => {
  const whole: Editor = { kind: 'integer', min: 1, max: 100 };
  const rate: Editor = { kind: 'fraction', min: 1, max: 1000 };

  it('is a number with either sign for the point, within its limits', () => {
    expect(valueOf({ kind: 'number', min: -10, max: 10 }, '−1,5')).toEqual({ value: -1.5 });
    expect(valueOf(whole, '7')).toEqual({ value: 7 });
    expect(valueOf(whole, '7.5')).toEqual({ wrong: 'whole' });
    expect(valueOf(whole, '101')).toEqual({ wrong: 'range' });
    expect(valueOf(whole, '1e9')).toEqual({ wrong: 'number' });
    expect(valueOf(whole, ' ')).toEqual({ value: undefined });
  });

  it('is an exact fraction in lowest terms', () => {
    expect(valueOf(rate, '25')).toEqual({ value: { num: 25, den: 1 } });
    expect(valueOf(rate, '29,97')).toEqual({ value: { num: 2997, den: 100 } });
    expect(valueOf(rate, '30000/1001')).toEqual({ value: { num: 30000, den: 1001 } });
    expect(valueOf({ kind: 'fraction', min: 0, max: 9 }, '0')).toEqual({ value: { num: 0, den: 1 } });
    expect(valueOf(rate, '1/0')).toEqual({ wrong: 'number' });
    expect(textOf(rate, { num: 30000, den: 1001 })).toBe('30000/1001');
    expect(textOf(rate, { num: 2997, den: 100 })).toBe('29.97');
  });
});

describe('the history', () => {
  it('goes back over every change and forth again, and typing on is one change', () => {
    let now = 0;
    const history = new History('a', () => now);
    history.apply('ab', 'text');
    now += 500;
    history.apply('abc', 'text');
    now += 5000;
    history.apply('abcd', 'text');
    history.apply('x');
    history.undo();
    expect(history.current).toBe('abcd');
    history.undo();
    expect(history.current).toBe('abc');
    history.undo();
    expect([history.current, history.canUndo]).toEqual(['a', false]);
    history.redo();
    history.redo();
    expect(history.current).toBe('abcd');
    history.apply('y');
    expect(history.canRedo).toBe(false);
  });

  it('has no limit', () => {
    const history = new History(0);
    for (let change = 1; change <= 5000; change += 1) history.apply(change);
    for (let change = 0; change < 5000; change += 1) history.undo();
    expect(history.current).toBe(0);
  });
});
