"""Runs one program and says how long it took and how much memory it and its children held."""

import json
import os
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from places import ROOT, clean_environment

SAMPLING = 0.005  # seconds between two looks at the memory


@dataclass
class Run:
    """What one run took. `seconds` is what counts: wall time of the whole process for gpudrift, for a peer the time that
    it states itself, without the start of Python and imports."""

    seconds: float
    wall: float
    cpu: float
    rss_mb: float
    anonymous_mb: float
    answer: dict


def children(pid: int) -> list[int]:
    """The process and all below it."""
    try:
        below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return [pid]
    return [pid] + [one for child in below for one in children(int(child))]


def anonymous(pid: int) -> int:
    """Kilobytes of anonymous memory (RssAnon): mapped files do not count."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0


class Peak(threading.Thread):
    """Samples the anonymous memory of a process and its children until it is told to stop."""

    def __init__(self, pid: int):
        super().__init__(daemon=True)
        self.pid, self.peak, self.over = pid, 0, threading.Event()

    def run(self) -> None:
        while not self.over.wait(SAMPLING):
            self.peak = max(self.peak, sum(anonymous(pid) for pid in children(self.pid)))


def measured(command: list, output: Path) -> Run:
    """Runs `command`, which writes JSON to `output`; fails with what it said when it fails."""
    words = [str(word) for word in command]
    with tempfile.TemporaryFile() as said:
        start = time.perf_counter()
        process = subprocess.Popen(words, stdout=said, stderr=said, env=clean_environment(), cwd=ROOT)
        peak = Peak(process.pid)
        peak.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        peak.over.set()
        peak.join()
        if process.returncode != 0:
            said.seek(0)
            raise RuntimeError(f"{' '.join(words)} failed:\n{said.read().decode(errors='replace')[-3000:]}")
    answer = json.loads(output.read_text())
    return Run(
        seconds=answer.get("seconds", wall),
        wall=wall,
        cpu=usage.ru_utime + usage.ru_stime,
        rss_mb=usage.ru_maxrss / 1024,
        anonymous_mb=peak.peak / 1024,
        answer=answer,
    )
