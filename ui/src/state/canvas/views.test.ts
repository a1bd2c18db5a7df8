import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import kindList from '../../ipc/canvas-kinds.json';
import type { NodeKind } from '../../ipc/bindings/NodeKind';
import type { NodeView } from '../../ipc/bindings/NodeView';
import type { ViewRequest } from '../../ipc/bindings/ViewRequest';
import type { Ipc } from '../../ipc/ipc';
import { fakeFaults } from '../../ipc/canvas-fake';
import { Canvas } from './canvas.svelte';
import * as edits from './edits';
import { NodeViews } from './views.svelte';

const KINDS = kindList as unknown as NodeKind[];

/** A door that answers when it is told to. */
function door() {
  const asked: { at: number; ops: string[]; answer: (view: NodeView) => void; fail: (error: unknown) => void }[] = [];
  const stopped = vi.fn();
  const ipc = {
    nodeKinds: async () => KINDS,
    canvasGraphs: async () => [],
    checkGraph: async (graph: unknown) => fakeFaults(graph as Parameters<typeof fakeFaults>[0]),
    saveCanvas: async () => ({ id: 'g', name: 'g', nodes: 2, changed_millis: 0 }),
    probeMedia: async () => ({
      kind: 'video',
      duration_micros: 4_000_000,
      streams: [{ dispositions: [], video: { frame_rate: { num: 25, den: 1 } } }],
    }),
    viewNode: ({ run, at_micros }: ViewRequest) =>
      new Promise<NodeView>((answer, fail) => asked.push({ at: at_micros, ops: run.graph.nodes.map(({ op }) => op), answer, fail })),
    stopViewing: async () => {
      stopped();
      asked.at(-1)?.fail({ code: 'cancelled', message: 'A newer picture was asked for.' });
    },
  } as unknown as Ipc;
  return { ipc, asked, stopped };
}

const picture = (at: number): NodeView => ({ kind: 'picture', key: `k${at}`, size: [640, 360], at_micros: at, partial: false, place: null });

async function stage() {
  const { ipc, asked, stopped } = door();
  const canvas = new Canvas(ipc, () => 'untitled');
  await canvas.load();
  canvas.setRun({ inputs: { main: '/a.mp4' } });
  const views = new NodeViews(ipc, canvas);
  await views.probe();
  const rest = () => vi.advanceTimersByTimeAsync(400);
  return { canvas, views, asked, stopped, rest };
}

describe('what is looked at', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('is asked for once, and again only when it is another picture', async () => {
    const { canvas, views, asked, rest } = await stage();
    const gone = [views.watch('sink1'), views.watch('sink1')];
    await rest();
    asked[0]?.answer(picture(0));
    await rest();
    expect(asked.map(({ at, ops }) => [at, ...ops])).toEqual([[0, 'source', 'sink']]);
    expect(views.looks.get('sink1')).toMatchObject({ busy: false, view: { key: 'k0' }, why: null });
    // A node that is moved, and one beside, change nothing of it.
    canvas.edit(edits.move(canvas.document, new Map([['sink1', { x: 8, y: 8 }]])));
    const flip = KINDS.find(({ op }) => op === 'flip');
    if (flip) canvas.add(flip, { x: 0, y: 200 });
    views.soon();
    await rest();
    expect(asked).toHaveLength(1);
    views.step(1);
    views.soon();
    await rest();
    expect(asked[1]?.at).toBe(40_000);
    gone.forEach((leave) => leave());
  });

  it('is made one at a time, and what it was is ended for what it is', async () => {
    const { views, asked, stopped, rest } = await stage();
    views.watch('source1');
    views.watch('sink1');
    await rest();
    expect(asked).toHaveLength(1);
    views.seek(1_000_000);
    views.soon();
    await rest();
    expect(stopped).toHaveBeenCalledTimes(1);
    expect(asked.map(({ at }) => at)).toEqual([0, 1_000_000]);
    asked[1]?.answer(picture(1_000_000));
    await rest();
    expect(asked.map(({ at }) => at)).toEqual([0, 1_000_000, 1_000_000]);
    asked[2]?.answer(picture(1_000_000));
    await rest();
    expect([...views.looks.values()].map(({ busy }) => busy)).toEqual([false, false]);
    expect(asked).toHaveLength(3);
  });

  it('is ended when it leaves the screen, and a failure is tried again when it comes back', async () => {
    const { views, asked, stopped, rest } = await stage();
    const leave = views.watch('sink1');
    await rest();
    leave();
    await rest();
    expect(stopped).toHaveBeenCalledTimes(1);
    expect(asked).toHaveLength(1);
    const again = views.watch('sink1');
    await rest();
    asked[1]?.fail({ code: 'worker_crashed', message: 'It crashed.' });
    await rest();
    expect(views.looks.get('sink1')).toMatchObject({ busy: false, why: { is: 'error', error: { code: 'worker_crashed' } } });
    views.soon();
    await rest();
    expect(asked).toHaveLength(2);
    again();
    views.watch('sink1');
    await rest();
    expect(asked).toHaveLength(3);
  });

  it('is said to be impossible without a question where that is known', async () => {
    const { canvas, views, asked, rest } = await stage();
    canvas.setRun({ inputs: {} });
    views.watch('sink1');
    await rest();
    expect(views.looks.get('sink1')?.why).toEqual({ is: 'source', name: 'main' });
    canvas.setRun({ inputs: { main: '/a.mp4' } });
    canvas.edit(edits.toggleRest(canvas.document, ['source1'], 'muted'));
    views.watch('source1');
    await rest();
    expect(views.looks.get('source1')?.why).toEqual({ is: 'muted' });
    expect(views.looks.get('sink1')?.why).toMatchObject({ is: 'fault' });
    expect(asked).toEqual([]);
  });
});
