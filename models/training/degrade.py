"""What the web does to a picture: H.264, JPEG, noise, blur. All take and give uint8 RGB."""

import io
from fractions import Fraction

import av
import numpy as np
from PIL import Image

import pixels


def jpeg(rgb, quality, subsampling=2):
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "JPEG", quality=int(quality), subsampling=subsampling)
    return np.asarray(Image.open(buffer).convert("RGB"))


def _planes(rgb):
    """Even-sized RGB -> 8-bit BT.601 limited-range 4:2:0 planes."""
    y = pixels.to8(pixels.luma(rgb)).astype(np.uint8)
    half = [c.reshape(c.shape[0] // 2, 2, c.shape[1] // 2, 2).mean((1, 3)) for c in pixels.chroma(rgb)]
    return [y] + [pixels.to8(c).astype(np.uint8) for c in half]


def _read(plane, h, w):
    data = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    return data[:h, :w].copy()


def h264_planes(frames, crf, preset="veryfast", options=None):
    """RGB frames of one even size -> decoded (y, u, v) planes of every frame."""
    h, w = frames[0].shape[:2]
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = w, h, "yuv420p"
    encoder.framerate, encoder.time_base = 25, Fraction(1, 25)
    encoder.thread_count = 1
    encoder.options = {"crf": str(crf), "preset": str(preset), "threads": "1", **(options or {})}
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    packets = []
    for i, rgb in enumerate(frames):
        frame = av.VideoFrame(w, h, "yuv420p")
        for plane, data in zip(frame.planes, _planes(rgb)):
            rows = np.zeros((plane.height, plane.line_size), np.uint8)
            rows[:, : data.shape[1]] = data
            plane.update(rows.tobytes())
        frame.pts = i
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    decoded = []
    for packet in packets:
        decoded += decoder.decode(packet)
    decoded += decoder.decode(None)
    assert len(decoded) == len(frames)
    return [
        (_read(f.planes[0], h, w), _read(f.planes[1], h // 2, w // 2), _read(f.planes[2], h // 2, w // 2))
        for f in decoded
    ]


def h264(frames, crf, preset="veryfast", options=None):
    """The same, for RGB frames of any size, as RGB (nearest chroma)."""
    h, w = frames[0].shape[:2]
    even = [np.pad(f, ((0, h % 2), (0, w % 2), (0, 0)), mode="edge") for f in frames]
    out = []
    for y, u, v in h264_planes(even, crf, preset, options):
        y = 255 / 219 * (y.astype(np.float64) - 16)
        cb, cr = (c.repeat(2, 0).repeat(2, 1).astype(np.float64) - 128 for c in (u, v))
        rgb = np.stack([y + 1.596027 * cr, y - 0.391762 * cb - 0.812968 * cr, y + 2.017232 * cb], -1)
        out.append(pixels.to8(rgb)[:h, :w].astype(np.uint8))
    return out


def noise(rgb, rng, sigma, shot):
    """Gaussian noise plus signal-dependent (Poisson) noise, partly shared by the channels."""
    x = rgb.astype(np.float64)
    std = np.sqrt(sigma**2 + shot**2 * x / 255)
    grain = 0.7 * rng.standard_normal(x.shape[:2] + (1,)) + 0.7 * rng.standard_normal(x.shape)
    return pixels.to8(x + std * grain).astype(np.uint8)


def blur(rgb, sigma):
    r = 3
    g = np.exp(-(np.arange(-r, r + 1) ** 2) / (2 * sigma**2))
    g /= g.sum()
    x = rgb.astype(np.float64)
    for axis in (0, 1):
        pad = [(0, 0)] * 3
        pad[axis] = (r, r)
        p = np.pad(x, pad, mode="edge")
        n = x.shape[axis]
        x = sum(g[k] * np.take(p, range(k, k + n), axis=axis) for k in range(2 * r + 1))
    return pixels.to8(x).astype(np.uint8)
