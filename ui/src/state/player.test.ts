import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Player } from './player.svelte';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A door that takes `millis` for each picture and notes what was asked for and drawn. */
function door(millis: number) {
  const asked: string[] = [];
  const drawn: number[] = [];
  return {
    asked,
    drawn,
    load: (at: number, exact: boolean) => {
      asked.push(`${at}${exact ? '!' : ''}`);
      return new Promise<number>((resolve) => setTimeout(() => resolve(at), millis));
    },
    draw: (at: number) => void drawn.push(at),
    now: () => Date.now(),
  };
}

it('while a picture comes only the newest place is remembered, and the exact frame follows when it stays', async () => {
  const asks = door(50);
  const player = new Player(asks, 10_000_000, 40_000);
  for (const at of [1_000_000, 2_000_000, 3_000_000, 4_000_000]) player.seek(at);
  await vi.advanceTimersByTimeAsync(400);
  expect(asks.asked).toEqual(['1000000', '4000000', '4000000!']);
  expect(asks.drawn).toEqual([1_000_000, 4_000_000, 4_000_000]);
});

it('steps go to exact frames and stay inside the clip', async () => {
  const asks = door(1);
  const player = new Player(asks, 1_000_000, 40_000);
  player.step(3);
  await vi.advanceTimersByTimeAsync(10);
  player.step(-10);
  await vi.advanceTimersByTimeAsync(10);
  player.show(99_000_000);
  await vi.advanceTimersByTimeAsync(10);
  expect(asks.asked).toEqual(['120000!', '0!', '960000!']);
});

it('plays in the time of the clip and leaves out frames that would come too late', async () => {
  const fast = door(1);
  const player = new Player(fast, 1_000_000, 40_000);
  player.play(1);
  await vi.advanceTimersByTimeAsync(400);
  expect(fast.drawn.length).toBeGreaterThanOrEqual(10);
  expect(fast.drawn).toEqual([...new Set(fast.drawn)].sort((a, b) => a - b));
  expect(player.at).toBeGreaterThanOrEqual(360_000);
  await vi.advanceTimersByTimeAsync(1000);
  expect([player.speed, player.at]).toEqual([0, 960_000]);

  const slow = door(100);
  const late = new Player(slow, 1_000_000, 40_000);
  late.play(1);
  await vi.advanceTimersByTimeAsync(500);
  expect(slow.drawn.length).toBeLessThanOrEqual(5);
  expect(late.at).toBeGreaterThanOrEqual(360_000);
});

it('plays again from the start at the end, and stops where it fails', async () => {
  const asks = door(1);
  const player = new Player(asks, 1_000_000, 40_000);
  player.show(960_000);
  await vi.advanceTimersByTimeAsync(10);
  player.toggle();
  await vi.advanceTimersByTimeAsync(10);
  expect(player.at).toBeLessThan(100_000);
  player.close();

  const broken = new Player({ ...door(1), load: () => Promise.reject(new Error('gone')) }, 1_000_000, 40_000);
  broken.toggle();
  await vi.advanceTimersByTimeAsync(200);
  expect([broken.failed, broken.speed]).toEqual([true, 0]);
});

it('is heard at every speed forwards, and follows what is heard', async () => {
  const heard: string[] = [];
  let at: number | null = null;
  const player = new Player({ ...door(1), hear: (from, speed) => void heard.push(`${from} ${speed}`), heard: () => at }, 60_000_000, 40_000);
  player.play(4);
  await vi.advanceTimersByTimeAsync(100);
  // The sound is later than the clock: the pictures wait for it.
  at = 40_000;
  await vi.advanceTimersByTimeAsync(1000);
  expect(player.at).toBeLessThanOrEqual(120_000);
  at = 8_000_000;
  await vi.advanceTimersByTimeAsync(100);
  expect(player.at).toBeGreaterThanOrEqual(7_900_000);
  player.play(-2);
  player.show(0);
  expect(heard).toEqual(['0 4', 'null -2', 'null 0']);
  player.close();
});
