"""Golden values for gpudrift::model, read by tests/model_golden.rs.

    python3 -m venv venv && venv/bin/pip install -r tests/golden/model_requirements.txt
    venv/bin/python tests/golden/model.py                 # writes model.json beside this script

Figures are those of scikit-learn 1.9.1; intervals of shares those of SciPy (Wilson, binomial quantiles). DeLong's interval is computed from
its definition, pair by pair. A case holds its columns and what is expected of them; where scikit-learn raises or warns that a figure is not
defined, null is expected.
"""

import json
import math
import warnings
from pathlib import Path

import numpy as np
from scipy import stats
from sklearn import metrics as m
from sklearn.calibration import calibration_curve

HERE = Path(__file__).parent
Z = stats.norm.ppf(0.975)


def wilson(k, n):
    ends = stats.binomtest(int(k), int(n)).proportion_ci(method="wilson")
    return [float(ends.low), float(ends.high)]


def delong(y, s):
    positives, negatives = s[y == 1], s[y == 0]
    wins = (positives[:, None] > negatives[None, :]) + 0.5 * (positives[:, None] == negatives[None, :])
    v10, v01 = wins.mean(axis=1), wins.mean(axis=0)
    error = math.sqrt(v10.var(ddof=1) / len(positives) + v01.var(ddof=1) / len(negatives))
    return [max(0.0, wins.mean() - Z * error), min(1.0, wins.mean() + Z * error)]


def normal(values):
    error = values.std(ddof=1) / math.sqrt(len(values))
    return [float(values.mean() - Z * error), float(values.mean() + Z * error)]


def calibration_error(y, s, w=None):
    """Sum over the bins of sklearn's calibration_curve of share * |mean score - share of positives|."""
    w = np.ones(len(y)) if w is None else w
    bins = np.linspace(0, 1, 11)
    index = np.searchsorted(bins[1:-1], s)
    error = sum(abs(np.sum(w[index == b] * s[index == b]) - np.sum(w[index == b] * y[index == b])) for b in range(10)) / w.sum()
    if np.all(w == 1):
        true, predicted = calibration_curve(y, s, n_bins=10, strategy="uniform")
        share = np.bincount(index, minlength=10) / len(y)
        assert math.isclose(error, float(np.sum(np.abs(true - predicted) * share[share > 0])), rel_tol=1e-12)
    return float(error)


def averages(y, p, w):
    found = {}
    for average in ("micro", "macro", "weighted"):
        for name, f in (("precision", m.precision_score), ("recall", m.recall_score), ("f1", m.f1_score)):
            found[f"{name}_{average}"] = f(y, p, average=average, sample_weight=w, zero_division=0)
    return found


def binary(rng, n, digits, weights=False, one_class=None, threshold=0.5):
    z = rng.normal(size=n)
    y = (rng.uniform(size=n) < 1 / (1 + np.exp(-1.7 * z))).astype(int)
    s = np.round(1 / (1 + np.exp(-(z + 0.8 * rng.normal(size=n)))), digits)
    s[: n // 20] = 1.0
    s[n // 20 : n // 10] = 0.0
    if one_class is not None:
        y[:] = one_class
    p = (s >= threshold).astype(int)
    w = np.round(rng.uniform(0.1, 3, size=n), 3) if weights else None
    tn, fp, fn, tp = (int(x) for x in m.confusion_matrix(y, p, labels=[0, 1]).ravel())
    expected = {"accuracy": m.accuracy_score(y, p, sample_weight=w), **averages(y, p, w)}
    for name, f, defined in (("precision", m.precision_score, tp + fp), ("recall", m.recall_score, tp + fn), ("f1", m.f1_score, tp + fp + fn)):
        expected[name] = f(y, p, sample_weight=w) if defined else None
    expected["specificity"] = m.recall_score(y, p, pos_label=0, sample_weight=w) if tn + fp else None
    both = len(set(y)) == 2
    expected["roc_auc"] = m.roc_auc_score(y, s, sample_weight=w) if both else None
    expected["average_precision"] = m.average_precision_score(y, s, sample_weight=w) if y.any() else None
    expected["log_loss"] = m.log_loss(y, s, labels=[0, 1], sample_weight=w)
    expected["brier"] = m.brier_score_loss(y, s, sample_weight=w, pos_label=1)
    expected["calibration_error"] = calibration_error(y, s, w)
    intervals = {}
    if w is None:
        intervals["accuracy"] = wilson(tp + tn, n)
        for name, k, of in (("precision", tp, tp + fp), ("recall", tp, tp + fn), ("specificity", tn, tn + fp)):
            if of:
                intervals[name] = wilson(k, of)
        if both:
            intervals["roc_auc"] = delong(y, s)
            ap, eta = expected["average_precision"], math.log(expected["average_precision"] / (1 - expected["average_precision"]))
            half = Z / math.sqrt(y.sum() * ap * (1 - ap))
            intervals["average_precision"] = [1 / (1 + math.exp(-(eta - half))), 1 / (1 + math.exp(-(eta + half)))]
        clipped = np.clip(s, np.finfo(float).eps, 1 - np.finfo(float).eps)
        intervals["log_loss"] = normal(-np.where(y == 1, np.log(clipped), np.log1p(-clipped)))
        intervals["brier"] = normal((s - y) ** 2)
    data = {"label": y.tolist(), "prediction": p.tolist(), "score": s.tolist()}
    if weights:
        data["weight"] = w.tolist()
    return {"task": "binary", "data": data, "expected": expected, "intervals": intervals, "confusion": None if weights else [[tn, fp], [fn, tp]]}


def multiclass(rng, n, weights=False):
    classes = ["bird", "cat", "dog"]
    y = rng.choice(3, size=n, p=[0.5, 0.3, 0.2])
    logits = rng.normal(size=(n, 3))
    logits[np.arange(n), y] += 1.0
    s = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    s = np.round(s, 3)
    s[:, 2] = 1 - s[:, 0] - s[:, 1]
    s = np.clip(s, 0, 1)
    s /= s.sum(axis=1, keepdims=True)
    p = s.argmax(axis=1)
    w = np.round(rng.uniform(0.1, 3, size=n), 3) if weights else None
    expected = {"accuracy": m.accuracy_score(y, p, sample_weight=w), **averages(y, p, w)}
    one_hot = np.eye(3)[y]
    expected["roc_auc"] = m.roc_auc_score(y, s, multi_class="ovr", average="macro") if w is None else float(
        np.mean([m.roc_auc_score(one_hot[:, k], s[:, k], sample_weight=w) for k in range(3)]))
    expected["average_precision"] = float(np.mean([m.average_precision_score(one_hot[:, k], s[:, k], sample_weight=w) for k in range(3)]))
    expected["specificity_macro"] = float(np.mean([m.recall_score(y != k, p != k, sample_weight=w) for k in range(3)]))
    expected["log_loss"] = m.log_loss(y, s, sample_weight=w)
    expected["brier"] = m.brier_score_loss(y, s, labels=[0, 1, 2], scale_by_half=False, sample_weight=w)
    expected["calibration_error"] = calibration_error((p == y).astype(float), s.max(axis=1), w)
    data = {"label": [classes[k] for k in y], "prediction": [classes[k] for k in p]}
    data |= {f"p_{name}": s[:, k].tolist() for k, name in enumerate(classes)}
    if weights:
        data["weight"] = w.tolist()
    intervals = {} if weights else {"accuracy": wilson((p == y).sum(), n)}
    confusion = None if weights else m.confusion_matrix(y, p, labels=[0, 1, 2]).tolist()
    return {"task": "multiclass", "data": data, "expected": expected, "intervals": intervals, "confusion": confusion}


def regression(rng, n, weights=False, constant=False):
    y = np.full(n, 3.5) if constant else np.round(rng.lognormal(size=n), 4)
    p = np.round(y + rng.normal(scale=0.4, size=n), 2)
    if not constant:
        y[0] = 0.0
    w = np.round(rng.uniform(0.1, 3, size=n), 3) if weights else None
    error = np.abs(y - p)
    expected = {
        "rmse": m.root_mean_squared_error(y, p, sample_weight=w),
        "mse": m.mean_squared_error(y, p, sample_weight=w),
        "msle": m.mean_squared_log_error(y, p, sample_weight=w) if (p > -1).all() else None,
        "rmsle": m.root_mean_squared_log_error(y, p, sample_weight=w) if (p > -1).all() else None,
        "mae": m.mean_absolute_error(y, p, sample_weight=w),
        "median_absolute_error": m.median_absolute_error(y, p, sample_weight=w),
        "mape": m.mean_absolute_percentage_error(y, p, sample_weight=w),
        "r2": None if constant else m.r2_score(y, p, sample_weight=w),
    }
    intervals = {}
    if not weights:
        intervals["mae"] = normal(error)
        intervals["mse"] = normal(error**2)
        if (p > -1).all():
            intervals["msle"] = normal((np.log1p(y) - np.log1p(p)) ** 2)
            intervals["rmsle"] = [math.sqrt(x) for x in intervals["msle"]]
        intervals["rmse"] = [math.sqrt(x) for x in normal(error**2)]
        low = int(stats.binom.ppf(0.025, n, 0.5))
        ordered = np.sort(error)
        intervals["median_absolute_error"] = [float(ordered[low - 1]), float(ordered[n - low])]
    data = {"label": y.tolist(), "prediction": p.tolist()}
    if weights:
        data["weight"] = w.tolist()
    return {"task": "regression", "data": data, "expected": expected, "intervals": intervals, "confusion": None}


def ranking(rng, n, digits, weights=False):
    z = rng.normal(size=n)
    y = (rng.uniform(size=n) < 1 / (1 + np.exp(2 - 1.5 * z))).astype(int)
    s = np.round(10 * z + 6 * rng.normal(size=n), digits)
    w = np.round(rng.uniform(0.1, 3, size=n), 3) if weights else None
    expected = {
        "roc_auc": m.roc_auc_score(y, s, sample_weight=w),
        "average_precision": m.average_precision_score(y, s, sample_weight=w),
        "ndcg": None if weights else m.ndcg_score([y], [s]),
    }
    data = {"label": y.tolist(), "score": s.tolist()}
    if weights:
        data["weight"] = w.tolist()
    intervals = {} if weights else {"roc_auc": delong(y, s)}
    return {"task": "ranking", "data": data, "expected": expected, "intervals": intervals, "confusion": None}


def main():
    rng = np.random.default_rng(7)
    cases = {
        "binary": binary(rng, 400, 9),
        "binary_many_ties": binary(rng, 300, 1),
        "binary_weighted": binary(rng, 200, 2, weights=True),
        "binary_only_positives": binary(rng, 60, 2, one_class=1),
        "binary_only_negatives": binary(rng, 60, 2, one_class=0),
        "binary_never_positive": binary(rng, 60, 2, threshold=1.5),
        "multiclass": multiclass(rng, 300),
        "multiclass_weighted": multiclass(rng, 150, weights=True),
        "regression": regression(rng, 301),
        "regression_even": regression(rng, 80),
        "regression_weighted": regression(rng, 150, weights=True),
        "regression_constant_label": regression(rng, 50, constant=True),
        "ranking": ranking(rng, 300, 6),
        "ranking_many_ties": ranking(rng, 300, -1),
        "ranking_weighted": ranking(rng, 150, 1, weights=True),
    }
    lines = ",\n".join(f"{json.dumps(name)}:{json.dumps(case, separators=(',', ':'))}" for name, case in cases.items())
    (HERE / "model.json").write_text("{\n" + lines + "\n}\n")
    print((HERE / "model.json").stat().st_size, "bytes,", len(cases), "cases")


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category=UserWarning)
        main()
