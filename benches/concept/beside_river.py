"""The detectors of gpudrift beside River's, on the same streams, in one run.

    venv/bin/pip install -r tests/golden/concept_requirements.txt
    venv/bin/python benches/concept/beside_river.py [BENCH]

BENCH is the binary of benches/concept/main.rs; without it, cargo bench builds and runs it. River's loop is the one of its documentation:
update, then look at drift_detected. Both run on the last core that this process may use, the fastest of several rounds counts
(processor time of River, time of ours), and values are Python floats made before. At the end 2000 streams, by threads, on all cores.
"""

import os
import random
import struct
import subprocess
import sys
import tempfile
import time

from river import drift
from river.drift import binary

DETECTORS = {
    "adwin": drift.ADWIN, "ddm": binary.DDM, "eddm": binary.EDDM, "hddm_a": binary.HDDMA, "hddm_w": binary.HDDMW,
    "page_hinkley": drift.PageHinkley, "kswin": lambda: drift.KSWIN(seed=1), "adwin:clock=1": lambda: drift.ADWIN(clock=1),
}
REAL = ["adwin", "page_hinkley", "kswin", "adwin:clock=1"]
CORES = os.sched_getaffinity(0)


def river(make, values):
    def once():
        detector, drifts = make(), 0
        start = time.process_time()
        for value in values:
            detector.update(value)
            if detector.drift_detected:
                drifts += 1
        return time.process_time() - start

    return min(once() for _ in range(5)) * 1e9 / len(values)


def bench(*arguments):
    command = sys.argv[1:2] or ["cargo", "bench", "--quiet", "--bench", "concept", "--"]
    text = subprocess.run([*command, *arguments], check=True, capture_output=True, text=True).stdout
    return {name: float(nanoseconds) for name, nanoseconds in map(str.split, text.splitlines())}


def ours(values, detectors):
    with tempfile.NamedTemporaryFile() as file:
        file.write(struct.pack(f"<{len(values)}d", *values))
        file.flush()
        return bench(file.name, ",".join(detectors))


def main():
    rng = random.Random(1)
    streams = {
        "stationary errors": [float(rng.random() < 0.2) for _ in range(100_000)],
        "errors, drift every 2000": [float(rng.random() < (0.1, 0.4)[tick // 2000 % 2]) for tick in range(100_000)],
        "stationary losses": [rng.gauss(30, 10) for _ in range(100_000)],
        "losses, drift every 5000": [rng.gauss((30, 35)[tick // 5000 % 2], 10) for tick in range(100_000)],
    }
    for name, values in streams.items():
        detectors = REAL if "losses" in name else list(DETECTORS)
        os.sched_setaffinity(0, {max(CORES)})
        print(f"{name}, {len(values)} values\n{'detector':>14} {'River ns':>10} {'gpudrift ns':>12} {'times':>8}")
        fast = ours(values, detectors)
        for detector in detectors:
            slow = river(DETECTORS[detector], values[:2000] if detector == "kswin" else values)
            print(f"{detector:>14} {slow:10.0f} {fast[detector]:12.1f} {slow / fast[detector]:8.1f}", flush=True)
    os.sched_setaffinity(0, CORES)
    by_threads = bench("--streams", "2000")
    print("2000 streams of 2000 errors, ADWIN and DDM, ns a value by threads:", by_threads)


if __name__ == "__main__":
    main()
