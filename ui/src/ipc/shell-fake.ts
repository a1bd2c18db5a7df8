/** `ShellIpc` without a program behind it. */
import type { Kept } from './bindings/Kept';
import type { ModelEntry } from './bindings/ModelEntry';
import type { ModelSpeed } from './bindings/ModelSpeed';
import type { Opened } from './bindings/Opened';
import type { ShellIpc } from './shell';

const CARD = `# Loom x2

Doubles clean video and pictures: a small network, made for speed on a processor.

| | |
|---|---|
| network | eleven convolutions with **16 channels** |
| input | luma, any size of at least 16 x 16 |

<!-- figures -->

| input | method | Set5 |
|---|---|---|
| clean | bicubic | 33.67 / 0.9303 |
| clean | loom-x2 | 37.23 / 0.9579 |

## Limits

- It sharpens what it gets: compression artefacts too.
- Use \`loom-x2-web\` for compressed sources.
`;

/** What a test needs to look behind the fake. */
export interface ShellFake extends ShellIpc {
  /** Files or projects are handed over from outside. */
  handOver(opened: Opened): void;
  /** A command is chosen in a menu of the system. */
  choose(id: string): void;
}

export function fakeShell(calls: string[], models: readonly ModelEntry[]): ShellFake {
  let opened: (opened: Opened) => void = () => {};
  let chosen: (id: string) => void = () => {};
  const speeds: Record<string, ModelSpeed> = {};
  let kept: Kept[] = [
    { kind: 'previews', path: null, size_bytes: 41_200_000, clearable_bytes: 41_200_000, can_be_cleared: true },
    { kind: 'samples', path: '/home/mai/.local/share/frameloom/samples', size_bytes: 318_000_000, clearable_bytes: 318_000_000, can_be_cleared: true },
    { kind: 'logs', path: '/home/mai/.local/share/frameloom/logs', size_bytes: 2_400_000, clearable_bytes: 2_400_000, can_be_cleared: true },
    { kind: 'pasted', path: '/home/mai/.local/share/frameloom/pasted', size_bytes: 9_600_000, clearable_bytes: 6_100_000, can_be_cleared: true },
    { kind: 'projects', path: '/home/mai/.local/share/frameloom/projects', size_bytes: 1_300_000, clearable_bytes: 0, can_be_cleared: false },
    { kind: 'parts', path: '/home/mai/.local/share/frameloom/jobs', size_bytes: 5_730_000_000, clearable_bytes: 0, can_be_cleared: false },
    { kind: 'models', path: '/home/mai/.local/share/frameloom/models', size_bytes: 214_000, clearable_bytes: 0, can_be_cleared: false },
    { kind: 'database', path: '/home/mai/.local/share/frameloom', size_bytes: 18_900_000, clearable_bytes: 0, can_be_cleared: false },
  ];
  const found = (id: string): ModelEntry => {
    const model = models.find((entry) => entry.id === id);
    if (!model) throw { code: 'model_not_found', message: 'There is no such model.', hint: null, details: null };
    return model;
  };
  return {
    handOver: (what) => opened(what),
    choose: (id) => chosen(id),
    onOpened: async (handler) => {
      opened = handler;
      return () => {};
    },
    setMenus: async (groups, words) => {
      calls.push(`menus ${groups.map((group) => group.title).join(' ')} | ${words.show}`);
    },
    onCommandChosen: async (handler) => {
      chosen = handler;
      return () => {};
    },
    errorDetails: async (error) =>
      [
        'Frameloom 0.1.0, Linux (Debian GNU/Linux 12), x86_64',
        `${error.code}: ${error.message}`,
        error.details,
        '',
        'Last lines of the log, without paths and names:',
        '2026-11-22T18:04:11.204417Z  INFO ONNX Runtime loaded version=1.31.1 library=[path]',
        '2026-11-22T18:04:19.870012Z  WARN a worker ended job=01KAF7 what="it was killed" again=true',
      ]
        .filter((line) => line !== null)
        .join('\n'),
    about: async () => ({ version: '0.1.0' }),
    kept: async () => kept,
    clearKept: async (kind) => {
      calls.push(`clear ${kind}`);
      kept = kept.map((entry) => (entry.kind === kind ? { ...entry, size_bytes: entry.size_bytes - entry.clearable_bytes, clearable_bytes: 0 } : entry));
    },
    revealKept: async (kind) => {
      calls.push(`reveal ${kind}`);
    },
    modelCard: async (id) => (found(id), CARD),
    verifyModel: async (id) => {
      calls.push(`verify ${id}`);
      return found(id);
    },
    repairModels: async () => {
      calls.push('repair models');
      return [...models];
    },
    modelSpeeds: async () => speeds,
    measureModel: async (id) => {
      calls.push(`measure ${id}`);
      const speed = { fps: 41.3, size: [640, 360] as [number, number], memory_bytes: 148_000_000, provider: 'CPUExecutionProvider', at_millis: Date.UTC(2026, 10, 22, 18) };
      speeds[found(id).id] = speed;
      return speed;
    },
    revealModel: async (id) => {
      calls.push(`reveal ${id}`);
    },
  };
}
