"""Where everything is, and what must be there before anything runs: environments, the program, the inputs."""

import json
import os
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# Environments, inputs and answers; 8 GB.
WORK = Path(os.environ.get("GPUDRIFT_PEERS", ROOT / "target" / "peers")).resolve()
RESULTS = HERE.parent / "results"


def clean_environment() -> dict[str, str]:
    """The caller's, without settings that some machines have for old OpenBLAS versions and that slow a current NumPy,
    and without telemetry."""
    slowing = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
    kept = {name: value for name, value in os.environ.items() if name not in slowing}
    return kept | {"NML_DISABLE_USAGE_LOGGING": "1", "DO_NOT_TRACK": "1", "PYTHONWARNINGS": "ignore"}


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def run(command: list) -> str:
    """Runs a command that must succeed; returns what it printed."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, env=clean_environment(), cwd=ROOT)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return done.stdout


def python(environment: str) -> Path:
    """The interpreter of an environment, which is made when it is not there or its requirements have changed."""
    requirements = HERE / f"requirements-{environment}.txt"
    place = WORK / "venv" / environment
    stamp, wanted = place / "requirements.txt", requirements.read_text()
    interpreter = place / "bin" / "python"
    if not stamp.exists() or stamp.read_text() != wanted:
        say(f"setting up the environment {environment} (once)")
        venv.create(place, with_pip=True, clear=True)
        run([interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements])
        stamp.write_text(wanted)
    return interpreter


def gpudrift(given: str | None) -> Path:
    """The release build of this repository, or the program that was named."""
    if given:
        return Path(given).resolve()
    say("building gpudrift (release)")
    run(["cargo", "build", "--release", "--locked"])
    return Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release" / "gpudrift"


@dataclass(frozen=True)
class Shape:
    """Features and rows a side, and how the pages are written."""

    features: int
    rows: int
    pages: str  # "plain": as gpudrift generate writes without dictionaries; "pyarrow": by pyarrow's default writer

    @property
    def name(self) -> str:
        return f"{self.features}x{self.rows}-{self.pages}"

    @property
    def values(self) -> int:
        return 2 * self.features * self.rows

    def folder(self) -> Path:
        return WORK / "data" / self.name

    def files(self) -> tuple[Path, Path]:
        return tuple(self.folder() / side / "part-000.parquet" for side in ("reference", "current"))


def inputs(shape: Shape, program: Path, interpreter: Path) -> None:
    """Makes both sides of a shape, unless they are there."""
    done = shape.folder() / "done.json"
    if done.exists():
        return
    plain = Shape(shape.features, shape.rows, "plain")
    if shape.pages == "pyarrow":
        inputs(plain, program, interpreter)
        say(f"writing {shape.name} (once)")
        for source, target in zip(plain.files(), shape.files()):
            run([interpreter, HERE / "rewrite.py", source, target])
    else:
        say(f"generating {shape.name} (once)")
        # Drift that leaves no nulls, which are measured apart by `gpudrift bench`.
        drift = ["--drifted", 0.2, "--drift", "shift,scale,unit-change,clipping", "--types", "f64", "--seed", 42]
        size = ["--features", shape.features, "--rows", shape.rows, "--no-dictionary", "--codec", "snappy"]
        run([program, "generate", "--force", "--output", shape.folder(), *size, *drift])
    bytes_of_side = [path.stat().st_size for path in shape.files()]
    done.write_text(json.dumps({"bytes": bytes_of_side}))
