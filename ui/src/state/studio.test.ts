import { describe, expect, it } from 'vitest';
import type { AppError } from '../ipc/bindings/AppError';
import { fakeIpc, type FakeOptions } from '../ipc/fake';
import { doneOf, isSound, presetOf, speedOf, stepOf } from './facts';
import { Studio } from './studio.svelte';

async function studioWith(files: string[], options: FakeOptions = {}) {
  const ipc = fakeIpc({ files, tickMillis: 1_000_000, ...options });
  const studio = new Studio(ipc);
  await studio.load();
  return { ipc, studio };
}

describe('the studio', () => {
  it('takes the files of the command line and chooses the first', async () => {
    const { studio } = await studioWith(['/a/one.mp4', '/a/two.png']);
    expect(studio.drafts.map((draft) => draft.info?.kind)).toEqual(['video', 'still']);
    expect(studio.selected?.kind === 'draft' && studio.selected.draft.path).toBe('/a/one.mp4');
  });

  it('keeps a file that cannot be used with its error and does not start it', async () => {
    const { studio, ipc } = await studioWith(['/a/broken.mp4', '/a/good.mp4']);
    expect(studio.drafts[0]?.error?.code).toBe('input_unreadable');
    await studio.start(studio.drafts);
    expect([...ipc.jobs.values()].map((job) => job.spec.input)).toEqual(['/a/good.mp4']);
    expect(studio.items.map((item) => item.kind)).toEqual(['job', 'draft']);
  });

  it('does not add a file twice', async () => {
    const { studio } = await studioWith(['/a/one.mp4']);
    await studio.add(['/a/one.mp4', '/a/two.mp4']);
    expect(studio.drafts).toHaveLength(2);
  });

  it('follows a started file as a job and shows one job once', async () => {
    const { studio } = await studioWith(['/a/one.mp4']);
    const [draft] = studio.drafts;
    if (draft) await studio.start([draft]);
    expect(studio.items.map((item) => item.id)).toEqual(['job:fake-1']);
    expect(studio.selectedId).toBe('job:fake-1');
  });

  it('keeps a newer event when the list of jobs arrives later', async () => {
    const { studio, ipc } = await studioWith(['/a/one.mp4']);
    await studio.start(studio.drafts);
    await ipc.pauseJob('fake-1');
    expect(studio.jobs[0]?.state).toBe('paused');
    ipc.emit({
      event: 'progress',
      id: 'fake-1',
      progress: { done: 7, total: 10, fps: 2, elapsed_micros: 1, remaining_micros: null, step: 'processing' },
    });
    expect(studio.jobs[0]?.progress.done).toBe(7);
    expect(studio.jobs[0]?.state).toBe('paused');
  });

  it('chooses a neighbour when the chosen item leaves', async () => {
    const { studio } = await studioWith(['/a/1.mp4', '/a/2.mp4', '/a/3.mp4']);
    studio.move(1);
    const item = studio.selected;
    if (item) await studio.remove(item);
    expect(studio.selected?.kind === 'draft' && studio.selected.draft.path).toBe('/a/3.mp4');
  });

  it('never removes a job that is not finished', async () => {
    const { studio } = await studioWith(['/a/1.mp4']);
    await studio.start(studio.drafts);
    const item = studio.selected;
    if (item) await studio.remove(item);
    expect(studio.jobs).toHaveLength(1);
  });

  it('answers only the last question about a plan', async () => {
    const { studio, ipc } = await studioWith(['/a/1.mp4']);
    const answers: (() => void)[] = [];
    const original = ipc.planUpscale;
    ipc.planUpscale = async (request) => {
      await new Promise<void>((resolve) => answers.push(resolve));
      return original(request);
    };
    const [draft] = studio.drafts;
    if (!draft) throw new Error('no draft');
    const first = studio.plan(draft);
    studio.recipe.scale = 4;
    const second = studio.plan(draft);
    answers[1]?.();
    await second;
    answers[0]?.();
    await first;
    expect(draft.plan?.sizes?.output).toEqual([2560, 1440]);
  });

  it('shows what went wrong outside a file once, as an error of the one shape', async () => {
    const { studio, ipc } = await studioWith([]);
    ipc.setSettings = () => Promise.reject(new Error('disk gone'));
    await studio.saveSettings({ theme: 'light' });
    expect(studio.notice).toEqual({ code: 'internal', message: 'disk gone', hint: null, details: null } satisfies AppError);
  });

  it('says so when nothing was found', async () => {
    const { studio, ipc } = await studioWith([]);
    ipc.expandInputs = async () => ({ files: [], refused: [] });
    await studio.add(['/empty']);
    expect(studio.foundNothing).toBe(true);
  });

  it('clears what is over and keeps a failed job, whose parts would be lost', async () => {
    const { studio, ipc } = await studioWith(['/a/1.mp4', '/a/2.mp4', '/a/3.mp4', '/a/4.mp4']);
    await studio.start(studio.drafts);
    const states = ['succeeded', 'failed', 'cancelled', 'interrupted'] as const;
    for (const [at, state] of states.entries()) {
      const job = ipc.jobs.get(`fake-${at + 1}`);
      if (job) ipc.emit({ event: 'changed', job: { ...job, state } });
    }
    await studio.clearFinished();
    expect(studio.jobs.map((job) => job.state)).toEqual(['failed', 'interrupted']);
    expect(studio.hasFinished).toBe(false);
  });

  it('asks at the start about jobs that were cut short, and goes on with them only if told', async () => {
    const { studio, ipc } = await studioWith(['/a/1.mp4', '/a/2.mp4', '/a/3.mp4']);
    await studio.start(studio.drafts);
    const states = ['interrupted', 'paused', 'interrupted'] as const;
    for (const [at, state] of states.entries()) {
      const job = ipc.jobs.get(`fake-${at + 1}`);
      if (job) ipc.jobs.set(job.id, { ...job, state });
    }
    const resumed: string[] = [];
    ipc.resumeJob = async (id) => {
      resumed.push(id);
    };
    const opened = async () => {
      const again = new Studio(ipc);
      await again.load();
      return again;
    };
    const asked = await opened();
    expect(asked.cutShort.map((job) => job.id)).toEqual(['fake-1', 'fake-3']);
    expect(resumed).toEqual([]);
    asked.leaveCutShort();
    expect(asked.cutShort).toEqual([]);
    expect(resumed).toEqual([]);
    await (await opened()).resumeCutShort();
    expect(resumed).toEqual(['fake-1', 'fake-3']);
    await asked.saveSettings({ at_start: 'resume' });
    expect((await opened()).cutShort).toEqual([]);
    expect(resumed).toEqual(['fake-1', 'fake-3', 'fake-1', 'fake-3']);
    await asked.saveSettings({ at_start: 'leave' });
    expect((await opened()).cutShort).toEqual([]);
    expect(resumed.length).toBe(4);
  });

  it('keeps the folders below the one that was added', async () => {
    const { studio, ipc } = await studioWith([]);
    ipc.expandInputs = async ([path]) => ({
      files: [
        { path: `${path}/1.mp4`, below: '' },
        { path: `${path}/day/2.mp4`, below: 'day' },
      ],
      refused: [],
    });
    await studio.add(['/films']);
    expect(studio.drafts.map((draft) => studio.request(draft).below)).toEqual(['', 'day']);
  });

  it('takes what can be read and says what cannot', async () => {
    const { studio, ipc } = await studioWith([]);
    const error: AppError = { code: 'input_unreadable', message: '`/films/locked` may not be read.', hint: null, details: null };
    ipc.expandInputs = async () => ({
      files: [{ path: '/films/1.mp4', below: '' }],
      refused: [{ path: '/films/locked', error }],
    });
    await studio.add(['/films']);
    expect(studio.drafts).toHaveLength(1);
    expect(studio.notice).toEqual(error);
  });

  it('starts the others where one file cannot be done this way, and asks again with another recipe', async () => {
    const { studio, ipc } = await studioWith(['/a/1.mp4', '/a/2.mp4']);
    const original = ipc.planUpscale;
    ipc.planUpscale = async (request) => {
      if (request.scale === 8) throw { code: 'input_too_large', message: 'Too large.', hint: null, details: null };
      return original(request);
    };
    const [first, second] = studio.drafts;
    if (!first || !second) throw new Error('no drafts');
    studio.recipe.scale = 8;
    await studio.plan(first);
    expect(studio.startable).toEqual([second]);
    studio.recipe.scale = 2;
    expect(studio.startable).toEqual([first, second]);
  });

  it('shows no setting that the program did not take', async () => {
    const { studio, ipc } = await studioWith([]);
    const theme = studio.settings.theme;
    ipc.setSettings = () => Promise.reject({ code: 'disk_full', message: 'full' });
    await studio.saveSettings({ theme: theme === 'light' ? 'dark' : 'light' });
    expect([studio.settings.theme, studio.notice?.code]).toEqual([theme, 'disk_full']);
  });

  it('gives sound alone what is for it, with formats of sound and without a codec of pictures', async () => {
    const { studio } = await studioWith(['/a/clip.mp4', '/a/talk.mp3']);
    const [clip, talk] = studio.drafts;
    if (!clip || !talk) throw new Error('no drafts');
    studio.recipe.codec = 'av1';
    expect([clip.preset, talk.preset]).toEqual(['enlarge', 'loudness']);
    expect(studio.cardsOf(talk).slice(0, 4).map(({ id }) => id)).toEqual(['loudness', 'silence', 'voice', 'sound']);
    expect(studio.cardsOf(clip)).toEqual(studio.presets);
    expect(studio.formatsOf(talk)).toContain('mp3');
    expect([studio.request(clip).codec, studio.request(talk).codec]).toEqual(['av1', null]);
    studio.choose('sound', clip);
    expect([clip.preset, talk.preset]).toEqual(['sound', 'sound']);
    expect([studio.request(clip).codec, studio.isAlone(clip), studio.formatsOf(clip)]).toEqual([null, true, studio.formatsOf(talk)]);
    await studio.plan(talk);
    expect([talk.plan?.sizes, talk.plan?.length_micros]).toEqual([null, talk.info?.duration_micros]);
    await studio.start([talk]);
    const [job] = studio.jobs;
    expect(job && [job.sizes, presetOf(job), doneOf(job), speedOf(job, 12.4)]).toEqual([null, 'sound', `0 of ${job?.progress.total} s`, '12× real time']);
    if (job) expect(stepOf({ ...job, progress: { ...job.progress, step: 'processing' } })).toBe('Working on the sound');
  });

  it('tells sound by what is in it, and by its name until that is known', async () => {
    const { studio } = await studioWith(['/a/talk.ogg', '/a/clip.mp4']);
    expect([isSound('/a/talk.ogg'), isSound('/a/b.MP3'), isSound('/a/clip.mp4'), isSound('/a.mp3/clip')]).toEqual([true, true, false, false]);
    expect([isSound('/a/clip.mp4', studio.infoOf('/a/talk.ogg')), isSound('/a/talk.ogg', studio.infoOf('/a/clip.mp4'))]).toEqual([true, false]);
  });

  it('measures a model that was never used here once, to say how long the whole takes', async () => {
    const { studio, ipc } = await studioWith(['/a/clip.mp4', '/a/other.mp4'], { unmeasured: true });
    const [draft, other] = studio.drafts;
    if (!draft || !other) throw new Error('no drafts');
    const measured = () => ipc.calls.filter((call) => call.startsWith('measure '));
    await studio.plan(draft);
    await expect.poll(() => draft.plan?.about_micros).toBeGreaterThan(0);
    expect([measured(), studio.timing]).toEqual([['measure loom-x2-web'], null]);
    studio.selectedId = other.id;
    await studio.plan(other);
    expect(other.plan?.about_micros).toBeGreaterThan(0);
    expect(measured()).toHaveLength(1);
  });

  it('leaves a running job alone, and what is no model for enlarging', async () => {
    const { studio, ipc } = await studioWith(['/a/clip.mp4', '/a/other.mp4'], { unmeasured: true, tickMillis: 1000 });
    const [draft, other] = studio.drafts;
    if (!draft || !other) throw new Error('no drafts');
    await studio.start([draft]);
    studio.selectedId = other.id;
    await studio.plan(other);
    expect(other.plan?.about_micros).toBeNull();
    studio.choose('share', other);
    await studio.plan(other);
    expect(ipc.calls.filter((call) => call.startsWith('measure '))).toEqual([]);
  });
});
