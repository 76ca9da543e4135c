#!/usr/bin/env python3
"""The same in Polars: both sides sorted, merged and summed up for the KS gap; quantiles for the bins of PSI. All
features of a batch are one lazy query, so that Polars spreads them over its threads."""

import math
import os

import peer


def gap(pl, r, c, name: str, n: int, m: int):
    """A lazy frame of one value: max |A·m − B·n|. Steps are whole numbers, so the running sum is exact."""
    value = pl.col(name)
    steps = [
        side.select(value.drop_nulls().drop_nans().sort(), pl.lit(weight, pl.Int64).alias("step"))
        for side, weight in ((r, m), (c, -n))
    ]
    merged = steps[0].merge_sorted(steps[1], key=name)
    # Of equal values the last one has all of them in its sum.
    last = value.ne_missing(value.shift(-1))
    return merged.select(pl.col("step").cum_sum().filter(last).abs().max())


def counts(pl, frame, name: str, edges: list[float]):
    value = pl.col(name)
    return frame.select([(value < edge).sum().alias(str(at)) for at, edge in enumerate(edges)])


def compare(reference: str, current: str, features: list[str], threads: int) -> dict:
    import polars as pl

    answers = {}
    batch = 4 * threads
    for start in range(0, len(features), batch):
        names = features[start : start + batch]
        r, c = (pl.read_parquet(path, columns=names).lazy() for path in (reference, current))
        values = [pl.col(name).drop_nulls().drop_nans() for name in names]
        sizes = pl.collect_all([side.select(value.len() for value in values) for side in (r, c)])
        sizes = [size.row(0) for size in sizes]
        queries = [gap(pl, r, c, name, *size) for name, size in zip(names, zip(*sizes))]
        for name in names:
            value = pl.col(name).drop_nulls().drop_nans()
            queries.append(r.select([value.quantile(q, "linear").alias(str(q)) for q in peer.DECILES]))
        found = pl.collect_all(queries)
        gaps, edges = found[: len(names)], [list(frame.row(0)) for frame in found[len(names) :]]
        below = pl.collect_all([counts(pl, side, name, of) for name, of in zip(names, edges) for side in (r, c)])
        for at, (name, n, m) in enumerate(zip(names, *sizes)):
            rows = []
            for size, frame in zip((n, m), below[2 * at : 2 * at + 2]):
                bounds = [0, *frame.row(0), size]
                rows.append([high - low for low, high in zip(bounds, bounds[1:])])
            d = gaps[at].item() / (n * m)
            x = math.sqrt(n * m / (n + m)) * d
            p = 1.0 if x < 0.2 else min(1.0, sum(2 * (-1) ** (k - 1) * math.exp(-2 * (k * x) ** 2) for k in range(1, 60)))
            answers[name] = {"d": d, "p": p, "psi": peer.psi(*rows)}
    return answers


if __name__ == "__main__":
    # Polars reads it when it is imported, which is in `compare` for that reason.
    import sys

    threads = sys.argv[sys.argv.index("--threads") + 1] if "--threads" in sys.argv else "2"
    os.environ["POLARS_MAX_THREADS"] = threads
    import polars  # noqa: F401  not in the measured time

    peer.main("Polars", ["polars"], compare)
