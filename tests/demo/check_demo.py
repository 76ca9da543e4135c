"""Checks with NumPy and SciPy that the demo store in data/ is what data/truth.json says.

    python3 tests/demo/check_demo.py [FOLDER]        needs numpy, scipy and pyarrow

For every feature on both sides: PSI as gpudrift defines it, a p-value (KS or chi-squared), q-values by
Benjamini-Hochberg over all of them, and from these the level. Features without drift must show none: PSI below 0.1 and
q above 0.05. Exits with 1 when anything differs.
"""

import json
import pathlib
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scipy import stats

folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2] / "data")
truth = json.loads((folder / "truth.json").read_text())


def side(name):
    return pa.concat_tables(pq.read_table(part) for part in sorted((folder / name).glob("*.parquet")))


reference, current = side("reference"), side("current")


def is_category(kind):
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    tests = [pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_fixed_size_binary, pa.types.is_boolean]
    return any(test(kind) for test in tests)


def numbers(column):
    """Values without nulls and NaN, exact where NumPy has a type for them."""
    kind = column.type
    column = column.drop_null()
    if pa.types.is_decimal(kind):
        return np.array([float(v) for v in column.to_pylist()])
    if pa.types.is_temporal(kind):
        column = column.cast(pa.int32() if kind.bit_width == 32 else pa.int64())
    values = column.to_numpy()
    return values[~np.isnan(values)] if values.dtype.kind == "f" else values


def psi(a, b):
    a, b = np.clip(a / a.sum(), 0.001, None), np.clip(b / b.sum(), 0.001, None)
    return float(((b - a) * np.log(b / a)).sum())


def psi_numeric(a, b):
    a, b = a.astype(np.float64), b.astype(np.float64)
    with np.errstate(all="ignore"):
        edges = np.percentile(a, np.linspace(10, 90, 9))
    inverted = np.percentile(a, np.linspace(10, 90, 9), method="inverted_cdf")
    edges = np.where(np.isfinite(edges), edges, inverted)
    count = lambda x: np.bincount(np.searchsorted(edges, x, side="right"), minlength=10)
    return psi(count(a), count(b))


rows = []
for feature in truth["features"]:
    name, expected = feature["name"], feature["expected_level"]
    if expected == "skipped":
        one_side = feature["presence"] != "both"
        assert one_side == ((name in reference.column_names) != (name in current.column_names)), name
        continue
    a, b = reference[name], current[name]
    fact = {"nulls": (a.null_count / len(a), b.null_count / len(b))}
    if is_category(a.type):
        a, b = a.drop_null().to_pylist(), b.drop_null().to_pylist()
        names = sorted(set(a) | set(b))
        index = {category: i for i, category in enumerate(names)}
        count = lambda x: np.bincount([index[v] for v in x], minlength=len(names))
        table = np.array([count(a), count(b)])
        p = 1.0 if len(names) == 1 else stats.chi2_contingency(table, correction=False).pvalue
        a, b = set(a), set(b)
        fact |= {"new": sorted(b - a), "missing": sorted(a - b)}
        rows.append((feature, psi(table[0], table[1]), p, fact))
    else:
        a, b = numbers(a), numbers(b)
        if len(a) == 0 or len(b) == 0:
            rows.append((feature, None, None, fact))
            continue
        rows.append((feature, psi_numeric(a, b), stats.ks_2samp(a, b).pvalue, fact))

tested = [i for i, row in enumerate(rows) if row[2] is not None]
q = dict(zip(tested, stats.false_discovery_control([rows[i][2] for i in tested])))
wrong = 0
for i, (feature, score, p, fact) in enumerate(rows):
    drift, expected = feature["drift"], feature["expected_level"]
    significant = p is not None and q[i] <= 0.05
    level = "none"
    if significant and score >= 0.1:
        level = "critical" if score >= 0.2 else "warning"
    good = level == (expected if expected in ("warning", "critical") else "none")
    if drift is None and score is not None:
        good &= score < 0.1 and not significant
    if drift is None:
        good &= abs(fact["nulls"][0] - fact["nulls"][1]) < 0.03
        good &= expected != "ok" or not (fact.get("new") or fact.get("missing"))
    if drift and drift["kind"] == "null-spike":
        good &= fact["nulls"][1] - fact["nulls"][0] > 0.2 and score < 0.1 and not significant
    if drift and drift["kind"] == "new-category":
        # Of bytes the file shows a digest of the label.
        good &= len(fact["new"]) == 1 if "Binary" in feature["type"] else fact["new"] == [drift["label"]]
    wrong += not good
    kind = drift["kind"] if drift else "-"
    text = "no values" if score is None else f"PSI {score:8.5f}  p {p:9.3g}  q {q[i]:9.3g}"
    print(f"{'ok   ' if good else 'WRONG'} {feature['name']:22} {kind:18} {expected:9} {text}")
print(f"{len(rows)} compared, {wrong} wrong, smallest q of a stable feature:",
      min(q[i] for i in tested if rows[i][0]["drift"] is None))
sys.exit(wrong > 0)
