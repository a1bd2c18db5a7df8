"""Measures of pictures, clips and sounds, written apart from those of the tests in Rust: what both
say is not the mistake of one of them.
"""

import json
import subprocess

import av
import numpy as np
import onnxruntime as ort


def plane(frame, index):
    """A plane of a frame, from 0 to 255 whatever its depth: height x width."""
    data = frame.planes[index]
    bits = frame.format.components[index].bits
    dtype = np.dtype(np.uint8 if bits == 8 else "<u2")
    rows = np.frombuffer(data, dtype).reshape(data.height, data.line_size // dtype.itemsize)
    return rows[:, : data.width].astype(np.float32) * np.float32(255.0 / (2**bits - 1))


def planes(path, index=0):
    """That plane of every frame of a clip."""
    with av.open(str(path)) as clip:
        return [plane(frame, index) for frame in clip.decode(video=0)]


def pictures(path, form="rgb24"):
    """Every frame in red, green and blue: height x width x channels, bytes."""
    with av.open(str(path)) as clip:
        return [frame.to_ndarray(format=form) for frame in clip.decode(video=0)]


def sound(path, rate=16000):
    """The first track in one channel."""
    command = ["ffmpeg", "-v", "error", "-nostdin", "-i", str(path), "-vn", "-ac", "1"]
    command += ["-ar", str(rate), "-f", "f32le", "-"]
    told = subprocess.run(command, check=True, capture_output=True)
    return np.frombuffer(told.stdout, np.float32).astype(np.float64)


def luma(rgb):
    """BT.601 studio luma in floating point, as super-resolution is measured by."""
    weights = np.array([65.481, 128.553, 24.966]) / 255
    return 16 + rgb.astype(np.float64) @ weights


def psnr(a, b):
    """In dB, of a peak of 255; arrays, or lists of them."""
    pairs = list(zip(a, b)) if isinstance(a, list) else [(a, b)]
    error = sum(np.square(x.astype(np.float64) - y).sum() for x, y in pairs)
    return 10 * np.log10(255**2 * sum(x.size for x, _ in pairs) / max(error, 1e-9))


def ssim(a, b):
    """Structural similarity: a Gaussian of 11x11 and 1.5, where it lies within both."""
    kernel = np.exp(-np.square(np.arange(-5, 6)) / (2 * 1.5**2))
    kernel /= kernel.sum()

    def blurred(x):
        for axis in (0, 1):
            x = np.apply_along_axis(np.convolve, axis, x, kernel, "valid")
        return x

    a, b = a.astype(np.float64), b.astype(np.float64)
    ma, mb = blurred(a), blurred(b)
    va, vb = blurred(a * a) - ma * ma, blurred(b * b) - mb * mb
    both = blurred(a * b) - ma * mb
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return np.mean((2 * ma * mb + c1) * (2 * both + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2)))


def mask(path):
    """What a file of polygons says of a picture: its name, and true where the foreground is."""
    with open(path, encoding="utf-8") as file:
        drawn = json.load(file)
    width, height = drawn["size"]

    def inside(points):
        # A pixel is inside if a line from its middle to the right crosses the outline oddly often.
        x = np.arange(width) + 0.5
        found = np.zeros((height, width), bool)
        for (x0, y0), (x1, y1) in zip(points, points[1:] + points[:1]):
            for row in range(max(int(np.ceil(min(y0, y1) - 0.5)), 0), height):
                if not min(y0, y1) <= row + 0.5 < max(y0, y1):
                    break
                found[row] ^= x < x0 + (row + 0.5 - y0) * (x1 - x0) / (y1 - y0)
        return found

    whole = np.zeros((height, width), bool)
    for points in drawn["foreground"]:
        whole |= inside(points)
    for points in drawn["holes"]:
        whole &= ~inside(points)
    return drawn["picture"], whole


def overlap(a, b):
    """Intersection by union."""
    return (a & b).sum() / (a | b).sum()


def flicker(before, shown, still=3.0):
    """Mean change of what is shown between neighbours of a shot, where the luma of the source changes
    by no more than `still` of 255: nothing happened there that could be followed."""
    total, count = 0.0, 0
    for (a, b), (m, n) in zip(zip(before, before[1:]), zip(shown, shown[1:])):
        apart = np.abs(a - b)
        if apart.mean() <= 25.5:
            at = apart <= still
            total += np.abs(m - n)[at].sum()
            count += at.sum()
    return total / max(count, 1)


def si_snr(clean, found):
    """Scale-invariant ratio of speech to everything else, in dB."""
    count = min(len(clean), len(found))
    clean, found = clean[:count], found[:count]
    speech = clean * (clean @ found) / (clean @ clean)
    return 10 * np.log10(np.square(speech).sum() / np.square(found - speech).sum())


def loudness(path):
    """Integrated loudness in LUFS and true peak in dBTP, by ffmpeg."""
    command = ["ffmpeg", "-hide_banner", "-nostats", "-nostdin", "-i", str(path)]
    command += ["-af", "ebur128=peak=true", "-f", "null", "-"]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    summary = told.rsplit("Summary:", 1)[1]
    return tuple(float(summary.split(label, 1)[1].split()[0]) for label in ("I:", "Peak:"))


def spoken(clean, rate=16000):
    """Hundredths of a second in which somebody speaks, by the loudness of a clean recording alone:
    less than 25 dB below its loud parts, and not alone."""
    step = rate // 100
    power = np.square(clean[: len(clean) // step * step].reshape(-1, step)).mean(axis=1)
    over = power > np.sort(power)[len(power) * 95 // 100] * 10**-2.5
    near = np.convolve(over, [1, 1, 1], "same")
    return over & (near > 1)


def jitter(clip, reach=9):
    """Root mean square of how the way of the picture bends from frame to frame, in pixels."""

    def shift(a, b):
        h, w = a.shape
        my, mx = h // 5, w // 5
        own = a[my : h - my : 2, mx : w - mx : 2]

        def apart(x, y):
            return np.square(own - b[my + y : h - my + y : 2, mx + x : w - mx + x : 2]).mean()

        places = [(x, y) for y in range(-reach, reach + 1) for x in range(-reach, reach + 1)]
        x, y = min(places, key=lambda place: apart(*place))
        at = apart(x, y)

        def part(before, after):
            bend = before - 2 * at + after
            return 0.5 * (before - after) / bend if bend > 0 else 0.0

        across = x + part(apart(x - 1, y), apart(x + 1, y))
        return np.array([across, y + part(apart(x, y - 1), apart(x, y + 1))])

    steps = np.array([shift(a, b) for a, b in zip(clip, clip[1:])])
    return np.sqrt(np.square(np.diff(steps, axis=0)).sum(axis=1).mean())


class Faces:
    """YuNet of 2021 at 160x120: another detector than the one that the program looks for faces with."""

    SIZES = {8: (10, 16, 24), 16: (32, 48), 32: (64, 96), 64: (128, 192, 256)}

    def __init__(self, path):
        options = ort.SessionOptions()
        options.log_severity_level = 3
        self.session = ort.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        anchors = [
            (row, column, stride, side)
            for stride, sides in self.SIZES.items()
            for row in range(120 // stride)
            for column in range(160 // stride)
            for side in sides
        ]
        self.anchors = np.array(anchors, np.float64)

    def find(self, rgb, least):
        """Boxes `left, top, right, bottom` from 0 to 1, in a picture and in four parts of it that
        overlap, each face once; those that are at least so sure."""
        height, width = rgb.shape[:2]
        views = [(0, 0, 1, 1)] + [(x, y, 0.6, 0.6) for y in (0, 0.4) for x in (0, 0.4)]
        found = []
        for x, y, w, h in views:
            left, top = int(x * width), int(y * height)
            part = rgb[top : top + int(h * height), left : left + int(w * width)]
            for score, box in self.look(part):
                if score >= least:
                    a, b, c, d = box
                    found.append((score, (x + a * w, y + b * h, x + c * w, y + d * h)))
        found.sort(reverse=True)
        kept = []
        for _, box in found:
            if all(shared(box, other) < 0.3 for other in kept):
                kept.append(box)
        return kept

    def look(self, rgb):
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
        small = frame.reformat(160, 120, "bgr24", interpolation="AREA").to_ndarray()
        feed = small.astype(np.float32).transpose(2, 0, 1)[None]
        loc, conf, iou = self.session.run(None, {self.session.get_inputs()[0].name: feed})
        scores = np.sqrt(conf[:, 1] * np.clip(iou[:, 0], 0, 1))
        row, column, stride, side = self.anchors.T
        # Middles and sides are told relative to an anchor's, in tenths and fifths.
        x = ((column + 0.5) * stride + loc[:, 0] * 0.1 * side) / 160
        y = ((row + 0.5) * stride + loc[:, 1] * 0.1 * side) / 120
        w = side / 160 * np.exp(loc[:, 2] * 0.2) / 2
        h = side / 120 * np.exp(loc[:, 3] * 0.2) / 2
        boxes = np.stack([x - w, y - h, x + w, y + h], 1)
        at = scores > 0.3
        return list(zip(scores[at].tolist(), boxes[at].tolist()))


def shared(a, b):
    """Intersection by union of two boxes."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    both = max(width, 0) * max(height, 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return both / (sum(areas) - both)
