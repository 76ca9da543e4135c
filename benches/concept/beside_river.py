"""The detectors of gpudrift beside River's, on the same streams, in one run.

    venv/bin/pip install -r tests/golden/concept_requirements.txt
    venv/bin/python benches/concept/beside_river.py [BENCH]

BENCH is the binary of benches/concept/main.rs; without it, cargo bench builds and runs it. River's loop is the one of its documentation:
update, then look at drift_detected. Processor time of the fastest of five rounds each; values are Python floats made before.
"""

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
    "page_hinkley": drift.PageHinkley, "kswin": lambda: drift.KSWIN(seed=1),
}


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


def ours(values):
    command = sys.argv[1:2] or ["cargo", "bench", "--quiet", "--bench", "concept", "--"]
    with tempfile.NamedTemporaryFile() as file:
        file.write(struct.pack(f"<{len(values)}d", *values))
        file.flush()
        text = subprocess.run([*command, file.name], check=True, capture_output=True, text=True).stdout
    return {name: float(nanoseconds) for name, nanoseconds in map(str.split, text.splitlines())}


def main():
    rng = random.Random(1)
    streams = {
        "stationary errors": [float(rng.random() < 0.2) for _ in range(100_000)],
        "errors, drift every 2000": [float(rng.random() < (0.1, 0.4)[tick // 2000 % 2]) for tick in range(100_000)],
    }
    for name, values in streams.items():
        print(f"{name}, {len(values)} values\n{'detector':>14} {'River ns':>10} {'gpudrift ns':>12} {'times':>8}")
        fast = ours(values)
        for detector, make in DETECTORS.items():
            slow = river(make, values[:2000] if detector == "kswin" else values)
            print(f"{detector:>14} {slow:10.0f} {fast[detector]:12.1f} {slow / fast[detector]:8.0f}")


if __name__ == "__main__":
    main()
