"""What the peers share: the command line, the definition of PSI, and the answer they print.

A peer compares the first features of two Parquet files and writes JSON: its name, versions, seconds from opening the
files to the last answer (imports and the start of processes are not counted), and D, p and PSI of every feature.
"""

import argparse
import json
import math
import time
from importlib.metadata import version

import pyarrow.parquet as pq

FLOOR = 0.001  # least share of a bin
DECILES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]


def psi(reference_counts, current_counts) -> float:
    """PSI of the rows of both sides in each bin: natural logarithm, shares clipped below at 0.001."""
    n, m = sum(reference_counts), sum(current_counts)
    shares = ((max(r / n, FLOOR), max(c / m, FLOOR)) for r, c in zip(reference_counts, current_counts))
    return sum((c - r) * math.log(c / r) for r, c in shares)


def main(name: str, packages: list[str], compare) -> None:
    """Runs `compare(reference, current, features, threads)`, which gives {feature: {"d", "p", "psi"}}."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--reference", required=True)
    parser.add_argument("--current", required=True)
    parser.add_argument("--features", type=int, required=True, help="compare the first N features")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", required=True)
    args = parser.parse_args()
    features = pq.read_schema(args.reference).names[: args.features]
    start = time.perf_counter()
    answers = compare(args.reference, args.current, features, args.threads)
    # A peer that starts processes before it begins says itself how long it took.
    seconds = answers.pop("seconds", None) or time.perf_counter() - start
    versions = {package: version(package) for package in packages}
    with open(args.output, "w") as out:
        json.dump({"peer": name, "versions": versions, "seconds": seconds, "features": answers}, out)
