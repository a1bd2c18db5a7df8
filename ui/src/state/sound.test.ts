import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { channelsOf, Sound } from './sound.svelte';

const RATE = 1000;

/** A device whose clock is the test's. */
class Device {
  currentTime = 5;
  outputLatency = 0.02;
  sampleRate = RATE;
  destination = {};
  closed = false;
  started: { at: number; first: number | undefined; length: number }[] = [];
  stopped = 0;

  resume = async () => {};
  close = async () => void (this.closed = true);
  createGain = () => ({ gain: { value: 1, setTargetAtTime: (value: number) => void (this.volume = value) }, connect() {} });
  volume = 1;
  createBuffer = (_channels: number, length: number) => {
    const left = new Float32Array(length);
    return { length, left, copyToChannel: (data: Float32Array, channel: number) => channel === 0 && left.set(data) };
  };
  createBufferSource = () => {
    const source = {
      buffer: null as { left: Float32Array; length: number } | null,
      onended: null,
      connect() {},
      start: (at: number) => this.started.push({ at, first: source.buffer?.left[0], length: source.buffer?.length ?? 0 }),
      stop: () => void (this.stopped += 1),
    };
    return source;
  };
}

/** Samples that say where they are: sample n is n. */
function samples(from: number, count: number): ArrayBuffer {
  const view = new DataView(new ArrayBuffer(count * 4));
  for (let n = 0; n < count; n += 1) {
    view.setInt16(n * 4, from + n, true);
    view.setInt16(n * 4 + 2, -from - n, true);
  }
  return view.buffer;
}

function opened(delay = 0, fails = false) {
  const device = new Device();
  const asked: number[] = [];
  const sound = new Sound(
    async (from, count) => {
      asked.push(from);
      if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
      if (fails) throw new Error('gone');
      return samples(from, count);
    },
    10_000_000,
    () => device as unknown as AudioContext,
  );
  return { device, asked, sound };
}

/** Lets time pass for the device and for everything else. */
async function pass(device: Device, seconds: number) {
  for (let n = 0; n < Math.round(seconds * 100); n += 1) {
    device.currentTime += 0.01;
    await vi.advanceTimersByTimeAsync(10);
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  localStorage.clear();
});
afterEach(() => void vi.useRealTimers());

it('left and right are told apart', () => {
  const [left, right] = channelsOf(samples(3, 2));
  expect([...left]).toEqual([3 / 32768, 4 / 32768]);
  expect([...right]).toEqual([-3 / 32768, -4 / 32768]);
});

it('stretches are queued one behind the other without a gap, and no more than are needed', async () => {
  const { device, asked, sound } = opened();
  sound.play(2_000_000);
  expect(sound.position()).toBe(2_000_000);
  await pass(device, 3);
  expect(asked.slice(0, 4)).toEqual([2000, 2500, 3000, 3500]);
  // What is ahead is a second and a half, not the whole clip.
  expect(asked.length).toBeLessThanOrEqual(10);
  for (const [n, { at, first, length }] of device.started.entries()) {
    expect(at).toBeCloseTo((device.started[0]?.at ?? 0) + n * 0.5, 9);
    expect(Math.round((first ?? 0) * 32768)).toBe(2000 + n * 500);
    expect(length).toBe(500);
  }
  // What is heard is what the device plays now, less the way to the ear.
  const [start] = device.started;
  expect(sound.position()).toBeCloseTo(2_000_000 + (device.currentTime - 0.02 - (start?.at ?? 0)) * 1e6, 0);
});

it('a jump silences what was queued, and what comes late for it is not heard', async () => {
  const { device, asked, sound } = opened(80);
  sound.play(0);
  await pass(device, 0.3);
  const queued = device.started.length;
  sound.play(6_000_000);
  expect(device.stopped).toBe(queued);
  await pass(device, 0.5);
  expect(asked).toContain(6000);
  expect(device.started.slice(queued).map(({ first }) => Math.round((first ?? 0) * 32768))[0]).toBe(6000);
  sound.stop();
  expect(sound.position()).toBeNull();
});

it('at twice the speed twice as much of the clip is heard in the same time, in step and without a gap', async () => {
  const { device, asked, sound } = opened();
  sound.play(1_000_000, 2);
  await pass(device, 2);
  expect(asked.slice(0, 3)).toEqual([1000, 2000, 3000]);
  const [start] = device.started;
  for (const [n, { at }] of device.started.entries()) {
    const before = device.started.slice(0, n).reduce((sum, { length }) => sum + length, 0);
    expect(at).toBeCloseTo((start?.at ?? 0) + before / RATE, 9);
  }
  expect(sound.position()).toBeCloseTo(1_000_000 + 2 * (device.currentTime - 0.02 - (start?.at ?? 0)) * 1e6, 0);
});

it('pictures wait where the sound comes too late, and go on with it', async () => {
  const { device, sound } = opened(900);
  sound.play(0);
  await pass(device, 2.4);
  const at = sound.position() ?? 0;
  // Each stretch of half a second takes nine tenths to come.
  expect(at).toBeLessThan(1_100_000);
  expect(at).toBeGreaterThan(400_000);
});

it('where nothing can be played that is said, and nothing holds the pictures back', async () => {
  const broken = opened(0, true);
  broken.sound.play(0);
  await pass(broken.device, 0.1);
  expect([broken.sound.failed, broken.sound.position()]).toEqual([true, null]);
  const dead = opened();
  dead.sound.play(0);
  await vi.advanceTimersByTimeAsync(100);
  expect(dead.sound.position()).not.toBeNull();
  await vi.advanceTimersByTimeAsync(2000);
  expect([dead.sound.position(), dead.sound.failed]).toEqual([null, true]);
});

it('volume and silence are remembered', async () => {
  const first = opened();
  first.sound.play(0);
  await pass(first.device, 0.1);
  first.sound.setVolume(0.4);
  expect(first.device.volume).toBe(0.4);
  first.sound.toggleMuted();
  expect(first.device.volume).toBe(0);
  const second = opened();
  expect([second.sound.volume, second.sound.muted]).toEqual([0.4, true]);
  second.sound.setVolume(0.6);
  expect(second.sound.muted).toBe(false);
  second.sound.close();
});
