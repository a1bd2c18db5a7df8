import { beforeEach, describe, expect, it } from 'vitest';
import type { Job } from '../ipc/bindings/Job';
import type { QueueEnd } from '../ipc/bindings/QueueEnd';
import { fakeIpc, type FakeIpc } from '../ipc/fake';
import { QueueState } from './queue.svelte';
import { Studio } from './studio.svelte';

const FILES = ['/v/a.mp4', '/v/b.mp4', '/v/c.mp4', '/v/d.mp4'];

describe('the queue', () => {
  let ipc: FakeIpc;
  let studio: Studio;
  let queue: QueueState;
  let ends: [QueueEnd, boolean][];

  beforeEach(async () => {
    // Nothing moves by itself within a test.
    ipc = fakeIpc({ files: FILES, tickMillis: 1e9 });
    studio = new Studio(ipc);
    ends = [];
    queue = new QueueState(ipc, studio, { done: (end, sound) => ends.push([end, sound]) });
    await queue.load();
    await studio.load();
    await studio.start(studio.startable);
    await queue.setOptions({});
  });

  const order = () => queue.waiting.map((job) => job.spec.input.at(3));
  const ids = (...names: string[]) => queue.waiting.filter((job) => names.includes(job.spec.input.at(3) ?? '')).map((job) => job.id);

  it('moves files up and down, together and not past an end', async () => {
    expect(order()).toEqual(['a', 'b', 'c', 'd']);
    await queue.move(ids('c'), 'up');
    expect(order()).toEqual(['a', 'c', 'b', 'd']);
    await queue.move(ids('a', 'b'), 'down');
    expect(order()).toEqual(['c', 'a', 'b', 'd']);
    await queue.move(ids('d', 'b'), 'top');
    expect(order()).toEqual(['b', 'd', 'c', 'a']);
    await queue.move(ids('b'), 'up');
    expect(order()).toEqual(['b', 'd', 'c', 'a']);
    await queue.move(ids('b'), 'bottom');
    await queue.move(ids('b'), 'down');
    expect(order()).toEqual(['d', 'c', 'a', 'b']);
    await queue.move(['gone'], 'top');
    expect(ipc.calls.at(-1)).not.toContain('gone');
    expect((await ipc.queue()).waiting).toEqual(queue.waiting.map((job) => job.id));
  });

  it('acts on what is selected, and without a selection on the row with the focus', () => {
    const [first, second, third] = queue.waiting as [Job, Job, Job];
    queue.current = second.id;
    expect(queue.chosen).toEqual([second]);
    queue.selectTo(third.id);
    expect(queue.chosen).toEqual([second, third]);
    queue.toggle(first.id, true);
    queue.toggle(third.id, false);
    expect(queue.chosen).toEqual([first, second]);
    // One that is over is no row any more.
    ipc.emit({ event: 'changed', job: { ...first, state: 'succeeded' } });
    expect(queue.chosen).toEqual([second]);
    queue.selectNone();
    queue.current = null;
    expect(queue.chosen).toEqual([]);
  });

  it('shows a file that was submitted before the queue told its place, behind the others', () => {
    const [first] = queue.waiting as [Job];
    queue.apply({ event: 'changed', view: { ...queue.view, waiting: queue.view.waiting.slice(1) } });
    expect(queue.waiting.at(-1)).toEqual(first);
  });

  it('tells once that it is done, and shows why the machine did not sleep', () => {
    queue.apply({ event: 'done', end: { succeeded: 3, failed: 1 }, sound: true });
    expect(ends).toEqual([[{ succeeded: 3, failed: 1 }, true]]);
    const error = { code: 'internal' as const, message: 'This machine did not go to sleep.', hint: null, details: null };
    queue.apply({ event: 'refused', error });
    expect(studio.notice).toEqual(error);
  });

  it('takes a finished file off the list without forgetting it', async () => {
    const [first] = queue.waiting as [Job];
    ipc.emit({ event: 'changed', job: { ...first, state: 'succeeded', finished_millis: 1 } });
    ipc.jobs.set(first.id, { ...first, state: 'succeeded', finished_millis: 1 });
    await studio.clearFinished();
    expect(studio.jobs.some((job) => job.id === first.id)).toBe(false);
    const page = await ipc.history({ text: 'A.MP4', outcome: null, skip: 0, limit: 10 });
    expect(page.jobs.map((job) => job.id)).toEqual([first.id]);
    await studio.takeOut(first.id);
    expect(studio.jobs.some((job) => job.id === first.id)).toBe(true);
  });

  it('takes the recipe of an earlier file for the next one', async () => {
    const [first] = queue.waiting as [Job];
    studio.recipeOf({ ...first, spec: { ...first.spec, output: '/elsewhere/a.mov', encode: { codec: 'prores', quality: 'archive', drop: [] } } });
    expect(studio.recipe).toMatchObject({ format: null, name: null, model: 'loom-x2-web', scale: 2, quality: 'archive', codec: 'prores', outputDir: '/elsewhere' });
  });

  it('shows no option that the program did not take', async () => {
    ipc.setQueueOptions = () => Promise.reject({ code: 'store_busy', message: 'busy' });
    await queue.setOptions({ when_done: 'shut_down' });
    expect([queue.view.options.when_done, studio.notice?.code]).toEqual(['nothing', 'store_busy']);
  });
});
