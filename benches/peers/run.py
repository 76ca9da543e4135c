#!/usr/bin/env python3
"""Measures gpudrift beside its peers, and compares the answers.

    benches/peers/run.py                  the full table: some minutes to set up, once, then at most ten
    benches/peers/run.py --quick          small shapes, one minute
    benches/peers/run.py --shapes 200x1000000-plain --peers numpy,polars

Needs Python 3.10 and a Rust toolchain; what else it takes (environments, inputs: 8 GB) it makes once,
under target/peers or the folder that the variable GPUDRIFT_PEERS names.
Writes benches/results/peers.md and peers.json.
"""

import argparse
import datetime
import os
import platform
import shlex
import statistics
import subprocess
import sys
import time
from pathlib import Path

import answers
import table
from measure import Run, measured
from places import HERE, RESULTS, ROOT, WORK, Shape, gpudrift, inputs, python, say

WIDE, LONG, SMALL = (1000, 100_000), (20, 5_000_000), (100, 100_000)
FULL = [Shape(*size, pages) for size in (WIDE, LONG) for pages in ("plain", "pyarrow")] + [Shape(*SMALL, "plain")]
QUICK = [Shape(100, 100_000, "plain"), Shape(4, 1_000_000, "pyarrow")]

# Peers: their environment, and how many values a run of theirs may have before fewer features are measured and the time
# is scaled. Those that take minutes run on the small shape only.
PEERS = {
    "numpy": ("NumPy", "fast", None),
    "polars": ("Polars", "fast", 60_000_000),
    "scipy": ("SciPy loop", "fast", 20_000_000),
    "evidently": ("Evidently", "evidently", 4_000_000),
    "nannyml": ("NannyML", "nannyml", 8_000_000),
}
SMALL_ONLY = {"evidently", "nannyml"}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small shapes, two repeats")
    parser.add_argument("--shapes", help="FEATURESxROWS-plain or -pyarrow, separated by commas")
    parser.add_argument("--peers", help=f"some of {','.join(PEERS)} [default: all]")
    parser.add_argument("--repeat", type=int, help="runs of each [default: 5, quick 2; slow peers fewer]")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--budget", type=float, default=540, help="seconds after which no further repeat begins")
    parser.add_argument("--gpudrift", help="a program that is built already")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the results")
    parser.add_argument("--prepare", action="store_true", help="set up and make the inputs, and measure nothing")
    args = parser.parse_args()
    if args.shapes:
        args.shapes = [parse_shape(text) for text in args.shapes.split(",")]
    else:
        args.shapes = QUICK if args.quick else FULL
    args.peers = args.peers.split(",") if args.peers else list(PEERS)
    args.repeat = args.repeat or (2 if args.quick else 5)
    return args


def parse_shape(text: str) -> Shape:
    size, _, pages = text.partition("-")
    features, _, rows = size.partition("x")
    if pages not in ("plain", "pyarrow"):
        sys.exit(f"--shapes: {text} is not FEATURESxROWS-plain or -pyarrow")
    return Shape(int(features), int(rows), pages)


class Contender:
    """gpudrift or a peer on one shape."""

    def __init__(self, who: str, command: list, output: Path, features: int, of: int, repeat: int):
        self.who, self.command, self.output = who, command, output
        self.features, self.of, self.repeat = features, of, repeat
        self.runs: list[Run] = []

    def once(self) -> None:
        self.runs.append(measured(self.command, self.output))

    def line(self) -> dict:
        scale = self.of / self.features
        median = statistics.median(run.seconds for run in self.runs) * scale
        return {
            "who": self.who,
            "seconds": median,
            "fastest": min(run.seconds for run in self.runs) * scale,
            "runs": [round(run.seconds * scale, 4) for run in self.runs],
            "wall": statistics.median(run.wall for run in self.runs),
            "cpu": statistics.median(run.cpu for run in self.runs),
            "rss_mb": max(run.rss_mb for run in self.runs),
            "anonymous_mb": max(run.anonymous_mb for run in self.runs),
            "scaled_from": self.features if self.features < self.of else None,
        }


def contenders(shape: Shape, args, program: Path) -> list[Contender]:
    scratch = WORK / "answers"
    scratch.mkdir(parents=True, exist_ok=True)
    reference, current = shape.files()
    sides = ["--reference", reference, "--current", current]
    scan = [program, "scan", *sides, "--backend", "cpu", "--threads", args.threads, "--format", "json", "--quiet"]
    all_of = (shape.features, shape.features, args.repeat)
    basic, default = scratch / "basic.json", scratch / "default.json"
    same_work = [*scan, "--metrics", "psi,ks", "--facts", "basic", "--output", basic]
    found = [
        Contender("gpudrift, the same work", same_work, basic, *all_of),
        Contender("gpudrift, default scan", [*scan, "--output", default], default, *all_of),
    ]
    for peer in args.peers:
        name, environment, most = PEERS[peer]
        if peer in SMALL_ONLY and shape.values > 2 * SMALL[0] * SMALL[1]:
            continue
        features = shape.features if most is None else max(1, min(shape.features, most // (2 * shape.rows)))
        if args.quick and peer in SMALL_ONLY:
            features = min(features, 10)
        output = scratch / f"{peer}.json"
        script = [python(environment), HERE / f"peer_{peer}.py", *sides]
        command = [*script, "--features", features, "--threads", args.threads, "--output", output]
        repeat = min(args.repeat, 1 if peer == "evidently" else 3) if peer != "numpy" else args.repeat
        found.append(Contender(name, command, output, features, shape.features, repeat))
    return found


def measure(shape: Shape, args, program: Path, deadline: float) -> dict:
    say(f"measuring {shape.name}")
    for path in shape.files():  # into the file cache
        with open(path, "rb") as file:
            while file.read(1 << 24):
                pass
    all_of = contenders(shape, args, program)
    for turn in range(args.repeat):
        for contender in all_of:
            # The first turn is always complete.
            if turn < contender.repeat and (turn == 0 or time.monotonic() < deadline):
                contender.once()
    own = all_of[0]
    expected = answers.ours(own.runs[-1].answer)
    lines = []
    for contender in all_of:
        line = contender.line()
        line["ratio"] = None if contender is own else line["seconds"] / own.line()["seconds"]
        if "features" in contender.runs[-1].answer and not contender.who.startswith("gpudrift"):
            line["answers"] = answers.compared(contender.who, expected, contender.runs[-1].answer["features"])
        lines.append(line)
        say(f"  {contender.who:28} {line['seconds']:10.3f} s" + (f"  {line['ratio']:7.1f}" if line["ratio"] else ""))
    versions = {k: v for c in all_of for k, v in c.runs[-1].answer.get("versions", {}).items()}
    return {"shape": shape.__dict__, "lines": lines, "versions": versions}


def machine() -> dict:
    info = Path("/proc/cpuinfo").read_text()
    model = next((line.split(":")[1].strip() for line in info.splitlines() if line.startswith("model name")), "?")
    sets = [name for name in ("avx2", "avx512f") if f" {name} " in info]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return {"cpu": f"{model} ({', '.join(sets)})", "cores": os.cpu_count(), "memory_gb": memory, "system": platform.platform()}


def commit() -> str:
    found = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True)
    return found.stdout.strip() or "unknown commit"


def main() -> None:
    args = arguments()
    begin = time.monotonic()
    program = gpudrift(args.gpudrift)
    for peer in args.peers:
        python(PEERS[peer][1])
    for shape in args.shapes:
        inputs(shape, program, python("fast"))
    say(f"ready after {time.monotonic() - begin:.0f} s")
    if args.prepare:
        return
    start = time.monotonic()
    results = [measure(shape, args, program, start + args.budget) for shape in args.shapes]
    version = subprocess.run([program, "--version"], capture_output=True, text=True).stdout.split()[-1]
    document = {
        "machine": machine(),
        "threads": args.threads,
        "gpudrift": version,
        "commit": commit(),
        "versions": {k: v for result in results for k, v in result.pop("versions").items()},
        "date": datetime.date.today().isoformat(),
        "command": shlex.join(["benches/peers/run.py", *sys.argv[1:]]),
        "repeat": args.repeat,
        "seconds": round(time.monotonic() - start),
        "results": results,
    }
    stem = "peers-quick" if args.quick else "peers"
    written = table.write(document, args.output, stem)
    print(table.markdown(document))
    say(f"measured for {document['seconds']} s; wrote {' and '.join(str(path) for path in written)}")
    for text in table.goals(document):
        say(f"below its goal: {text}")
    if any(line.get("answers", {}).get("differ") for result in results for line in result["lines"]):
        differing = [text for result in results for line in result["lines"] for text in line.get("answers", {}).get("differ", [])]
        sys.exit("answers differ:\n" + "\n".join(differing[:20]))


if __name__ == "__main__":
    main()
