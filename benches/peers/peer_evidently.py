#!/usr/bin/env python3
"""Evidently: PSI and Kolmogorov-Smirnov of every feature in one report."""

import pandas as pd
from evidently import Report
from evidently.metrics import ValueDrift

import peer


def compare(reference: str, current: str, features: list[str], threads: int) -> dict:
    r, c = (pd.read_parquet(path, columns=features) for path in (reference, current))
    metrics = [ValueDrift(column=name, method=method) for name in features for method in ("psi", "ks")]
    result = Report(metrics).run(current_data=c, reference_data=r)
    values = [metric["value"] for metric in result.dict()["metrics"]]
    pairs = zip(features, values[::2], values[1::2])
    return {name: {"psi": float(psi), "p": float(p)} for name, psi, p in pairs}


if __name__ == "__main__":
    peer.main("Evidently", ["evidently", "pandas", "scipy"], compare)
