"""Frame after frame: decode one, enlarge it, encode it."""

import time

import steps


def main():
    options = steps.arguments()
    started = time.perf_counter()
    enlarge = steps.Enlarger(options.model)
    files = steps.Files(options)
    count = 0
    for frame in files.frames():
        files.encode(enlarge(frame))
        count += 1
    files.close()
    steps.report(count, started)


if __name__ == "__main__":
    main()
