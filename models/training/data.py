"""Training data: the Kodak pictures and procedural images, clean and degraded.

    python data.py --data <Kodak folder> --out out/data       # both pools, cached

`clean.npz` and `web.npz` hold, for every picture or frame, the low-resolution
luma as the network gets it and the high-resolution luma it should give.
"""

import argparse
import colorsys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import degrade
import pixels

# Kept out of training, to choose the checkpoint.
HELD_OUT = ("kodim08", "kodim19", "kodim23")
SCALES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
PROCEDURAL = 30


# --- procedural images -------------------------------------------------------------------


def _pink(rng, h, w, slope):
    f = np.hypot(np.fft.fftfreq(h)[:, None], np.fft.rfftfreq(w)[None])
    f[0, 0] = 1
    spectrum = (rng.standard_normal(f.shape) + 1j * rng.standard_normal(f.shape)) / f**slope
    x = np.fft.irfft2(spectrum, (h, w))
    return (x - x.mean()) / (x.std() + 1e-9)


def _texture(rng, h, w):
    """A colour texture as float RGB: flat, gradient, noise of some slope, or grating."""
    hue, sat, val = rng.random(), rng.beta(1.5, 3), rng.uniform(0.05, 0.95)
    colour = np.array(colorsys.hsv_to_rgb(hue, sat, val)) * 255
    kind = rng.choice(4, p=[0.15, 0.25, 0.4, 0.2])
    yy, xx = np.mgrid[0:h, 0:w].astype(np.float32)
    if kind == 0:
        field = np.zeros((h, w))
    elif kind == 1:
        a = rng.uniform(0, 2 * np.pi)
        field = (np.cos(a) * xx + np.sin(a) * yy) / max(h, w) * rng.uniform(20, 120)
    elif kind == 2:
        field = _pink(rng, h, w, rng.uniform(0.6, 1.8)) * rng.uniform(4, 35)
    else:
        a, period = rng.uniform(0, 2 * np.pi), np.exp(rng.uniform(np.log(5), np.log(60)))
        wave = np.sin(2 * np.pi * (np.cos(a) * xx + np.sin(a) * yy) / period + rng.uniform(0, 6))
        if rng.random() < 0.5:
            wave = np.sign(wave)
        field = wave * rng.uniform(8, 60) + _pink(rng, h, w, 1.2) * rng.uniform(0, 8)
    return colour + field[..., None] * (0.8 + 0.2 * rng.random(3))


def _polygon(rng, cx, cy, r):
    n = int(rng.integers(3, 9))
    angles = np.sort(rng.uniform(0, 2 * np.pi, n))
    radii = r * rng.uniform(0.4, 1.0, n)
    return [(cx + q * np.cos(a), cy + q * np.sin(a)) for a, q in zip(angles, radii)]


def dead_leaves(rng, size):
    """Overlapping textured shapes with radii after a power law, lines and glyphs on top."""
    bank = [_texture(rng, size, size) for _ in range(14)]
    out = bank[0].copy()
    for i in range(int(rng.integers(250, 900))):
        r = 8 * (1 - rng.random() * (1 - (8 / (size * 0.35)) ** 1.6)) ** (-1 / 1.6)
        cx, cy = rng.uniform(-r / 2, size + r / 2, 2)
        x0, y0 = max(int(cx - r) - 1, 0), max(int(cy - r) - 1, 0)
        x1, y1 = min(int(cx + r) + 2, size), min(int(cy + r) + 2, size)
        if x1 <= x0 or y1 <= y0:
            continue
        mask = Image.new("L", (x1 - x0, y1 - y0))
        draw = ImageDraw.Draw(mask)
        kind = rng.random()
        if kind < 0.45:
            e = rng.uniform(0.4, 1.0)
            draw.ellipse([cx - r - x0, cy - e * r - y0, cx + r - x0, cy + e * r - y0], fill=255)
        elif kind < 0.85:
            draw.polygon([(x - x0, y - y0) for x, y in _polygon(rng, cx, cy, r)], fill=255)
        else:
            a, b = rng.uniform(0, 2 * np.pi), rng.uniform(1, 6)
            dx, dy = r * np.cos(a), r * np.sin(a)
            draw.line([cx - dx - x0, cy - dy - y0, cx + dx - x0, cy + dy - y0], fill=255, width=int(b))
        m = np.asarray(mask)[..., None] / 255.0
        t = bank[int(rng.integers(len(bank)))][y0:y1, x0:x1] + rng.uniform(-40, 40)
        out[y0:y1, x0:x1] += m * (t - out[y0:y1, x0:x1])
    image = Image.fromarray(pixels.to8(out).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,;:!?&%+-=()"
    for _ in range(int(rng.integers(0, 14))):
        text = "".join(rng.choice(list(letters), int(rng.integers(3, 18))))
        size_pt = int(np.exp(rng.uniform(np.log(18), np.log(90))))
        fill = tuple(int(v) for v in rng.integers(0, 256, 3))
        at = tuple(rng.uniform(0, size * 0.9, 2))
        draw.text(at, text, fill=fill, font=ImageFont.load_default(size_pt))
    return np.asarray(image)


def procedural(rng, count, size=448):
    """Drawn at twice the size and reduced, so that edges are antialiased."""
    return [pixels.imresize(dead_leaves(rng, 2 * size), 0.5) for _ in range(count)]


# --- pools -------------------------------------------------------------------------------


def load(path):
    return np.ascontiguousarray(np.asarray(Image.open(path).convert("RGB")))


def rotated(rgb, angle, scale):
    """Turned by an angle and reduced by scale; only the part inside the picture."""
    h, w = rgb.shape[:2]
    turned = np.asarray(Image.fromarray(rgb).rotate(angle, Image.BICUBIC))
    side = int(min(h, w) / (abs(np.cos(np.radians(angle))) + abs(np.sin(np.radians(angle)))))
    y, x = (h - side) // 2, (w - side) // 2
    return pixels.imresize(np.ascontiguousarray(turned[y : y + side, x : x + side]), scale)


def clean_pair(hr):
    hr = pixels.modcrop(hr, 2)
    return pixels.luma(pixels.imresize(hr, 0.5)), pixels.luma(hr)


def high_resolution(folder):
    """(training pictures, held-out pictures), named."""
    train, held = [], []
    for path in sorted(folder.glob("kodim*.png")):
        (held if path.stem in HELD_OUT else train).append((path.stem, load(path)))
    assert len(train) == 21 and len(held) == len(HELD_OUT), "expected the 24 Kodak pictures"
    return train, held


def save(path, low, high, weight):
    np.savez(
        path,
        shapes=np.array([x.shape for x in low]),
        low=np.concatenate([x.astype(np.float32).ravel() for x in low]),
        high=np.concatenate([x.astype(np.float16 if x.dtype != np.uint8 else np.uint8).ravel() for x in high]),
        weight=np.array(weight, np.float32),
    )


def make_clean(folder, out):
    rng = np.random.default_rng(1)
    train, held = high_resolution(folder)
    low, high, weight = [], [], []

    def add(hr, w):
        a, b = clean_pair(hr)
        low.append(a), high.append(b), weight.append(w * a.size)

    for name, rgb in train:
        for s in SCALES:
            add(rgb if s == 1 else pixels.imresize(rgb, s), 1.0)
        for angle, s in ((12, 0.85), (27, 0.65), (45, 0.75)):
            add(rotated(rgb, angle + rng.uniform(-4, 4), s), 1.0)
    photos = sum(weight)
    made = procedural(rng, PROCEDURAL)
    total = sum(x.shape[0] * x.shape[1] / 4 for x in made)
    for x in made:
        add(x, 0.15 / 0.85 * photos / total)
    save(out / "clean.npz", low, high, weight)
    pairs = [clean_pair(x if s == 1 else pixels.imresize(x, s)) for _, x in held for s in (1.0, 0.6)]
    save(out / "clean-held.npz", [a for a, _ in pairs], [b for _, b in pairs], [1] * len(pairs))
    print("clean:", len(low), "pictures,", sum(x.size for x in low), "low-resolution pixels")


def clip(rng, rgb, frames, h, w):
    """A short move over a picture: HR frames of 2h x 2w, integer HR steps, or a slow zoom."""
    H, W = rgb.shape[:2]
    kind = rng.choice(["still", "pan", "zoom"], p=[0.25, 0.5, 0.25])
    out = []
    if kind == "zoom":
        top = min(1.0, max(0.62, (2 * h + 2) / (H * 0.9), (2 * w + 2) / (W * 0.9)))
        step = rng.uniform(0.002, 0.012) * rng.choice([-1, 1])
        cy, cx = rng.uniform(0.3, 0.7, 2)
        for i in range(frames):
            z = pixels.imresize(rgb, float(np.clip(top + step * (i - frames / 2), 0.55, 1.0)))
            y = int(np.clip(cy * z.shape[0] - h, 0, z.shape[0] - 2 * h))
            x = int(np.clip(cx * z.shape[1] - w, 0, z.shape[1] - 2 * w))
            out.append(z[y : y + 2 * h, x : x + 2 * w])
        if all(f.shape == (2 * h, 2 * w, 3) for f in out):
            return out
        kind, out = "pan", []
    v = rng.integers(-6, 7, 2) if kind == "pan" else np.zeros(2, int)
    y, x = rng.integers(0, H - 2 * h + 1), rng.integers(0, W - 2 * w + 1)
    for i in range(frames):
        yy = int(np.clip(y + i * v[0], 0, H - 2 * h))
        xx = int(np.clip(x + i * v[1], 0, W - 2 * w))
        out.append(rgb[yy : yy + 2 * h, xx : xx + 2 * w])
    return out


def spoil(rng, hr_frames, frames_kept=3):
    """[(LR luma as decoded, HR luma)] for one clip, with a random history."""
    fate = rng.choice(["clean", "h264", "jpeg", "raw"], p=[0.15, 0.55, 0.25, 0.05])
    if fate != "h264":
        hr_frames = hr_frames[:1]
    low = [pixels.imresize(f, 0.5) for f in hr_frames]
    if fate == "clean":
        return [(pixels.luma(low[0]), pixels.luma(hr_frames[0]))]
    if rng.random() < 0.12:
        sigma = rng.uniform(0.3, 0.6)
        low = [degrade.blur(f, sigma) for f in low]
    if fate == "raw" or rng.random() < 0.15:
        sigma, shot = rng.uniform(0.5, 4), rng.uniform(0, 4)
        low = [degrade.noise(f, rng, sigma, shot) for f in low]
    if fate == "h264":
        crf = int(round(rng.triangular(19.5, 28, 34.5)))
        preset = rng.choice(["veryfast", "medium"])
        if rng.random() < 0.55:  # of clips: about three in ten of the frames kept
            low = low[:1]  # one intra picture
        coded = degrade.h264_planes(low, crf, preset)
        keep = rng.permutation(len(coded))[:frames_kept]
        return [(coded[i][0].astype(np.float64), pixels.luma(hr_frames[i])) for i in keep]
    if fate == "jpeg":
        sub = 2 if rng.random() < 0.85 else 0
        low = [degrade.jpeg(f, round(rng.triangular(22, 40, 92)), sub) for f in low]
        if rng.random() < 0.1:
            low = [degrade.jpeg(f, rng.integers(60, 91), sub) for f in low]
    return [(pixels.luma(low[0]), pixels.luma(hr_frames[0]))]


def make_web(folder, out, count, h=96, w=128):
    rng = np.random.default_rng(2)
    train, held = high_resolution(folder)
    sources = []
    for _, rgb in train:
        for s in SCALES[:-1]:
            z = rgb if s == 1 else pixels.imresize(rgb, s)
            if min(z.shape[:2]) >= 2 * w + 8:
                sources.append(z)
            elif z.shape[0] >= 2 * h + 8 and z.shape[1] >= 2 * w + 8:
                sources.append(z)
    photos = len(sources)
    sources += procedural(rng, PROCEDURAL)
    low, high, weight = [], [], []
    while len(low) < count:
        if rng.random() < 0.85:
            rgb = sources[int(rng.integers(photos))]
        else:
            rgb = sources[int(rng.integers(photos, len(sources)))]
        if rng.random() < 0.5:
            rgb = rgb[:, ::-1]
        hh, ww = (h, w) if rng.random() < 0.5 or rgb.shape[0] < 2 * w else (w, h)
        for a, b in spoil(rng, clip(rng, np.ascontiguousarray(rgb), 8, hh, ww)):
            low.append(a), high.append(pixels.to8(b).astype(np.uint8)), weight.append(a.size)
    save(out / "web.npz", low, high, weight)
    pairs = []
    for _, rgb in held:
        for s in (1.0, 0.6):
            hr = pixels.modcrop(rgb if s == 1 else pixels.imresize(rgb, s), 4)
            lr = pixels.imresize(hr, 0.5)
            pairs.append((pixels.luma(degrade.jpeg(lr, 40)), pixels.luma(hr)))
            pairs.append((degrade.h264_planes([lr], 28, "medium")[0][0].astype(np.float64), pixels.luma(hr)))
    save(out / "web-held.npz", [a for a, _ in pairs], [b for _, b in pairs], [1] * len(pairs))
    print("web:", len(low), "frames,", sum(x.size for x in low), "low-resolution pixels")


def ensure(folder, out, kinds=("clean", "web"), web_frames=6000):
    out.mkdir(parents=True, exist_ok=True)
    if "clean" in kinds and not (out / "clean-held.npz").exists():
        make_clean(folder, out)
    if "web" in kinds and not (out / "web-held.npz").exists():
        make_web(folder, out, web_frames)


if __name__ == "__main__":
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--data", type=Path, required=True, help="folder with kodim01.png ... kodim24.png")
    ap.add_argument("--out", type=Path, default=Path(__file__).resolve().parent / "out" / "data")
    args = ap.parse_args()
    ensure(args.data, args.out)
