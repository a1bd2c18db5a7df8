/** Procedural landscapes for the fake: something to look at, without any file. */

function random(seed: number): () => number {
  let state = seed * 2654435761;
  return () => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d);
    state = Math.imul(state ^ (state >>> 12), 0x297a2d39);
    return ((state ^= state >>> 15) >>> 0) / 4294967296;
  };
}

/** Draws scene `seed` at the moment `time` (seconds) with `width` x `height` pixels. */
export function paintScene(width: number, height: number, seed: number, time: number): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const pen = canvas.getContext('2d');
  if (!pen) return canvas;
  const hue = [210, 18, 268, 150, 332][seed % 5] ?? 210;
  const sky = pen.createLinearGradient(0, 0, 0, height);
  sky.addColorStop(0, `hsl(${hue} 42% 24%)`);
  sky.addColorStop(0.55, `hsl(${(hue + 330) % 360} 48% 62%)`);
  sky.addColorStop(0.7, `hsl(${(hue + 190) % 360} 70% 80%)`);
  pen.fillStyle = sky;
  pen.fillRect(0, 0, width, height);

  const sunX = width * (0.62 + 0.02 * time);
  const sunY = height * 0.42;
  const glow = pen.createRadialGradient(sunX, sunY, 0, sunX, sunY, height * 0.5);
  glow.addColorStop(0, 'rgb(255 250 230 / 0.95)');
  glow.addColorStop(0.12, 'rgb(255 240 200 / 0.7)');
  glow.addColorStop(1, 'rgb(255 220 160 / 0)');
  pen.fillStyle = glow;
  pen.fillRect(0, 0, width, height);

  for (let layer = 0; layer < 5; layer += 1) {
    const next = random(seed * 31 + layer);
    const base = height * (0.52 + layer * 0.095);
    const waves = Array.from({ length: 7 }, (_, i) => ({
      a: (height * 0.1 * next()) / (i + 1),
      f: (i * 1.7 + next() * 2) / width,
      p: next() * 6.3,
    }));
    const ridge = (x: number) =>
      waves.reduce((y, w) => y - w.a * Math.sin(6.283 * w.f * (x + time * layer * width * 0.004) + w.p), base);
    pen.fillStyle = `hsl(${(hue + layer * 6) % 360} ${28 + layer * 3}% ${44 - layer * 9}%)`;
    pen.beginPath();
    pen.moveTo(0, height);
    for (let x = 0; x <= width; x += 1) pen.lineTo(x, ridge(x));
    pen.lineTo(width, height);
    pen.fill();
    if (layer < 2) continue;
    for (let i = 0; i < 60 * layer; i += 1) {
      const x = next() * width;
      const y = ridge(x) + next() * height * 0.05;
      const h = height * (0.02 + 0.022 * next()) * (layer - 0.8);
      pen.beginPath();
      pen.moveTo(x, y - h);
      for (let k = 1; k <= 4; k += 1) {
        pen.lineTo(x + (h * 0.11 * k) / 1.6, y - h + (h * k) / 4);
        pen.lineTo(x + (h * 0.05 * k) / 1.6, y - h + (h * k) / 4);
      }
      for (let k = 4; k >= 1; k -= 1) {
        pen.lineTo(x - (h * 0.05 * k) / 1.6, y - h + (h * k) / 4);
        pen.lineTo(x - (h * 0.11 * k) / 1.6, y - h + (h * k) / 4);
      }
      pen.fill();
    }
  }
  return canvas;
}

/** The same scene as a small, badly compressed file would show it. */
export function paintWorn(width: number, height: number, seed: number, time: number): string {
  const sharp = paintScene(width * 2, height * 2, seed, time);
  const small = document.createElement('canvas');
  small.width = width;
  small.height = height;
  const pen = small.getContext('2d');
  if (pen) {
    pen.imageSmoothingQuality = 'high';
    pen.drawImage(sharp, 0, 0, width, height);
  }
  return small.toDataURL('image/jpeg', 0.35);
}
