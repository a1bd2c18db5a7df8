"""Pixel arithmetic of the super-resolution benchmark protocol, and its two metrics."""

from functools import lru_cache

import numpy as np


def _cubic(x):
    x = np.abs(x)
    near = (1.5 * x - 2.5) * x * x + 1.0
    far = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    return np.where(x <= 1, near, np.where(x <= 2, far, 0.0))


@lru_cache(maxsize=512)
def _taps(length, out_length, scale):
    """MATLAB imresize contributions: (indices, weights), symmetric borders."""
    stretch = min(scale, 1.0)
    width = 4.0 / stretch
    centre = np.arange(1, out_length + 1) / scale + 0.5 * (1 - 1 / scale)
    left = np.floor(centre - width / 2)
    count = int(np.ceil(width)) + 2
    index = left[:, None] + np.arange(count)
    weight = stretch * _cubic(stretch * (centre[:, None] - index))
    weight /= weight.sum(1, keepdims=True)
    mirror = np.concatenate([np.arange(length), np.arange(length - 1, -1, -1)])
    index = mirror[np.mod(index.astype(np.int64) - 1, 2 * length)]
    keep = np.any(weight != 0, axis=0)
    return np.ascontiguousarray(index[:, keep]), np.ascontiguousarray(weight[:, keep])


def _axis0(plane, out_length, scale):
    index, weight = _taps(plane.shape[0], out_length, scale)
    out = np.zeros((out_length,) + plane.shape[1:])
    shape = (-1,) + (1,) * (plane.ndim - 1)
    for k in range(index.shape[1]):
        out += weight[:, k].reshape(shape) * plane[index[:, k]]
    return out


def to8(x):
    """Round half away from zero like MATLAB, clip to 8 bits."""
    return np.clip(np.floor(x + 0.5), 0, 255)


def imresize(image, scale):
    """Bicubic with antialiasing; rows, then columns; rounded to 8 bits after each pass.

    uint8 HxW or HxWx3 in and out."""
    h, w = image.shape[:2]
    x = to8(_axis0(image.astype(np.float64), int(np.ceil(h * scale)), scale))
    x = np.swapaxes(x, 0, 1)
    x = to8(_axis0(x, int(np.ceil(w * scale)), scale))
    return np.ascontiguousarray(np.swapaxes(x, 0, 1)).astype(np.uint8)


def modcrop(image, scale):
    h, w = image.shape[:2]
    return image[: h - h % scale, : w - w % scale]


def luma(rgb):
    """BT.601 studio luma, 16..235, in floating point."""
    rgb = rgb.astype(np.float64)
    return 16.0 + (65.481 * rgb[..., 0] + 128.553 * rgb[..., 1] + 24.966 * rgb[..., 2]) / 255.0


def chroma(rgb):
    rgb = rgb.astype(np.float64)
    cb = 128.0 + (-37.797 * rgb[..., 0] - 74.203 * rgb[..., 1] + 112.0 * rgb[..., 2]) / 255.0
    cr = 128.0 + (112.0 * rgb[..., 0] - 93.786 * rgb[..., 1] - 18.214 * rgb[..., 2]) / 255.0
    return cb, cr


def psnr(a, b):
    return 10 * np.log10(255.0**2 / np.mean((a - b) ** 2))


def ssim(a, b):
    """11x11 Gaussian window, sigma 1.5, valid area."""
    g = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    g /= g.sum()

    def blur(x):
        x = np.apply_along_axis(np.convolve, 0, x, g, "valid")
        return np.apply_along_axis(np.convolve, 1, x, g, "valid")

    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    ma, mb = blur(a), blur(b)
    va, vb, vab = blur(a * a) - ma * ma, blur(b * b) - mb * mb, blur(a * b) - ma * mb
    return float(np.mean((2 * ma * mb + c1) * (2 * vab + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2))))


def shuffle(sub):
    """(4, h, w) sub-pixel phases -> (2h, 2w)."""
    _, h, w = sub.shape
    return sub.reshape(2, 2, h, w).transpose(2, 0, 3, 1).reshape(2 * h, 2 * w)


def unshuffle(plane):
    h, w = plane.shape
    return plane.reshape(h // 2, 2, w // 2, 2).transpose(1, 3, 0, 2).reshape(4, h // 2, w // 2)
