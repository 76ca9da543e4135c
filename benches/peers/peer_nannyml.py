#!/usr/bin/env python3
"""NannyML: Kolmogorov-Smirnov and Jensen-Shannon (it has no PSI) of every feature, each side one chunk."""

import nannyml
import pandas as pd

import peer


def compare(reference: str, current: str, features: list[str], threads: int) -> dict:
    r, c = (pd.read_parquet(path, columns=features) for path in (reference, current))
    calculator = nannyml.UnivariateDriftCalculator(
        column_names=features,
        continuous_methods=["kolmogorov_smirnov", "jensen_shannon"],
        chunk_number=1,
    )
    calculator.fit(r)
    found = calculator.calculate(c).filter(period="analysis").to_df()
    return {name: {"d": float(found[(name, "kolmogorov_smirnov", "value")].iloc[0])} for name in features}


if __name__ == "__main__":
    peer.main("NannyML", ["nannyml", "pandas", "scipy"], compare)
