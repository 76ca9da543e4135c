#!/usr/bin/env python3
"""Time of a scan against the number of values, over rows and over features, and against the number of row groups.

    benches/scaling.py             1e5 to 1e9 values: at most ten minutes and 6 GB under target/peers, removed afterwards
    benches/scaling.py --quick     up to 4e7 values, about a minute

Writes benches/results/scaling.json and scaling.svg. The longest columns are the same file under several names, which
gpudrift reads as so many files.
"""

import argparse
import datetime
import json
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "peers"))

from measure import measured  # noqa: E402
from places import RESULTS, WORK, gpudrift, python, run, say  # noqa: E402
from run import commit, machine  # noqa: E402

DATA = WORK / "scaling"
LARGEST_FILE = 2_500_000  # rows of a file; more are the same file again
ROWS = [2_500, 25_000, 250_000, 2_500_000, 25_000_000]  # × 20 features × 2 sides: 1e5 to 1e9 values
FEATURES = [1, 5, 50, 500, 5000]  # × 100 000 rows × 2 sides: 2e5 to 1e9 values
GROUPS = [1, 4, 16, 64, 256, 1024]  # of 20 features × 1 000 000 rows


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="leave out the last two points of each line, two repeats")
    parser.add_argument("--repeat", type=int, help="runs of each point; the median counts [default: 3, quick 2]")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--gpudrift", help="a program that is built already")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the results")
    args = parser.parse_args()
    args.repeat = args.repeat or (2 if args.quick else 3)
    return args


def generated(program: Path, rows: int, features: int, row_group_rows: int, copies: int = 1) -> Path:
    """A store of its own, f32 in plain pages; `copies` times the rows."""
    shutil.rmtree(DATA, ignore_errors=True)
    size = ["--rows", rows, "--features", features, "--row-group-rows", row_group_rows, "--types", "f32"]
    run([program, "generate", "--output", DATA, *size, "--no-dictionary", "--drift", "shift,scale,clipping"])
    for side in ("reference", "current"):
        for copy in range(1, copies):
            os.link(DATA / side / "part-000.parquet", DATA / side / f"part-{copy:03}.parquet")
    return DATA


def point(program: Path, args, x: int, rows: int, features: int, row_group_rows: int = 131_072, copies: int = 1) -> dict:
    """Medians of a scan for the same work as the peers do, and of the default scan."""
    folder = generated(program, rows, features, row_group_rows, copies)
    output = DATA / "report.json"
    scan = [program, "scan", "--reference", folder / "reference", "--current", folder / "current", "--backend", "cpu"]
    scan += ["--threads", args.threads, "--format", "json", "--quiet", "--output", output]
    values = 2 * rows * copies * features
    found = {"x": x, "values": values, "features": features, "rows": rows * copies}
    kinds = {"basic": [*scan, "--metrics", "psi,ks", "--facts", "basic"], "default": scan}
    for command in kinds.values():
        measured(command, output)  # into the file cache
    runs = {kind: [] for kind in kinds}
    for _ in range(args.repeat):
        for kind, command in kinds.items():
            runs[kind].append(measured(command, output))
    for kind, of in runs.items():
        seconds = statistics.median(one.wall for one in of)
        found[kind] = {
            "seconds": seconds,
            "runs": [round(one.wall, 4) for one in of],
            "ns_per_value": seconds * 1e9 / values,
            "cpu": statistics.median(one.cpu for one in of),
            "anonymous_mb": max(one.anonymous_mb for one in of),
        }
    took = ", ".join(f"{kind} {found[kind]['seconds']:.3f} s" for kind in kinds)
    say(f"  {features} features × {rows * copies:,} rows, row groups of {row_group_rows:,}: {took}")
    return found


def main() -> None:
    args = arguments()
    program, start = gpudrift(args.gpudrift), time.monotonic()
    interpreter = python("fast")
    some = slice(None, -2 if args.quick else None)
    try:
        say("over rows")
        rows = [
            point(program, args, r, min(r, LARGEST_FILE), 20, copies=max(1, r // LARGEST_FILE)) for r in ROWS[some]
        ]
        say("over features")
        features = [point(program, args, f, 100_000, f) for f in FEATURES[some]]
        say("over row groups")
        groups = [point(program, args, g, 1_000_000, 20, row_group_rows=-(-1_000_000 // g)) for g in GROUPS[some]]
    finally:
        shutil.rmtree(DATA, ignore_errors=True)
    version = subprocess.run([program, "--version"], capture_output=True, text=True).stdout.split()[-1]
    document = {
        "machine": machine(),
        "threads": args.threads,
        "gpudrift": version,
        "commit": commit(),
        "date": datetime.date.today().isoformat(),
        "command": shlex.join(["benches/scaling.py", *sys.argv[1:]]),
        "repeat": args.repeat,
        "seconds": round(time.monotonic() - start),
        "rows": rows,
        "features": features,
        "row_groups": groups,
    }
    args.output.mkdir(parents=True, exist_ok=True)
    stem = "scaling-quick" if args.quick else "scaling"
    written = args.output / f"{stem}.json"
    written.write_text(json.dumps(document, indent=1) + "\n")
    run([interpreter, Path(__file__).with_name("scaling_plot.py"), written, written.with_suffix(".svg")])
    say(f"measured for {document['seconds']} s; wrote {written} and {written.with_suffix('.svg')}")


if __name__ == "__main__":
    main()
