#!/usr/bin/env python3
"""The loop that most teams have: `scipy.stats.ks_2samp` and PSI by `np.percentile` and `np.histogram`, feature by
feature."""

import numpy as np
import pyarrow.parquet as pq
from scipy.stats import ks_2samp

import peer


def values(file: pq.ParquetFile, name: str) -> np.ndarray:
    column = file.read(columns=[name]).column(name).drop_null().to_numpy()
    return column[~np.isnan(column)]


def compare(reference: str, current: str, features: list[str], threads: int) -> dict:
    files = [pq.ParquetFile(path, memory_map=True) for path in (reference, current)]
    answers = {}
    for name in features:
        r, c = (values(file, name) for file in files)
        ks = ks_2samp(r, c)
        edges = np.concatenate([[-np.inf], np.percentile(r, np.arange(10, 100, 10)), [np.inf]])
        counts = [np.histogram(side, edges)[0].tolist() for side in (r, c)]
        answers[name] = {"d": float(ks.statistic), "p": float(ks.pvalue), "psi": peer.psi(*counts)}
    return answers


if __name__ == "__main__":
    peer.main("SciPy loop", ["scipy", "numpy", "pyarrow"], compare)
