"""The three steps that both baselines share: decode, enlarge, encode.

A straightforward pipeline over PyAV and onnxruntime: the luma goes through the model, the chroma
through a bicubic kernel, the audio is copied.
"""

import argparse
import json
import time

import av
import numpy as np
import onnxruntime as ort


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("--model", required=True, help="folder with manifest.json")
    parser.add_argument("--encoder", default="libx264")
    parser.add_argument("--options", default="{}", help="settings of the encoder, JSON")
    return parser.parse_args()


class Enlarger:
    """The model on the luma of one frame, bicubic on its chroma."""

    def __init__(self, folder):
        with open(f"{folder}/manifest.json", encoding="utf-8") as file:
            manifest = json.load(file)
        self.scale = manifest["scale"]
        self.input = manifest["input"]["name"]
        if manifest["input"]["color"] != "luma" or manifest["input"]["range"] != "studio_255":
            raise SystemExit("this baseline knows models that take studio-range luma only")
        self.is_subpixel = manifest["output"].get("packing") == "subpixel"
        self.session = ort.InferenceSession(
            f"{folder}/{manifest['file']}", providers=["CPUExecutionProvider"]
        )

    def __call__(self, frame):
        width, height, scale = frame.width, frame.height, self.scale
        planes = frame.to_ndarray(format="yuv420p")
        luma = planes[:height].astype(np.float32)[None, None]
        (result,) = self.session.run(None, {self.input: luma})
        if self.is_subpixel:
            result = (
                result.reshape(scale, scale, height, width)
                .transpose(2, 0, 3, 1)
                .reshape(height * scale, width * scale)
            )
        large = np.empty((height * scale * 3 // 2, width * scale), np.uint8)
        large[: height * scale] = np.clip(np.rint(result), 0, 255).reshape(
            height * scale, width * scale
        )
        chroma = planes[height:].reshape(2, height // 2, width // 2)
        large[height * scale :] = np.stack([self.enlarge_chroma(plane) for plane in chroma]).reshape(
            -1, width * scale
        )
        out = av.VideoFrame.from_ndarray(large, format="yuv420p")
        out.pts, out.time_base = frame.pts, frame.time_base
        out.colorspace, out.color_range = frame.colorspace, frame.color_range
        return out

    def enlarge_chroma(self, plane):
        small = av.VideoFrame.from_ndarray(np.ascontiguousarray(plane), format="gray")
        height, width = plane.shape
        large = small.reformat(width * self.scale, height * self.scale, interpolation="BICUBIC")
        return large.to_ndarray()


class Files:
    """Source and result, with the audio copied at the end."""

    def __init__(self, options):
        self.options = options
        self.source = av.open(options.input)
        self.video = self.source.streams.video[0]
        self.video.thread_type = "AUTO"
        self.result = av.open(options.output, "w")
        self.encoder = None

    def frames(self):
        yield from self.source.decode(self.video)

    def encode(self, frame):
        if self.encoder is None:
            self.encoder = self.result.add_stream(
                self.options.encoder,
                rate=self.video.average_rate,
                options=json.loads(self.options.options),
            )
            self.encoder.width, self.encoder.height = frame.width, frame.height
            self.encoder.pix_fmt = "yuv420p"
            self.encoder.time_base = self.video.time_base
            self.encoder.thread_type = "AUTO"
            self.audio = [
                (stream, self.result.add_stream_from_template(stream))
                for stream in av.open(self.options.input).streams.audio
            ]
        self.result.mux(self.encoder.encode(frame))

    def close(self):
        self.result.mux(self.encoder.encode(None))
        with av.open(self.options.input) as again:
            for stream, copy in self.audio:
                for packet in again.demux(again.streams[stream.index]):
                    if packet.dts is not None:
                        packet.stream = copy
                        self.result.mux(packet)
        self.result.close()
        self.source.close()


def report(frames, started):
    """One line of JSON; the time leaves out the start of Python and its imports."""
    print(json.dumps({"frames": frames, "seconds": time.perf_counter() - started}))
