"""Collapse a checkpoint, write models/<id>/<id>.onnx and manifest.json, verify both.

    python export.py                                 # both, from out/<id>/best.pt
    python export.py --id loom-x2 --untrained        # the cubic base alone
"""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch

import graph
import model as net

HERE = Path(__file__).resolve().parent
TEXT = {
    "loom-x2": {
        "name": "Loom x2",
        "summary": {
            "en": "A fast doubling of clean video and pictures, sharper than bicubic and faithful to the source.",
            "vi": "Phóng to gấp đôi video và ảnh sạch thật nhanh, nét hơn nội suy bicubic và trung thực với bản gốc.",
            "fr": "Double rapidement la taille des vidéos et images propres, avec plus de netteté que le bicubique et sans trahir la source.",
        },
    },
    "loom-x2-web": {
        "name": "Loom x2 Web",
        "summary": {
            "en": "Doubles the size of compressed web video and pictures while removing blocks, ringing and light noise instead of sharpening them.",
            "vi": "Phóng to gấp đôi video và ảnh nén từ web, đồng thời khử vỡ khối, viền nhiễu và nhiễu hạt nhẹ thay vì làm chúng rõ hơn.",
            "fr": "Double la taille des vidéos et images compressées du web en retirant les blocs, les halos et le bruit léger au lieu de les accentuer.",
        },
    },
}


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--id", choices=sorted(TEXT), help="only this one")
    ap.add_argument("--out", type=Path, default=HERE / "out", help="where train.py left its checkpoints")
    ap.add_argument("--untrained", action="store_true")
    ap.add_argument("--models", type=Path, default=HERE.parent, help="folder that holds the model folders")
    args = ap.parse_args()
    for name in [args.id] if args.id else sorted(TEXT):
        write(name, None if args.untrained else args.out / name / "best.pt", args.models)


def write(name, checkpoint, models):
    torch.manual_seed(0)
    network = net.LoomNet()
    if checkpoint:
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
        network.load_state_dict(state["ema"])
        layers = network.collapse()
    else:
        layers = network.collapse()
        layers[-1] = tuple(np.zeros_like(a) for a in layers[-1])

    proto = graph.build(layers, graph.cubic_base(), doc=f"{name}: luma x2, Y/255 in, four sub-pixel phases out")
    data = proto.SerializeToString(deterministic=True)
    folder = models / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.onnx").write_bytes(data)

    # The collapsed graph must equal the branches it was trained as.
    session = ort.InferenceSession(data, providers=["CPUExecutionProvider"])
    y = torch.rand(1, 1, 61, 83)
    padded = torch.nn.functional.pad(y, (2, 2, 2, 2), mode="replicate")
    with torch.no_grad():
        wide = network.double()
        x = wide.by_branches(padded.double())
        x = x if checkpoint else torch.zeros_like(x)
        want = (x + wide.cubic(padded.double())).float().numpy()
    got = session.run(None, {"y": y.numpy()})[0]
    worst = float(np.abs(want - got).max())
    assert got.shape == (1, 4, 61, 83) and worst < 1e-4, (got.shape, worst)

    manifest = {
        "version": 1,
        "id": name,
        "name": TEXT[name]["name"],
        "task": "upscale",
        "scale": net.SCALE,
        "file": f"{name}.onnx",
        "sha256": hashlib.sha256(data).hexdigest(),
        "size_bytes": len(data),
        "licence": {"spdx": "CC0-1.0", "attribution": None},
        "input": {"name": "y", "layout": "nchw", "color": "luma", "range": "studio_255", "type": "float32"},
        "output": {"name": "subpixel", "layout": "nchw", "packing": "subpixel"},
        "tile": {"overlap": net.RADIUS, "feather": 0, "multiple": 1, "min": 16, "max": None, "preferred": 672},
        "summary": TEXT[name]["summary"],
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    (folder / "manifest.json").write_text(text, encoding="utf-8")
    params = sum(w.size + b.size for w, b in layers)
    print(f"{name}: {len(data)} bytes, {params} parameters, radius {net.RADIUS}, merge differs by {worst:.1e}")


if __name__ == "__main__":
    main()
