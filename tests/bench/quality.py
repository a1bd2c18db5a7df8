"""How good the results of operations are, on references: runs the program on real material whose
truth is known, measures what comes out, and prints the rows as JSON.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import av
import numpy as np

import measures

TALK = "media/video/h264_aac_face_1s.mp4"
YARD = "media/video/hevc_720p25_4s.ts"
STREET = "media/video/h264_aac_16s_320x240_60fps.mp4"
CAR = "media/video/vp9_10bit.webm"
NIGHT = "curves=all='0/0 0.25/0.05 0.5/0.11 0.75/0.2 1/0.45',noise=c0s=3:c0f=t:all_seed=7"
LOSSLESS = ["--codec", "ffv1", "--quality", "lossless"]
MODELS = {
    "selfie": ("matting/selfie_segmentation.onnx", []),
    "meet": ("matting/mediapipe_meet_144x256.onnx", []),
    "ultraface": ("face/ultraface-RFB-320.onnx", []),
    "letters": ("ocr/en_PP-OCRv3_det.onnx", []),
    "tbefn": ("lowlight/tbefn_360x640.onnx", []),
    "sci": ("lowlight/sci_360x640.onnx", []),
    "mosaic": ("style/mosaic_nc8_256.onnx", ["--task", "style"]),
    "depth": ("depth/tcmonodepth_192x320.onnx", []),
    "speech": ("audio/silero_vad.onnx", []),
    "cleaner": ("audio/gtcrn_simple.onnx", []),
    "span": ("denoise-image/1x-span-anime-pretrain-fp16.onnx", []),
}


class Bench:
    """The program on a data folder of its own, material, and the rows so far."""

    def __init__(self, options):
        self.program = options.frameloom
        self.data = Path(options.data)
        self.work = Path(options.work)
        self.environment = dict(os.environ, FRAMELOOM_DATA_DIR=str(self.work / "data"))
        self.rows = []
        for name, (file, more) in MODELS.items():
            self.frameloom("models", "import", self.data / "models" / file, "--id", name, *more)

    def frameloom(self, *words):
        """Standard output of a command that must succeed."""
        command = [str(self.program), *map(str, words)]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(command)}: {done.stderr[-2000:]}")
        return done.stdout

    def made(self, verb, source, name, *more):
        """Where a verb put its result."""
        result = self.work / name
        words = verb.split()
        if words[0] == "run":
            self.frameloom(*words, "--in", source, "--out", result, "--device", "cpu", "--overwrite", *more)
            return result
        self.frameloom(*words, source, "-o", result, "--device", "cpu", "--overwrite", *more)
        return result

    def ffmpeg(self, name, *words):
        """A file made by ffmpeg."""
        result = self.work / name
        command = ["ffmpeg", "-v", "error", "-nostdin", "-y", *map(str, words), str(result)]
        subprocess.run(command, check=True)
        return result

    def row(self, operation, what, on, after, goal="", is_met=None, before=""):
        self.rows.append(
            {
                "operation": operation,
                "what": what,
                "on": on,
                "before": before,
                "after": after,
                "goal": goal,
                "is_met": None if is_met is None else bool(is_met),
            }
        )
        print(f"[quality] {self.rows[-1]}", file=sys.stderr, flush=True)

    def part_of(self, clip, more="null"):
        """Two seconds of a clip in a small size, without loss."""
        look = f"scale=480:-2,{more},format=yuv420p"
        return self.ffmpeg(
            "part.mkv", "-t", 2, "-i", self.data / clip, "-an", "-vf", look, "-c:v", "ffv1"
        )


def short(path):
    return Path(path).name


def upscale(bench):
    sums = np.zeros(4)
    files = sorted((bench.data / "sr-bench/Set5/HR").glob("*.png"))
    for file in files:
        low = bench.data / f"sr-bench/Set5/LR_bicubic/X2/{file.stem}x2.png"
        plain = bench.ffmpeg("plain.png", "-i", low, "-vf", "scale=iw*2:ih*2:flags=bicubic")
        made = bench.made("upscale", low, "large.png", "--model", "loom-x2")
        truth = measures.luma(measures.pictures(file)[0])
        for place, path in ((0, plain), (2, made)):
            found = measures.luma(measures.pictures(path)[0])
            height, width = found.shape
            a, b = found[2:-2, 2:-2], truth[:height, :width][2:-2, 2:-2]
            sums[place : place + 2] += measures.psnr(a, b), measures.ssim(a, b)
    before, bs, after, s = sums / len(files)
    bench.row(
        "upscale", "PSNR, SSIM; before: ffmpeg's bicubic", "Set5 x2, loom-x2",
        f"{after:.2f} dB, {s:.4f}", "better than bicubic", after > before and s > bs,
        f"{before:.2f} dB, {bs:.4f}",
    )


def restore(bench):
    files = [bench.data / f"sr-bench/Kodak/kodim{n:02}.png" for n in (1, 5, 8, 13, 19, 23)]
    rng = np.random.default_rng(7)

    def noised(sigma):
        def make(file):
            rgb = measures.pictures(file)[0]
            noisy = rgb + rng.normal(0, sigma, rgb.shape)
            return save(bench.work / "bad.png", np.clip(np.rint(noisy), 0, 255).astype(np.uint8))
        return make

    def jpeg(file):
        return bench.ffmpeg("bad.jpg", "-i", file, "-q:v", 12, "-pix_fmt", "yuvj420p")

    # A strength of one's own is a matter of graphs.
    strong = bench.work / "strong.json"
    nodes = [("in", "source", {}), ("clean", "denoise", {"sigma": 10.0}), ("out", "sink", {})]
    strong.write_text(
        json.dumps(
            {
                "version": 2,
                "nodes": [{"id": id, "op": op, "params": params} for id, op, params in nodes],
                "edges": [{"from": "in", "to": "clean"}, {"from": "clean", "to": "out"}],
            }
        )
    )
    for damage, make, ways in (
        ("noise of 4 of 255", noised(4), [("denoise", "do clean", [])]),
        ("noise of 10 of 255", noised(10), [("denoise", "do clean", [])]),
        ("noise of 10 of 255", noised(10), [("denoise, sigma 10", f"run {strong}", [])]),
        (
            "JPEG (mjpeg -q 12)",
            jpeg,
            [
                ("denoise", "do clean", []),
                ("restore, span", "upscale", ["--scale", 1, "--model", "span"]),
            ],
        ),
    ):
        for name, verb, more in ways:
            sums = np.zeros(4)
            for file in files:
                bad = make(file)
                made = bench.made(verb, bad, "restored.png", *more)
                truth = measures.pictures(file)[0]
                for place, path in ((0, bad), (2, made)):
                    found = measures.pictures(path)[0]
                    sums[place] += measures.psnr(found, truth)
                    sums[place + 1] += measures.ssim(measures.luma(found), measures.luma(truth))
            before, bs, after, s = sums / len(files)
            bench.row(
                name, "PSNR, SSIM", f"6 of Kodak, {damage}", f"{after:.2f} dB, {s:.4f}",
                "better than before", after > before and s > bs, f"{before:.2f} dB, {bs:.4f}",
            )


def save(path, rgb):
    """An RGB picture as PNG."""
    with av.open(str(path), "w", format="image2", options={"update": "1"}) as file:
        stream = file.add_stream("png", rate=1)
        stream.height, stream.width = rgb.shape[:2]
        stream.pix_fmt = "rgb24"
        file.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")))
        file.mux(stream.encode(None))
    return path


def background(bench):
    for drawn in sorted((Path(__file__).parent / "masks").glob("*.json")):
        picture, truth = measures.mask(drawn)
        for model in ("selfie", "meet"):
            made = bench.made("background", bench.data / picture, "cut.png", "--model", model)
            found = measures.pictures(made, "rgba")[0][..., 3] > 127
            value = measures.overlap(found, truth)
            bench.row(
                "background", "intersection by union with a mask drawn by hand",
                f"{short(picture)}, {model}", f"{value:.4f}", "at least 0.9", value >= 0.9,
            )


def steadiness(bench):
    def both(operation, source, name, least, see, *more):
        before = measures.planes(source)
        values = []
        for smooth in (0, 1):
            made = bench.made(operation, source, "steady.mkv", "--smooth", smooth, *LOSSLESS, *more)
            shown = see(before, made)
            values.append(measures.flicker(before, shown))
        alone, steady = values
        bench.row(
            operation, "flicker; before: frame by frame", name,
            f"{steady:.4g} ({steady / alone:.2f})", f"at most {least} of it",
            steady <= least * alone, f"{alone:.4g}",
        )

    alpha = lambda _, made: measures.planes(made, 3)
    shown = lambda _, made: measures.planes(made)

    def lighter(before, made):
        over = lambda plane: np.maximum(plane - 16, 1)
        return [np.log2(over(n) / over(b)) for b, n in zip(before, measures.planes(made))]

    for clip in (TALK, YARD):
        name = short(clip)
        both("background", bench.data / clip, f"{name}, selfie", 0.5, alpha, "--model", "selfie")
        part = bench.part_of(clip)
        both("depth", part, name, 0.5, shown, "--model", "depth")
        both("style", part, f"{name}, mosaic", 0.5, shown, "--model", "mosaic", "--size", 480)
        night = bench.part_of(clip, NIGHT)
        both("light", night, f"{name} by night, sci", 1, lighter, "--model", "sci")


def light(bench):
    for clip in (TALK, YARD):
        day = measures.planes(bench.part_of(clip))
        night = bench.part_of(clip, NIGHT)
        dark = measures.psnr(measures.planes(night), day)
        for name, more in (
            ("without a model", []),
            ("sci", ["--model", "sci"]),
            ("tbefn", ["--model", "tbefn"]),
        ):
            made = bench.made("light", night, "light.mkv", *LOSSLESS, *more)
            value = measures.psnr(measures.planes(made), day)
            bench.row(
                "light", "PSNR to the scene by day", f"{short(clip)} made dark, {name}",
                f"{value:.2f} dB", "nearer than before", value > dark, f"{dark:.2f} dB",
            )


def redact(bench):
    blurred = bench.ffmpeg(
        "blurred.mkv", "-i", bench.data / TALK, "-an",
        "-vf", "gblur=sigma=24:steps=3:enable='between(n,12,16)'", "-c:v", "ffv1",
    )
    clips = [
        (TALK, bench.data / TALK),
        ("the same, out of focus for five frames", blurred),
        ("media/video/cineform_422_10bit.avi", bench.data / "media/video/cineform_422_10bit.avi"),
        ("media/video/interlaced_bff.mkv", bench.data / "media/video/interlaced_bff.mkv"),
    ]
    other = measures.Faces(bench.data / "models/face/yunet_120x160.onnx")
    for name, clip in clips:
        # Fields become pictures here as the program makes them, so that frames are those of its result.
        plain = bench.made("redact", clip, "plain.mkv", "--only-areas", "--area", "0 0 0.1 0.1", *LOSSLESS)
        seen = [other.find(rgb, 0.7) for rgb in measures.pictures(plain)]
        for how in (["--fill=#00ff00"], []):
            made = bench.made("redact", clip, "redacted.mkv", "--model", "ultraface", *LOSSLESS, *how)
            after = measures.pictures(made)
            visible, least = 0, 1.0
            for number, rgb in enumerate(after):
                # What is found in a result where a face is in the source, there or in its neighbours.
                near = [box for boxes in seen[max(number - 1, 0) : number + 2] for box in boxes]
                found = other.find(rgb, 0.7)
                visible += any(measures.shared(a, b) > 0.2 for a in found for b in near)
                green = (rgb[..., 1] > 200) & (rgb[..., 0] < 60) & (rgb[..., 2] < 60)
                height, width = green.shape
                for left, top, right, bottom in seen[number]:
                    rows = slice(max(int(top * height), 0), int(bottom * height))
                    columns = slice(max(int(left * width), 0), int(right * width))
                    least = min(least, green[rows, columns].mean())
            faces = sum(bool(boxes) for boxes in seen)
            way = "filled" if how else "blurred"
            bench.row(
                "redact", f"frames with a face that YuNet sees, {way}", f"{short(name)}, ultraface",
                f"{visible} of {len(after)}", "none" if how else "", visible == 0 if how else None,
                f"{faces} of {len(seen)}",
            )
            if how:
                bench.row(
                    "redact", f"least part of a face's box that is covered, {way}",
                    f"{short(name)}, ultraface", f"{least:.2f}",
                )


SPEECH = [
    "libri_1272-141231-0002.flac", "dns3_0015_clean.wav", "jfk_11s.flac", "dns3_0016_clean.wav",
]
PAUSES = [2.0, 1.5, 3.0, 1.2, 2.5]


def silence(bench):
    rng = np.random.default_rng(5)
    pieces, labels = [], []
    for pause, file in zip(PAUSES, SPEECH):
        one = measures.sound(bench.data / "media/speech" / file)
        one = one[: len(one) // 160 * 160]
        pieces += [np.zeros(int(pause * 16000)), one * 0.08 / np.sqrt(np.square(one).mean())]
        labels += [np.zeros(round(pause * 100), bool), measures.spoken(one)]
    pieces.append(np.zeros(int(PAUSES[-1] * 16000)))
    labels.append(np.zeros(round(PAUSES[-1] * 100), bool))
    speech, label = np.concatenate(pieces), np.concatenate(labels)
    test = measures.sound(bench.data / "media/speech/silero_vad_test_60s.wav")
    cases = [
        (f"four speakers between pauses, hiss at {hiss} dB", speech + rng.uniform(-1, 1, len(speech)) * 10 ** (hiss / 20), label)
        for hiss in (-70, -60)
    ]
    cases.append(("silero_vad_test_60s.wav", test, measures.spoken(test)))
    for name, samples, label in cases:
        raw = bench.work / "speech.f32"
        raw.write_bytes(samples.astype("<f4").tobytes())
        clip = bench.ffmpeg("speech.wav", "-f", "f32le", "-ar", 16000, "-ac", 1, "-i", raw)
        told = bench.frameloom("silence", clip, "--export", "list", "-o", "-", "--model", "speech")
        kept = np.zeros(len(label), bool)
        starts, ends = [], []
        for line in told.split():
            start, end = line.split("-")
            start, end = float(start), float(end) if end else len(samples) / 16000
            kept[int(np.ceil(start * 100 - 1e-6)) : int(end * 100 + 1e-6)] = True
            inside = np.flatnonzero(label[int(start * 100) : int(np.ceil(end * 100))])
            if len(inside):
                starts.append(int(start * 100) / 100 + inside[0] / 100 - start)
                ends.append(end - int(start * 100) / 100 - (inside[-1] + 1) / 100)
        lost = int((label & ~kept).sum())
        left = (kept & ~label).sum() / max((~label).sum(), 1)
        bench.row(
            "silence", "spoken hundredths of a second cut off", name, f"{lost} of {int(label.sum())}",
            "none", lost == 0,
        )
        bench.row(
            "silence", "cuts before speech, behind speech: least, median", name,
            "; ".join(f"{min(x) * 1000:.0f}, {np.median(x) * 1000:.0f} ms" for x in (starts, ends)),
            "never within", min(starts + ends) >= -1e-6,
        )
        bench.row("silence", "part of the silence that is left", name, f"{left * 100:.0f} %")


SHOTS = [
    ("media/video/h264_1080p_full-range_5s.mp4", 0.0, 60),
    (STREET, 2.0, 50),
    ("media/video/hevc_1080p_full-range.mp4", 1.0, 70),
    ("media/video/preroll_5s_640x360.mp4", 0.0, 55),
    (YARD, 1.0, 50),
]


def scenes(bench):
    look = "fps=25,scale=320:180:force_original_aspect_ratio=decrease,pad=320:180:-1:-1,setsar=1,format=yuv420p"
    parts = [
        bench.ffmpeg(
            f"shot{n}.mkv", "-ss", start, "-i", bench.data / file, "-an", "-sn", "-vf", look,
            "-frames:v", frames, "-c:v", "ffv1",
        )
        for n, (file, start, frames) in enumerate(SHOTS)
    ]
    (bench.work / "list.txt").write_text("".join(f"file '{part}'\n" for part in parts))
    joined = bench.ffmpeg(
        "joined.mkv", "-f", "concat", "-safe", 0, "-i", bench.work / "list.txt",
        "-vf", "setpts=N/(25*TB)", "-c:v", "libx264", "-crf", 16,
    )
    flashes = bench.ffmpeg(
        "flashes.mkv", "-i", joined, "-vf",
        "geq=lum='if(between(N,20,21)+between(N,80,84),235,if(between(N,140,142),16,lum(X,Y)))'"
        ":cb='cb(X,Y)':cr='cr(X,Y)'", "-c:v", "ffv1",
    )
    truth = np.cumsum([0] + [frames for *_, frames in SHOTS[:-1]])[1:].tolist()
    cases = [("five shots joined", joined, truth, 0), ("the same with flashes", flashes, truth, 0)]
    for kind, slack in (("fade", 3), ("fadeblack", 6)):
        mixed = (
            "[0:v]settb=1/25,fps=25[a];[1:v]settb=1/25,fps=25[b];[2:v]settb=1/25,fps=25[c];"
            f"[a][b]xfade=transition={kind}:duration=0.48:offset=1.92[x];"
            f"[x][c]xfade=transition={kind}:duration=0.64:offset=3.28[o]"
        )
        inputs = [word for part in parts[:3] for word in ("-i", part)]
        clip = bench.ffmpeg(f"{kind}.mkv", *inputs, "-filter_complex", mixed, "-map", "[o]", "-crf", 16)
        cases.append((f"three shots, {kind} of 12 and 16 frames", clip, [54, 90], slack))
    for name, clip, truth, slack in cases:
        told = json.loads(bench.frameloom("scenes", clip, "--export", "json", "--to", "-"))
        found = [shot["first_frame"] for shot in told["shots"]][1:]
        hit = [cut for cut in truth if any(abs(cut - other) <= slack for other in found)]
        wrong = [other for other in found if not any(abs(cut - other) <= slack for cut in truth)]
        bench.row(
            "scenes", f"joins found within {slack} frames, and wrong ones", name,
            f"{len(hit)} of {len(truth)}, {len(wrong)}", "all, none",
            len(hit) == len(truth) and not wrong,
        )


def voice(bench):
    for pair in ("0015", "0016", "0072"):
        noisy = bench.data / f"media/speech/dns3_{pair}_noisy.wav"
        clean = measures.sound(bench.data / f"media/speech/dns3_{pair}_clean.wav")
        clip = bench.ffmpeg(
            "voice.mkv", "-f", "lavfi", "-i", "testsrc2=s=96x54:r=25:d=12", "-i", noisy, "-shortest",
            "-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "flac",
        )
        before = measures.si_snr(clean, measures.sound(clip))
        for name, more, goal in (("gtcrn", ["--model", "cleaner"], 2.0), ("afftdn", [], None)):
            if goal is None:
                # Without a model in the data folder, the program takes ffmpeg's filter.
                bench.frameloom("models", "remove", "cleaner")
            made = bench.made("voice", clip, "clean.mkv", "--loudness", -16, *more)
            if goal is None:
                file, words = MODELS["cleaner"]
                bench.frameloom("models", "import", bench.data / "models" / file, "--id", "cleaner", *words)
            after = measures.si_snr(clean, measures.sound(made))
            bench.row(
                "voice", "SI-SNR", f"dns3_{pair}, {name}", f"{after:.2f} dB",
                "" if goal is None else f"{goal:.0f} dB better", None if goal is None else after - before >= goal,
                f"{before:.2f} dB",
            )
            loud, peak = measures.loudness(made)
            bench.row(
                "voice", "loudness, true peak", f"dns3_{pair}, {name}", f"{loud:.1f} LUFS, {peak:.1f} dBTP",
                "-16 by 0.6, at most -0.9", abs(loud + 16) <= 0.6 and peak <= -0.9,
            )


def interpolate(bench):
    for file, stretch in (
        (STREET, "trim=start_frame=60:end_frame=120"),
        (CAR, "trim=start_frame=46:end_frame=70"),
    ):
        whole = f"{stretch},setpts=N/50/TB,format=yuv420p"
        halved = f"{whole},select='not(mod(n,2))'"
        source = ["-i", bench.data / file, "-an", "-sn", "-vf"]
        real = measures.planes(bench.ffmpeg("whole.mkv", *source, whole, "-r", 50, "-c:v", "ffv1"))
        half = bench.ffmpeg("half.mkv", *source, halved, "-r", 25, "-c:v", "ffv1")
        quality = lambda path: measures.psnr(measures.planes(path)[1 : len(real) - 4 : 2], real[1 : len(real) - 4 : 2])
        own = quality(bench.made("interpolate", half, "made.mkv", *LOSSLESS))
        others = {
            name: quality(bench.ffmpeg("other.mkv", "-i", half, "-vf", look, "-c:v", "ffv1"))
            for name, look in (
                ("held", "fps=50"),
                ("minterpolate", "minterpolate=fps=50:mi_mode=mci:mc_mode=aobmc:me_mode=bidir:vsbmc=1"),
            )
        }
        bench.row(
            "interpolate", "PSNR of frames that were taken away; before: held, minterpolate", short(file),
            f"{own:.2f} dB", "better than both", own > max(others.values()),
            ", ".join(f"{value:.2f}" for value in others.values()) + " dB",
        )


def stabilise(bench):
    wave = lambda a, b: f"trunc({a}*sin(n*2.1+{b})+{a}*0.7*sin(n*1.27+{b}*3)+{a}*0.4*sin(n*2.9))"
    look = (
        f"scale=2560:-2:flags=bicubic,crop=1600:900:x='400+n*6+{wave(9.0, 0.4)}':y='300+{wave(7.0, 1.9)}',"
        "scale=400:224:flags=area,noise=c0s=3:c0f=t+u:all_seed=7,format=yuv420p"
    )
    shaken = bench.ffmpeg(
        "shaken.mkv", "-loop", 1, "-framerate", 25, "-i", bench.data / "images/photo/wolves.jpg",
        "-vf", look, "-frames:v", 60, "-c:v", "ffv1",
    )
    walk = bench.ffmpeg(
        "walk.mkv", "-ss", 4, "-t", 2, "-i", bench.data / "media/video/h264_aac_17s_640x360.mp4", "-an",
        "-vf", "scale=320:180,format=yuv420p", "-c:v", "ffv1",
    )
    for name, clip, goal, more in (
        ("a known shake of a photo", shaken, 0.15, []),
        ("out of a hand, h264_aac_17s_640x360.mp4", walk, 0.5, ["--zoom", 1.25]),
    ):
        before = measures.jitter(measures.planes(clip))
        made = bench.made("stabilise", clip, "calm.mkv", *LOSSLESS, *more)
        after = measures.jitter(measures.planes(made))
        bench.row(
            "stabilise", "jitter in pixels, root mean square", name, f"{after:.3f} ({after / before:.2f})",
            f"at most {goal} of it", after <= goal * before, f"{before:.3f}",
        )


def deinterlace(bench):
    for file in (STREET, "media/video/vp9_10bit.webm"):
        still = "scale=320:-2,trim=start_frame=40:end_frame=100,setpts=N/50/TB,format=yuv420p"
        source = ["-i", bench.data / file, "-an", "-sn", "-vf"]
        whole = bench.ffmpeg("whole.mkv", *source, still, "-r", 50, "-c:v", "ffv1")
        fields = bench.ffmpeg(
            "fields.mkv", *source, f"{still},tinterlace=interleave_top,fieldorder=tff", "-r", 25,
            "-c:v", "ffv1", "-flags", "+ildct+ilme",
        )
        real = measures.planes(whole)
        quality = lambda path: measures.psnr(measures.planes(path)[2 : len(real) - 4], real[2 : len(real) - 4])
        own = quality(bench.made("do deinterlace", fields, "whole_again.mkv", *LOSSLESS))
        other = quality(bench.ffmpeg("other.mkv", "-i", fields, "-vf", "yadif=1", "-c:v", "ffv1"))
        bench.row(
            "deinterlace", "PSNR to what the fields were taken from; before: yadif", short(file),
            f"{own:.2f} dB", "better than yadif", own > other, f"{other:.2f} dB",
        )


def reframe(bench):
    square = bench.ffmpeg(
        "square.mkv", "-f", "lavfi", "-i", "color=0x606060:s=640x360:r=25:d=8", "-filter_complex",
        "color=white:s=60x60:r=25[box];[0][box]overlay=x='290+250*sin(t*0.9)':y=150:shortest=1,format=yuv420p",
        "-c:v", "ffv1",
    )
    made = bench.made("reframe", square, "upright.mkv", "--motion", *LOSSLESS)
    middle = lambda row: np.flatnonzero(row > 200).mean()
    lefts, lost = [], 0
    for frame, whole in zip(measures.planes(made), measures.planes(square)):
        lost += (frame[180] > 200).sum() < 58
        lefts.append(middle(whole[180]) - middle(frame[180]))
    jerk = np.abs(np.diff(lefts, 2)).max()
    bench.row("reframe", "frames in which what moves is cut off", "a square that moves, 9:16", f"{lost} of 200", "none", lost == 0)
    bench.row("reframe", "largest change of the crop's speed, pixels a frame", "a square that moves, 9:16", f"{jerk:.2f}", "at most 2.5", jerk <= 2.5)
    other = measures.Faces(bench.data / "models/face/yunet_120x160.onnx")
    pan = bench.ffmpeg(
        "pan.mkv", "-stream_loop", 3, "-i", bench.data / TALK, "-an", "-filter_complex",
        "color=0x707070:s=640x360:r=25[b];[0:v]fps=25,scale=480:-2[a];"
        "[b][a]overlay=x='80+80*sin(n/25)':y=40:shortest=1,format=yuv420p", "-c:v", "ffv1",
    )
    made = bench.made("reframe", pan, "upright.mkv", "--model", "ultraface", *LOSSLESS)
    faces = [other.find(rgb, 0.7) for rgb in measures.pictures(made)]
    whole = sum(any(box[0] > 0 and box[2] < 1 for box in boxes) for boxes in faces)
    bench.row(
        "reframe", "frames with the whole face in the crop", f"{short(TALK)}, small and moved, 9:16, ultraface",
        f"{whole} of {len(faces)}", "all", whole == len(faces),
    )


PARTS = [
    upscale, restore, background, steadiness, light, redact, silence, scenes, voice, interpolate,
    stabilise, deinterlace, reframe,
]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--frameloom", required=True, help="the program")
    parser.add_argument("--data", required=True, help="the test data")
    parser.add_argument("--work", required=True, help="an empty folder")
    parser.add_argument("--only", help="names of parts, separated by commas")
    options = parser.parse_args()
    bench = Bench(options)
    for part in PARTS:
        if not options.only or part.__name__ in options.only.split(","):
            part(bench)
    print(json.dumps(bench.rows))


if __name__ == "__main__":
    main()
