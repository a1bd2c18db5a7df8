import { expect, it, vi } from 'vitest';
import { Loop, loopLength, type LoopFrame } from './loop.svelte';

const frame = (name: string): LoopFrame => {
  const image = (side: string) => Object.assign(new Image(), { alt: `${name} ${side}` });
  return { before: image('before'), after: image('after') };
};

it('a loop holds a second, and less of it where frames are large', () => {
  expect(loopLength(40_000, 1280 * 720 * 2)).toBe(25);
  expect(loopLength(16_667, 640 * 360)).toBe(30);
  expect(loopLength(40_000, 7680 * 4320 * 1.25)).toBe(3);
  expect(loopLength(40_000, 1e12)).toBe(2);
});

it('plays what was fetched in its own time, to the end of the clip and from the start again', async () => {
  vi.useFakeTimers();
  const loop = new Loop();
  await loop.start((index) => (index < 3 ? Promise.resolve(frame(`f${index}`)) : Promise.reject(new Error('end'))), 10, 40_000);
  expect(loop.state).toBe('playing');
  const seen = [loop.shown?.after.alt];
  for (let i = 0; i < 3; i += 1) {
    vi.advanceTimersByTime(40);
    seen.push(loop.shown?.after.alt);
  }
  expect(seen).toEqual(['f0 after', 'f1 after', 'f2 after', 'f0 after']);
  loop.stop();
  expect([loop.state, loop.shown]).toEqual(['off', null]);
  vi.useRealTimers();
});

it('a loop that was stopped while it fetched does not come back', async () => {
  const loop = new Loop();
  let give = (_: LoopFrame) => {};
  const started = loop.start(() => new Promise((resolve) => (give = resolve)), 2, 40_000);
  loop.stop();
  give(frame('late'));
  await started;
  expect(loop.state).toBe('off');
});
