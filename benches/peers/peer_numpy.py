#!/usr/bin/env python3
"""The strongest NumPy program that we could write: two processes, each feature sorted once on each side by NumPy's
vectorised sort, deciles taken off the sorted reference, the exact KS gap by searching only where it can be.

The gap is taken at every 64th reference value (or fewer, of many). Between two of these both ECDFs only rise, which
bounds the gap in between; the values of a block are looked at only where the bound beats the best gap so far. The
p-value is Kolmogorov's limit, a short sum.
"""

import math
import multiprocessing
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import peer

BATCH = 4  # features that are read with one call
DECILES = np.array(peer.DECILES)


def kolmogorov(x: float) -> float:
    """The limit of the two-sided p-value, 2 Σ (−1)^(k−1) exp(−2 k² x²)."""
    if x < 0.2:
        return 1.0
    terms = (math.copysign(2.0, k % 2 - 0.5) * math.exp(-2.0 * k * k * x * x) for k in range(1, 60))
    return min(1.0, sum(terms))


def largest_gap(r: np.ndarray, c: np.ndarray) -> int:
    """max |A·m − B·n| over all x, where A and B count the values ≤ x of the sorted `r` and `c`."""
    n, m = len(r), len(c)
    step = max(64, n >> 13)
    marks = r[np.append(np.arange(0, n - 1, step), n - 1)]
    marks = marks[np.append(True, marks[1:] != marks[:-1])]
    r_left, r_right = np.searchsorted(r, marks, "left"), np.searchsorted(r, marks, "right")
    c_left, c_right = np.searchsorted(c, marks, "left"), np.searchsorted(c, marks, "right")
    best = max(np.abs(r_left * m - c_left * n).max(), np.abs(r_right * m - c_right * n).max())
    bound = np.maximum(r_left[1:] * m - c_right[:-1] * n, c_left[1:] * n - r_right[:-1] * m)
    blocks = np.flatnonzero((bound > best) & (r_left[1:] > r_right[:-1]))
    if len(blocks):
        starts, sizes = r_right[blocks], r_left[blocks + 1] - r_right[blocks]
        within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        at = np.repeat(starts, sizes) + within
        values = r[at]
        # Equal values lie in one block, so the first of each run says how many are below.
        first = np.flatnonzero(np.append(True, values[1:] != values[:-1]))
        below, values = at[first], values[first]
        upto = below + np.diff(np.append(first, len(at)))
        c_below, c_upto = np.searchsorted(c, values, "left"), np.searchsorted(c, values, "right")
        best = max(best, np.abs(below * m - c_below * n).max(), np.abs(upto * m - c_upto * n).max())
    return int(best)


def deciles(r: np.ndarray) -> np.ndarray:
    """NumPy's linear percentiles of a sorted sample."""
    at = DECILES * (len(r) - 1)
    below = at.astype(np.int64)
    t, a, b = at - below, r[below], r[np.minimum(below + 1, len(r) - 1)]
    return np.where(t < 0.5, a + (b - a) * t, b - (b - a) * (1 - t))


def one(r: np.ndarray, c: np.ndarray) -> dict:
    r.sort()
    c.sort()
    if np.isnan(r[-1]) or np.isnan(c[-1]):  # NaN sorts to the end
        r, c = r[: np.searchsorted(r, np.nan)], c[: np.searchsorted(c, np.nan)]
    n, m = len(r), len(c)
    gap = largest_gap(r, c)
    edges = deciles(r)
    counts = [np.diff(np.searchsorted(side, edges), prepend=0, append=len(side)).tolist() for side in (r, c)]
    d = gap / (n * m)
    return {"d": d, "p": kolmogorov(math.sqrt(n * m / (n + m)) * d), "psi": peer.psi(*counts)}


def fill(buffer: np.ndarray, column: pa.ChunkedArray) -> np.ndarray:
    """The values without nulls, in memory that is used again."""
    at = 0
    for chunk in column.chunks:
        values = (chunk.drop_null() if chunk.null_count else chunk).to_numpy(zero_copy_only=True)
        buffer[at : at + len(values)] = values
        at += len(values)
    return buffer[:at]


files: list[pq.ParquetFile] = []
buffers: list[np.ndarray] = []


def opened(paths: tuple[str, str]) -> list[pq.ParquetFile]:
    if not files:
        files.extend(pq.ParquetFile(path, memory_map=True) for path in paths)
        buffers.extend(np.empty(file.metadata.num_rows) for file in files)
    return files


def batch(job: tuple[tuple[str, str], list[str]]) -> list[tuple[str, dict]]:
    paths, features = job
    reference, current = (file.read(columns=features, use_threads=False) for file in opened(paths))
    return [
        (name, one(fill(buffers[0], reference.column(name)), fill(buffers[1], current.column(name))))
        for name in features
    ]


def compare(reference: str, current: str, features: list[str], threads: int) -> dict:
    size = max(1, min(BATCH, len(features) // (2 * threads)))
    jobs = [((reference, current), features[at : at + size]) for at in range(0, len(features), size)]
    with multiprocessing.get_context("fork").Pool(threads) as pool:
        pool.map(abs, range(threads), chunksize=1)  # both are there
        start = time.perf_counter()
        answers = dict(answer for part in pool.imap(batch, jobs) for answer in part)
        answers["seconds"] = time.perf_counter() - start
    return answers


if __name__ == "__main__":
    peer.main("NumPy", ["numpy", "pyarrow"], compare)
