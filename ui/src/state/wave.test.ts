import { expect, it } from 'vitest';
import { SILENT_DB, Wave } from './wave.svelte';

/** Half of full scale from sample `loud` on, silence before it. */
function door(loud: number, asked: [number, number][], fails = Infinity) {
  return async (from: number, count: number) => {
    asked.push([from, count]);
    if (asked.length > fails) throw new Error('unreadable');
    const view = new DataView(new ArrayBuffer(count * 4));
    for (let n = 0; n < count * 2; n += 1) view.setInt16(n * 2, from + Math.floor(n / 2) >= loud ? 16_384 : 0, true);
    return view.buffer;
  };
}

it('listens to all of a file, in pieces of ten seconds at most', async () => {
  const asked: [number, number][] = [];
  const wave = new Wave(door(15 * 8000, asked), 24_000_000);
  await wave.listen();
  expect(asked).toEqual([[0, 80_000], [80_000, 80_000], [160_000, 32_000]]);
  expect(wave.levels).toHaveLength(480);
  expect(wave.step_micros).toBe(50_000);
  expect([wave.levels[0], wave.levels[299]]).toEqual([SILENT_DB, SILENT_DB]);
  expect(wave.levels[300]).toBeCloseTo(-6.02, 1);
});

it('has enough steps of what is short, and not too many of what is long', () => {
  expect(1_000_000 / new Wave(door(0, []), 1_000_000).step_micros).toBeGreaterThan(400);
  const hours = 5 * 3_600_000_000;
  expect(hours / new Wave(door(0, []), hours).step_micros).toBeLessThanOrEqual(20_001);
});

it('keeps what it heard where the rest cannot be read, and asks for nothing when nobody looks', async () => {
  const asked: [number, number][] = [];
  const wave = new Wave(door(0, asked, 1), 60_000_000);
  await wave.listen();
  expect([wave.levels.length, asked.length]).toEqual([200, 2]);
  const other = new Wave(door(0, asked), 60_000_000);
  const listening = other.listen();
  other.close();
  await listening;
  expect([other.levels.length, asked.length]).toEqual([0, 3]);
});
