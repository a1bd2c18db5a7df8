"""Three threads with short queues between them: decode, enlarge, encode."""

import queue
import threading
import time

import steps

END = object()


def main():
    options = steps.arguments()
    started = time.perf_counter()
    enlarge = steps.Enlarger(options.model)
    files = steps.Files(options)
    decoded, enlarged = queue.Queue(4), queue.Queue(4)
    failures = []

    def stage(work):
        def guarded():
            try:
                work()
            except BaseException as error:  # Shown by the main thread.
                failures.append(error)
                decoded.put(END)
                enlarged.put(END)

        thread = threading.Thread(target=guarded, daemon=True)
        thread.start()
        return thread

    def decode():
        for frame in files.frames():
            decoded.put(frame)
        decoded.put(END)

    def infer():
        while (frame := decoded.get()) is not END:
            enlarged.put(enlarge(frame))
        enlarged.put(END)

    stage(decode)
    stage(infer)
    count = 0
    while (frame := enlarged.get()) is not END:
        files.encode(frame)
        count += 1
    if failures:
        raise failures[0]
    files.close()
    steps.report(count, started)


if __name__ == "__main__":
    main()
