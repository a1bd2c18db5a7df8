"""PSNR and SSIM on Set5 and BSD100, clean and compressed, and time against FSRCNN.

    python evaluate.py --bench <sr-bench folder>            # quality of models/*/*.onnx
    python evaluate.py --bench <sr-bench folder> --speed    # and time against FSRCNN(56,12,4)

Luma is upscaled by the model, chroma by bicubic; the picture is put together as
8-bit RGB and its luma compared with the ground truth's, as the usual tables do.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import onnxruntime as ort
from PIL import Image

import degrade
import pixels

HERE = Path(__file__).resolve().parent


def load(path):
    image = np.asarray(Image.open(path).convert("RGB"))
    return np.ascontiguousarray(image)


def pictures(bench, name):
    """[(HR, LR)] as uint8 RGB. Set5's LR are files, the others are made here."""
    out = []
    for path in sorted((bench / name / "HR").glob("*.png")):
        hr = pixels.modcrop(load(path), 2)
        lows = list((bench / name / "LR_bicubic" / "X2").glob(f"{path.stem}x2.png"))
        lr = load(lows[0]) if lows else pixels.imresize(hr, 0.5)
        assert lr.shape[0] * 2 == hr.shape[0] and lr.shape[1] * 2 == hr.shape[1], path
        out.append((hr, lr))
    return out


def compressed(lr, kind):
    """LR as it comes back from the codec: (luma 0..255 float, RGB for chroma and bicubic)."""
    if kind == "clean":
        return lr
    if kind == "jpeg40":
        return degrade.jpeg(lr, 40)
    if kind == "h264-28":
        return degrade.h264([lr], crf=28, preset="medium")[0]
    raise ValueError(kind)


def upscale(session, lr):
    """RGB LR -> RGB SR by the model on luma and bicubic on chroma."""
    y = pixels.luma(lr)
    sub = session.run(None, {session.get_inputs()[0].name: (y / 255).astype(np.float32)[None, None]})[0]
    y2 = pixels.shuffle(sub[0].astype(np.float64)) * 255
    cb, cr = (pixels._axis0(pixels._axis0(c, c.shape[0] * 2, 2.0).T, c.shape[1] * 2, 2.0).T - 128 for c in pixels.chroma(lr))
    k = 255 / 219 * (y2 - 16)
    rgb = np.stack([k + 1.596027 * cr, k - 0.391762 * cb - 0.812968 * cr, k + 2.017232 * cb], -1)
    return pixels.to8(rgb)


def score(bench, sets, kinds, methods):
    """{(set, kind, method): (psnr, ssim)}"""
    table = {}
    for name in sets:
        pairs = pictures(bench, name)
        for kind in kinds:
            sums = {m: [] for m in methods}
            for hr, lr in pairs:
                want = pixels.luma(hr)[2:-2, 2:-2]
                low = compressed(lr, kind)
                for m, session in methods.items():
                    sr = pixels.imresize(low, 2.0) if session is None else upscale(session, low)
                    got = pixels.luma(sr)[2:-2, 2:-2]
                    sums[m].append((pixels.psnr(got, want), pixels.ssim(got, want)))
            for m, s in sums.items():
                table[name, kind, m] = tuple(np.mean(s, axis=0))
    return table


def open_model(source, threads):
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def fsrcnn(d=56, s=12, m=4):
    """FSRCNN(d, s, m) x2 with random weights, as PyTorch code of it exports: Conv, PRelu, ConvTranspose."""
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(0)
    nodes, inits, x = [], [], "y"

    def const(name, array):
        inits.append(numpy_helper.from_array(array.astype(np.float32), name))
        return name

    shape = [(d, 1, 5), (s, d, 1)] + [(s, s, 3)] * m + [(d, s, 1)]
    for i, (o, c, k) in enumerate(shape):
        w = const(f"w{i}", rng.standard_normal((o, c, k, k)) * (2 / (c * k * k)) ** 0.5)
        b, a = const(f"b{i}", np.zeros(o)), const(f"a{i}", np.full((o, 1, 1), 0.25))
        nodes.append(helper.make_node("Conv", [x, w, b], [f"c{i}"], kernel_shape=[k, k], pads=[k // 2] * 4))
        nodes.append(helper.make_node("PRelu", [f"c{i}", a], [f"p{i}"]))
        x = f"p{i}"
    w = const("wt", rng.standard_normal((d, 1, 9, 9)) * 0.01)
    nodes.append(
        helper.make_node(
            "ConvTranspose", [x, w, const("bt", np.zeros(1))], ["out"],
            kernel_shape=[9, 9], pads=[4] * 4, strides=[2, 2], output_padding=[1, 1],
        )
    )
    g = helper.make_graph(
        nodes, "fsrcnn",
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, "h", "w"])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, 1, "h2", "w2"])], inits,
    )
    proto = helper.make_model(g, opset_imports=[helper.make_opsetid("", 17)])
    proto.ir_version = 8
    return proto.SerializeToString()


def speed(models, rounds):
    """Least wall and CPU time of `rounds` alternating runs, in ms: {(threads, size, model): (wall, cpu)}

    On a machine that has other work to do the CPU time is the steadier of the two."""
    sources = {"fsrcnn": fsrcnn(), **{name: str(path) for name, path in models.items()}}
    table = {}
    for threads in (1, 2):
        sessions = {m: open_model(s, threads) for m, s in sources.items()}
        for h, w in ((360, 640), (720, 1280)):
            x = np.random.default_rng(0).random((1, 1, h, w), dtype=np.float32)
            for s in sessions.values():
                s.run(None, {"y": x})
            for _ in range(rounds):
                for m, s in sessions.items():
                    start = time.perf_counter(), time.process_time()
                    s.run(None, {"y": x})
                    took = (time.perf_counter() - start[0]) * 1e3, (time.process_time() - start[1]) * 1e3
                    key = threads, f"{w}x{h}", m
                    table[key] = tuple(map(min, table.get(key, took), took))
    return table


def quality(args, paths):
    methods = {"bicubic": None, **{n: open_model(str(p), 2) for n, p in paths.items()}}
    table = score(args.bench, args.sets, args.kinds, methods)
    print("| set | input | " + " | ".join(methods) + " |")
    print("|---|---|" + "---|" * len(methods))
    for name in args.sets:
        for kind in args.kinds:
            cells = ["%.2f / %.4f" % table[name, kind, m] for m in methods]
            print(f"| {name} | {kind} | " + " | ".join(cells) + " |")


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--bench", type=Path, required=True, help="folder with Set5 and BSD100")
    ap.add_argument("--models", type=Path, default=HERE.parent)
    ap.add_argument("--sets", nargs="*", default=["Set5", "BSD100"])
    ap.add_argument("--kinds", nargs="*", default=["clean", "jpeg40", "h264-28"])
    ap.add_argument("--speed", action="store_true")
    ap.add_argument("--rounds", type=int, default=9)
    args = ap.parse_args()
    paths = {p.parent.name: p for p in sorted(args.models.glob("*/*.onnx"))}
    if args.sets:
        quality(args, paths)
    if args.speed:
        times = speed(paths, args.rounds)
        print("\n| threads | input | model | wall ms | FSRCNN / model | CPU ms | FSRCNN / model |\n|---|---|---|---|---|---|---|")
        for (threads, size, m), (wall, cpu) in times.items():
            ref = times[threads, size, "fsrcnn"]
            print(f"| {threads} | {size} | {m} | {wall:.1f} | {ref[0] / wall:.2f} | {cpu:.1f} | {ref[1] / cpu:.2f} |")


if __name__ == "__main__":
    main()
