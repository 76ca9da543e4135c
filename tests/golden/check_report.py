#!/usr/bin/env python3
"""Compares a gpudrift JSON report with SciPy and NumPy, number by number.

    pip install -r tests/golden/requirements.txt
    gpudrift scan --reference REF --current CUR --metrics all --format json --output report.json
    tests/golden/check_report.py report.json

Reads the two sides that the report names with pyarrow, computes every metric and fact of every feature from its
definition with NumPy and SciPy, prints one line a feature that differs, and ends with 1 if any does.
"""

import glob
import json
import math
import os
import sys

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import scipy.special
import scipy.stats
from scipy.spatial.distance import jensenshannon

LEVELS = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99]
FLOOR = 0.001


def load(paths):
    """One table of all files that the paths name; partition folders are columns."""
    files = []
    for path in paths:
        for found in sorted(glob.glob(path)) or [path]:
            if os.path.isdir(found):
                files += sorted(glob.glob(os.path.join(found, "**", "*.parquet"), recursive=True))
            else:
                files.append(found)
    partitioned = any("=" in part for file in files for part in os.path.dirname(file).split("/"))
    partitioning = ds.HivePartitioning.discover(infer_dictionary=False) if partitioned else None
    schemas = [ds.dataset(file, format="parquet").schema for file in files]
    schema = pa.unify_schemas(schemas, promote_options="permissive")
    if partitioned:
        found = ds.dataset(files, format="parquet", partitioning=partitioning).schema
        for field in found:
            if field.name not in schema.names:
                schema = schema.append(field)
    return ds.dataset(files, schema=schema, format="parquet", partitioning=partitioning).to_table()


def integers(column):
    """Temporal columns as the integers they store."""
    kind = column.type
    if pa.types.is_date32(kind) or pa.types.is_time32(kind):
        return column.cast(pa.int32())
    if pa.types.is_temporal(kind):
        return column.cast(pa.int64())
    if pa.types.is_boolean(kind):
        return column.cast(pa.int8())
    return column


UNITS = {"s": 1, "ms": 1000, "us": 10**6, "ns": 10**9}


def same_unit(columns):
    """Two temporal columns in the finer of their units."""
    units = [getattr(column.type, "unit", None) for column in columns]
    if None in units or units[0] == units[1]:
        return columns
    finer = max(units, key=UNITS.get)
    out = []
    for column in columns:
        factor = UNITS[finer] // UNITS[column.type.unit]
        out.append(pc.multiply_checked(integers(column).cast(pa.int64()), factor))
    return out


def exact(values, kind):
    """Values in an array whose order and ties are exact: integers as Python would compare them."""
    if pa.types.is_decimal(kind):
        return np.array([int(v.scaleb(kind.scale)) for v in values.to_pylist()], dtype=object)
    return values.to_numpy(zero_copy_only=False)


def doubles(values, kind):
    if pa.types.is_decimal(kind):
        return np.array([float(v) for v in values.to_pylist()], dtype=np.float64)
    return values.to_numpy(zero_copy_only=False).astype(np.float64)


def ks(r, c):
    """D on the exact values, p by SciPy."""
    codes = np.unique(np.concatenate([r, c]), return_inverse=True)[1]
    return scipy.stats.ks_2samp(codes[: len(r)], codes[len(r) :], method="auto")


def shares_metrics(table):
    r, c = (np.asarray(side, dtype=np.float64) for side in table)
    r, c = r / r.sum(), c / c.sum()
    rf, cf = np.maximum(r, FLOOR), np.maximum(c, FLOOR)
    distance = jensenshannon(r, c)
    return {
        "psi": float(np.sum((cf - rf) * np.log(cf / rf))),
        "js_distance": float(distance),
        "js_divergence": float(distance**2),
        "hellinger": math.sqrt(max(0.0, 1 - float(np.sum(np.sqrt(r * c))))),
        "total_variation": float(np.abs(r - c).sum() / 2),
        "l_infinity": float(np.abs(r - c).max()),
        "kl_divergence": float(np.sum(rf * np.log(rf / cf))),
    }


def percentile(values, q):
    with np.errstate(all="ignore"):
        linear = np.percentile(values, q)
        if np.isfinite(linear):
            return linear
        return np.percentile(values, q, method="inverted_cdf")


class Feature:
    def __init__(self, report, columns):
        self.report, self.columns, self.wrong = report, columns, []

    def check(self, what, ours, theirs, rel=1e-12, abs_=0.0):
        """Null on our side must be NaN, None or infinite on theirs."""
        missing = theirs is None or (isinstance(theirs, float) and not math.isfinite(theirs))
        if ours is None or missing:
            if not (ours is None and missing):
                self.wrong.append(f"{what}: {ours} != {theirs}")
        elif not math.isclose(ours, theirs, rel_tol=rel, abs_tol=abs_):
            self.wrong.append(f"{what}: {ours!r} != {theirs!r}")

    def metric(self, name, theirs, rel=1e-12, abs_=0.0):
        if name in self.report["metrics"]:
            self.check(name, self.report["metrics"][name], theirs, rel, abs_)

    def run(self):
        columns = self.columns
        for side, column in zip(("reference", "current"), columns):
            facts = self.report[side]
            self.check(f"{side}.rows", facts["rows"], len(column))
            self.check(f"{side}.nulls", facts["nulls"], column.null_count)
        if self.report["kind"] == "categorical":
            self.categorical()
        else:
            self.numeric(same_unit(columns) if self.report["kind"] == "temporal" else columns)
        return self.wrong

    def numeric(self, columns):
        kinds = [column.type for column in columns]
        columns = [integers(column.drop_null()) for column in columns]
        nans = [0, 0]
        for i, column in enumerate(columns):
            if pa.types.is_floating(column.type):
                nan = pc.is_nan(column)
                nans[i] = pc.sum(nan).as_py() or 0
                columns[i] = column.filter(pc.invert(nan))
        exacts = [exact(column, kind) for column, kind in zip(columns, kinds)]
        values = [doubles(column, kind) for column, kind in zip(columns, kinds)]
        for side, x, nan in zip(("reference", "current"), values, nans):
            facts = self.report[side]
            self.check(f"{side}.nans", facts["nans"], nan)
            self.check(f"{side}.infinite", facts["infinite"], int(np.isinf(x).sum()))
            if "mean" in facts:
                self.facts(side, facts, x, exacts[("reference", "current").index(side)])
                self.outliers(side, facts, x, values[0])
        r, c = values
        empty = len(r) == 0 or len(c) == 0
        if self.report["kind"] == "boolean":
            table = None if empty else [[int((x == k).sum()) for k in (0, 1) if (r == k).any() or (c == k).any()] for x in (r, c)]
            self.contingency(table)
        elif len(r):
            edges = [percentile(r, 10.0 * i) for i in range(1, 10)]
            bins = [np.bincount(np.searchsorted(edges, x, side="right"), minlength=10) for x in (r, c)]
            ours = self.report["psi_bins"]
            for i, (a, b) in enumerate(zip(ours["edges"], edges)):
                if float(a) != b:
                    self.wrong.append(f"edge {i}: {a!r} != {b!r}")
            for side, theirs in zip(("reference", "current"), bins):
                if ours[side] != theirs.tolist():
                    self.wrong.append(f"bins of {side}: {ours[side]} != {theirs.tolist()}")
            self.shares(None if empty else bins)
        if empty:
            return
        if "ks_statistic" in self.report["metrics"]:
            ours, theirs = self.report["metrics"], ks(*exacts)
            self.metric("ks_statistic", float(theirs.statistic))
            # Where SciPy's own exact p has lost its digits (1 minus a share close to 1), only the size is compared.
            lost = ours["ks_method"] == "exact" and len(r) != len(c)
            self.metric("ks_p_value", float(theirs.pvalue), rel=1e-9, abs_=1e-12 if lost else 1e-300)
        if "wasserstein" in self.report["metrics"] and not np.isinf(np.concatenate(values)).any():
            scale = 1e-13 * max(1.0, float(np.abs(np.concatenate(values)).max()))
            self.metric("wasserstein", float(scipy.stats.wasserstein_distance(r, c)), rel=1e-9, abs_=scale)

    def facts(self, side, facts, x, exact_values):
        finite = len(x) > 0 and not np.isinf(x).any()
        self.check(f"{side}.min", facts["min"], float(x.min()) if len(x) else None)
        self.check(f"{side}.max", facts["max"], float(x.max()) if len(x) else None)
        scale = float(np.abs(x).max()) if finite else 1.0
        mean = math.fsum(x) / len(x) if finite else None
        self.check(f"{side}.mean", facts["mean"], mean, rel=1e-12, abs_=1e-15 * scale)
        wide = np.std(x.astype(np.longdouble), ddof=1) if finite and len(x) > 1 else None
        self.check(f"{side}.std", facts["std"], None if wide is None else float(wide), rel=1e-12, abs_=1e-15 * scale)
        self.check(f"{side}.zeros", facts["zeros"], int((x == 0).sum()))
        distinct = len(np.unique(exact_values))
        if facts["distinct_estimated"]:
            self.check(f"{side}.distinct", facts["distinct"], distinct, rel=0.08)
        else:
            self.check(f"{side}.distinct", facts["distinct"], distinct)
        for level in LEVELS if len(x) else []:
            self.check(f"{side}.quantiles.{level}", facts["quantiles"][str(level)], float(percentile(x, level * 100)), rel=4e-16)

    def outliers(self, side, facts, x, reference):
        """Values beyond the fences of the reference: 1.5 and 3 interquartile ranges from its quartiles."""
        if len(reference) == 0 or facts.get("outliers") is None:
            return
        first, third = (float(percentile(reference, level)) for level in (25, 75))
        for name, ranges in (("outliers", 1.5), ("extreme_outliers", 3.0)):
            low, high = first - ranges * (third - first), third + ranges * (third - first)
            self.check(f"{side}.{name}", facts[name], int(((x < low) | (x > high)).sum()))

    def categorical(self):
        columns = []
        for column in self.columns:
            column = column.drop_null()
            if pa.types.is_dictionary(column.type):
                column = column.cast(column.type.value_type)
            columns.append(column)
        counts = []
        for column in columns:
            counted = column.value_counts()
            counts.append({(v.hex() if isinstance(v, bytes) else str(v)): n for v, n in
                           zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist())})
        names = sorted(set(counts[0]) | set(counts[1]), key=lambda name: name.encode())
        for side, other, key in ((0, 1, "missing"), (1, 0, "new")):
            theirs = [(v, counts[side][v]) for v in names if v in counts[side] and v not in counts[other]]
            ours = self.report["categories"]
            self.check(f"{key}_count", ours[f"{key}_count"], len(theirs))
            if [(entry["value"], entry["count"]) for entry in ours[key]] != theirs[:1000]:
                self.wrong.append(f"{key} categories differ")
        for side, found in zip(("reference", "current"), counts):
            if "distinct" in self.report[side]:
                self.check(f"{side}.distinct", self.report[side]["distinct"], len(found))
        empty = not counts[0] or not counts[1]
        self.contingency(None if empty else [[found.get(v, 0) for v in names] for found in counts])

    def contingency(self, table):
        self.shares(table)
        if "chi2_statistic" not in self.report["metrics"]:
            return
        if table is None:
            for name in ("chi2_statistic", "chi2_dof", "chi2_p_value"):
                self.metric(name, None)
        else:
            statistic, p, dof, _ = scipy.stats.chi2_contingency(table, correction=False)
            self.metric("chi2_statistic", float(statistic), rel=1e-12, abs_=1e-12)
            self.metric("chi2_dof", int(dof))
            self.metric("chi2_p_value", float(p), rel=1e-9)

    def shares(self, table):
        theirs = shares_metrics(table) if table is not None else {}
        for name in ("psi", "js_distance", "js_divergence", "hellinger", "total_variation", "l_infinity", "kl_divergence"):
            # Sums of terms of either sign, and the square roots of what cancelled: compared where they are not noise.
            noise = {"js_distance": 1e-7, "hellinger": 1e-7}.get(name, 1e-15)
            self.metric(name, theirs.get(name), rel=1e-12 if name not in ("hellinger", "js_distance") else 1e-9, abs_=noise)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        report = json.load(file, parse_constant=lambda token: sys.exit(f"not JSON: {token}"))
    sides = [load(report["run"][side]["paths"]) for side in ("reference", "current")]
    wrong = 0
    p_values = []
    for feature in report["features"]:
        columns = [side.column(feature["name"]) for side in sides]
        found = Feature(feature, columns).run()
        wrong += bool(found)
        for line in found:
            print(f"{feature['name']} ({feature['type']}): {line}")
        ordered = feature["kind"] in ("numeric", "temporal")
        p_values.append((feature["metrics"].get("ks_p_value" if ordered else "chi2_p_value"),
                         feature["metrics"].get("ks_q_value" if ordered else "chi2_q_value")))
    known = [(p, q) for p, q in p_values if p is not None]
    if known:
        theirs = scipy.stats.false_discovery_control([p for p, _ in known], method="bh")
        for (_, ours), q in zip(known, theirs):
            if not math.isclose(ours, q, rel_tol=1e-12, abs_tol=1e-320):
                wrong += 1
                print(f"q-value: {ours!r} != {q!r}")
    print(f"{len(report['features'])} features compared, {wrong} differ")
    return 1 if wrong or not report["features"] else 0


if __name__ == "__main__":
    sys.exit(main())
