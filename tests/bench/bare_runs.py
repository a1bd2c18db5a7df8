"""ONNX Runtime and nothing else: any model on numbers of given shapes, again and again.

Prints what one round takes: by the clock with all cores, and in processor time of one thread.
"""

import argparse
import json
import os
import threading
import time

import numpy as np
import onnxruntime as ort

LONGEST = 2.0  # seconds
DTYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(int64)": np.int64}


class Bare:
    """A session with what each look of a round gives to the model."""

    def __init__(self, path, looks, threads):
        options = ort.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = threads
        self.session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        rng = np.random.default_rng(1)
        self.feeds = []
        for look in looks:
            feed = {}
            for index, entry in enumerate(self.session.get_inputs()):
                dtype = DTYPES[entry.type]
                if index == 0:
                    feed[entry.name] = rng.uniform(0, 1, look["shape"]).astype(dtype)
                elif entry.shape:
                    # What a model of sound remembers.
                    shape = [side if isinstance(side, int) else 1 for side in entry.shape]
                    feed[entry.name] = np.zeros(shape, dtype)
                else:
                    feed[entry.name] = np.array(16000, dtype)
            self.feeds.extend([feed] * look["times"])
        self.round()

    def round(self):
        for feed in self.feeds:
            self.session.run(None, feed)

    def rounds(self, count):
        for _ in range(count):
            self.round()


def measured(clock, work):
    started = clock()
    work()
    return clock() - started


def together(sessions, count):
    """Each session in a thread of its own, `count` rounds shared between them."""
    threads = [
        threading.Thread(target=bare.rounds, args=(count // len(sessions),)) for bare in sessions
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--looks", required=True, help='one round: [{"shape", "times"}]')
    parser.add_argument("--rounds", type=int, required=True)
    options = parser.parse_args()
    looks = json.loads(options.looks)
    cores = os.cpu_count() or 1
    count = max(options.rounds // cores, 1) * cores
    one = Bare(options.model, looks, 0)
    # Long enough for a figure, and not longer.
    once = measured(time.perf_counter, one.round)
    count = max(min(count, int(LONGEST / once / cores) * cores), cores)
    # All cores in one call, and a call on each core: which is faster depends on the model, and on
    # what else the cores have to do, for threads within a call wait for each other.
    within = measured(time.perf_counter, lambda: one.rounds(count))
    del one
    each = [Bare(options.model, looks, 1) for _ in range(cores)]
    beside = measured(time.perf_counter, lambda: together(each, count))
    cpu = measured(time.process_time, lambda: each[0].rounds(max(count // 2, 1)))
    print(
        json.dumps(
            {
                "seconds": min(within, beside) / count,
                "within": within / count,
                "beside": beside / count,
                "cpu_seconds": cpu / max(count // 2, 1),
            }
        )
    )


if __name__ == "__main__":
    main()
