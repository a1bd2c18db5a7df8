import { expect, it, vi } from 'vitest';
import { fakeIpc } from '../../ipc/fake';
import { Canvas } from './canvas.svelte';
import * as edits from './edits';

async function loaded() {
  const ipc = fakeIpc({ tickMillis: 1_000_000 });
  const canvas = new Canvas(ipc, () => 'Untitled');
  await canvas.load();
  const [comment] = edits.addComment(canvas.document, { x: 0, y: 0 });
  const refused = { code: 'disk_full', message: 'The disk is full.', hint: null, details: null };
  const save = vi.spyOn(ipc, 'saveCanvas').mockRejectedValue(refused);
  canvas.edit(comment);
  return { canvas, save };
}

it('a document that cannot be saved is not left without an answer', async () => {
  const { canvas, save } = await loaded();
  const drawn = canvas.document;
  await canvas.fresh();
  expect(canvas.stuck).toBe(true);
  expect(canvas.document).toBe(drawn);
  expect(canvas.error?.message).toBe('The disk is full.');
  // The answer was to stay, and the disk has room again.
  canvas.stuck = false;
  save.mockRestore();
  await canvas.fresh();
  expect(canvas.stuck).toBe(false);
  expect(canvas.document).not.toBe(drawn);
  expect(canvas.entries).toHaveLength(1);
});

it('it is left all the same if that is the answer', async () => {
  const { canvas } = await loaded();
  const drawn = canvas.document;
  await canvas.fresh();
  await canvas.leaveAnyway();
  expect(canvas.document).not.toBe(drawn);
  expect(canvas.entries).toHaveLength(0);
});

it('what could not be saved is tried again by itself', async () => {
  const { canvas, save } = await loaded();
  vi.useFakeTimers();
  try {
    await canvas.flush();
    expect(canvas.saving).toBe('failed');
    save.mockRestore();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(canvas.saving).toBe('saved');
  } finally {
    vi.useRealTimers();
  }
});
