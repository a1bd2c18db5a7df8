import { describe, expect, it } from 'vitest';
import { Stretch } from './stretch';

const RATE = 16_000;

function tone(seconds: number, pitch: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: Math.round(seconds * RATE) }, (_, n) => 0.5 * Math.sin((2 * Math.PI * pitch * n) / RATE));
}

/** How often the sound goes up through nought, per second. */
function pitchOf(samples: Float32Array): number {
  let count = 0;
  for (let n = 1; n < samples.length; n += 1) if ((samples[n - 1] ?? 0) < 0 && (samples[n] ?? 0) >= 0) count += 1;
  return (count * RATE) / samples.length;
}

function stretched(speed: number, samples: Float32Array<ArrayBuffer>, chunk: number): Float32Array {
  const stretch = new Stretch(speed, RATE);
  const out: number[] = [];
  for (let from = 0; from < samples.length; from += chunk) {
    const piece = samples.slice(from, from + chunk);
    out.push(...stretch.push(piece, piece)[0]);
  }
  return Float32Array.from(out);
}

describe('sound at another speed', () => {
  for (const speed of [2, 4, 8]) {
    it(`is ${speed} times as short and as high as before`, () => {
      const out = stretched(speed, tone(4, 220), 5000);
      expect(out.length / RATE).toBeGreaterThan(4 / speed - 0.08);
      expect(out.length / RATE).toBeLessThanOrEqual(4 / speed);
      expect(Math.abs(pitchOf(out) - 220)).toBeLessThan(4);
    });
  }

  it('does not break off where pieces are joined: no step is larger than those of the sound itself', () => {
    const source = tone(2, 220);
    const out = stretched(2, source, 3000);
    const step = (samples: Float32Array) => samples.reduce((most, sample, n) => (n === 0 ? 0 : Math.max(most, Math.abs(sample - (samples[n - 1] ?? 0)))), 0);
    expect(step(out)).toBeLessThan(step(source) * 1.3);
    // Nor does it get lost where waves cancel each other.
    const loudest = (from: number) => Math.max(...out.slice(from, from + 200).map(Math.abs));
    for (let from = 400; from + 200 < out.length; from += 200) expect(loudest(from)).toBeGreaterThan(0.4);
  });

  it('keeps what is heard within a moment of its place', () => {
    const samples = new Float32Array(4 * RATE);
    for (let n = 0; n < 0.1 * RATE; n += 1) samples[2 * RATE + n] = Math.sin(n / 3);
    const out = stretched(2, samples, 4096);
    const at = out.findIndex((sample) => Math.abs(sample) > 0.2) / RATE;
    expect(Math.abs(at - 1)).toBeLessThan(0.04);
  });
});
