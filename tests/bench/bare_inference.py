"""ONNX Runtime and nothing else: the model on one picture, again and again."""

import argparse
import json
import time

import numpy as np
import onnxruntime as ort


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True, help="folder with manifest.json")
    parser.add_argument("--width", type=int, required=True)
    parser.add_argument("--height", type=int, required=True)
    parser.add_argument("--frames", type=int, required=True)
    options = parser.parse_args()
    with open(f"{options.model}/manifest.json", encoding="utf-8") as file:
        manifest = json.load(file)
    session = ort.InferenceSession(
        f"{options.model}/{manifest['file']}", providers=["CPUExecutionProvider"]
    )
    noise = np.random.default_rng(1).uniform(16, 235, (1, 1, options.height, options.width))
    feed = {manifest["input"]["name"]: noise.astype(np.float32)}
    session.run(None, feed)
    started = time.perf_counter()
    for _ in range(options.frames):
        session.run(None, feed)
    seconds = time.perf_counter() - started
    print(json.dumps({"frames": options.frames, "seconds": seconds}))


if __name__ == "__main__":
    main()
