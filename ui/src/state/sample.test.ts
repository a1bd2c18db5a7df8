import { expect, it } from 'vitest';
import { fakeInfo, fakeIpc } from '../ipc/fake';
import { forecast, sampleSpan } from './sample';
import { Studio } from './studio.svelte';

it('a sample begins where one looks, and ends with the clip', () => {
  expect(sampleSpan(4_000_000, 60_000_000)).toEqual({ from_micros: 4_000_000, to_micros: 7_000_000 });
  expect(sampleSpan(59_500_000, 60_000_000)).toEqual({ from_micros: 57_000_000, to_micros: 60_000_000 });
  expect(sampleSpan(1_000_000, 2_000_000)).toEqual({ from_micros: 0, to_micros: 2_000_000 });
});

it('the whole is forecast by the sample, and the draft stays to be started', async () => {
  const ipc = fakeIpc({ tickMillis: 1_000_000 });
  const studio = new Studio(ipc);
  await studio.load();
  await studio.add(['/films/a.mp4']);
  const draft = studio.drafts[0];
  if (!draft) throw new Error('no draft');
  draft.at = 1_000_000;
  await studio.sample(draft);
  expect(studio.drafts).toHaveLength(1);
  const job = studio.jobs[0];
  if (!job) throw new Error('no job');
  expect(job.spec.sample).toBe(true);
  expect(studio.selectedId).toBe(`job:${job.id}`);
  const done = { ...job, progress: { ...job.progress, elapsed_micros: 2_000_000 } };
  const info = { ...fakeInfo('/films/a.mp4'), duration_micros: 30_000_000 };
  expect(forecast(done, 500_000, info)).toEqual({ micros: 20_000_000, bytes: 5_000_000 });
  expect(forecast(done, 500_000, null)).toBeNull();
});
