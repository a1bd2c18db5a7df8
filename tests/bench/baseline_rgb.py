"""Frame after frame through a model that takes and gives RGB from 0 to 1 (NCHW)."""

import argparse
import time

import av
import numpy as np
import onnxruntime as ort

import steps


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("--model", required=True, help="the ONNX file")
    parser.add_argument("--encoder", default="libx264")
    parser.add_argument("--options", default="{}", help="settings of the encoder, JSON")
    options = parser.parse_args()
    started = time.perf_counter()
    session = ort.InferenceSession(options.model, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    files = steps.Files(options)
    count = 0
    for frame in files.frames():
        rgb = frame.to_ndarray(format="rgb24").astype(np.float32).transpose(2, 0, 1)[None] / 255
        (result,) = session.run(None, {name: rgb})
        large = np.clip(np.rint(result[0] * 255), 0, 255).astype(np.uint8).transpose(1, 2, 0)
        out = av.VideoFrame.from_ndarray(np.ascontiguousarray(large), format="rgb24")
        out = out.reformat(format="yuv420p")
        out.pts, out.time_base = frame.pts, frame.time_base
        files.encode(out)
        count += 1
    files.close()
    steps.report(count, started)


if __name__ == "__main__":
    main()
