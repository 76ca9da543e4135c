"""Golden values for gpudrift model compare, read by tests/model_compare.rs.

    python3 -m venv venv && venv/bin/pip install -r tests/golden/validate_requirements.txt
    venv/bin/python tests/golden/compare.py                 # writes compare.json beside this script

Two versions of a classifier and of a regression that answered different requests. Shares: proportions_ztest of statsmodels 0.15.0. Scores and
predicted numbers: ks_2samp, predicted classes: chi2_contingency, latencies: mannwhitneyu, errors and losses: Welch's ttest_ind of SciPy 1.17.1.
F1, average precision and calibration error are those of scikit-learn 1.9.1, and so is everything of rows with weights; none of it has a test.
Areas under the ROC curve: the difference over its standard error by DeLong, from the definition, pair by pair. Statistics are those of the
canary minus production.
"""

import json
import math
from pathlib import Path

import numpy as np
from scipy import stats
from sklearn import metrics as m
from statsmodels.stats.proportion import proportions_ztest

from model import calibration_error

HERE = Path(__file__).parent


def z(hits, rows):
    # statsmodels subtracts the second from the first.
    statistic, p = proportions_ztest(hits[::-1], rows[::-1])
    return {"values": [h / r for h, r in zip(hits, rows)], "statistic": float(statistic), "p_value": float(p)}


def welch(values, a, b):
    test = stats.ttest_ind(b, a, equal_var=False)
    return {"values": values, "statistic": float(test.statistic), "p_value": float(test.pvalue)}


def area(y, s):
    wins = (s[y == 1][:, None] > s[y == 0][None, :]) + 0.5 * (s[y == 1][:, None] == s[y == 0][None, :])
    v10, v01 = wins.mean(axis=1), wins.mean(axis=0)
    return wins.mean(), v10.var(ddof=1) / len(v10) + v01.var(ddof=1) / len(v01)


def latency(sides):
    a, b = sides
    u = stats.mannwhitneyu(b, a, method="asymptotic")
    both = np.concatenate([a, b])
    t = both.size
    ties = sum(c**3 - c for c in np.unique(both, return_counts=True)[1])
    deviation = math.sqrt(len(a) * len(b) / 12 * ((t + 1) - ties / (t * (t - 1))))
    limit = np.sort(both)[math.ceil(0.95 * t) - 1]
    tail = z([int((x > limit).sum()) for x in sides], [len(x) for x in sides])
    return {
        "latency_p50": {"values": [float(np.percentile(x, 50)) for x in sides],
                        "statistic": (float(u.statistic) - len(a) * len(b) / 2) / deviation, "p_value": float(u.pvalue)},
        "latency_p95": {**tail, "values": [float(np.percentile(x, 95)) for x in sides]},
    }


def untested(of_side):
    """Figures without a test: only their values are told."""
    both = [of_side(0), of_side(1)]
    return {name: {"values": [float(one[name]) for one in both], "statistic": None, "p_value": None} for name in both[0]}


def plain(y, p, s, w=None):
    found = {"average_precision": m.average_precision_score(y, s, sample_weight=w), "calibration_error": calibration_error(y, s, w)}
    for average in ("micro", "macro", "weighted"):
        found[f"f1_{average}"] = m.f1_score(y, p, average=average, sample_weight=w)
    return found | {"f1": m.f1_score(y, p, sample_weight=w)}


def weighted(rng, sizes, noise):
    """Rows with weights have figures and no test: a sum of weights is no number of rows."""
    case = classifier(rng, sizes, noise)
    case["data"]["weight"] = np.round(rng.uniform(0.1, 3, size=sum(sizes)), 3).tolist()
    y, p, s, w = (np.array(case["data"][name]) for name in ("label", "prediction", "score", "weight"))
    sides = [np.array(case["data"]["version"]) == name for name in ("prod", "canary")]

    def of_side(side):
        k = sides[side]
        found = plain(y[k], p[k], s[k], w[k])
        for name, f, x in (("accuracy", m.accuracy_score, p), ("precision", m.precision_score, p), ("recall", m.recall_score, p),
                           ("roc_auc", m.roc_auc_score, s), ("brier", m.brier_score_loss, s), ("log_loss", m.log_loss, s)):
            found[name] = f(y[k], x[k], sample_weight=w[k])
        return found

    case["expected"] = untested(of_side)
    return case


def classifier(rng, sizes, noise):
    version = np.repeat(["prod", "canary"], sizes)
    n = sum(sizes)
    truth = rng.normal(size=n)
    y = (rng.uniform(size=n) < 1 / (1 + np.exp(-1.5 * truth))).astype(int)
    spread = np.where(version == "prod", noise[0], noise[1])
    s = np.round(np.clip(1 / (1 + np.exp(-(truth + spread * rng.normal(size=n)))), 0.001, 0.999), 3)
    p = (s >= 0.5).astype(int)
    ms = np.round(rng.lognormal(3, 0.5, size=n) * np.where(version == "prod", 1, 1.1), 0)
    failed = (rng.uniform(size=n) < np.where(version == "prod", 0.02, 0.05)).astype(int)
    sides = [version == "prod", version == "canary"]
    right = [int((y == p)[k].sum()) for k in sides]
    expected = {"accuracy": z(right, list(sizes))}
    for name, of, hit in (("precision", p, y), ("recall", y, p), ("specificity", 1 - y, 1 - p)):
        expected[name] = z([int((of * hit)[k].sum()) for k in sides], [int(of[k].sum()) for k in sides])
    expected["predicted_positive"] = z([int(p[k].sum()) for k in sides], list(sizes))
    expected["error_rate"] = z([int(failed[k].sum()) for k in sides], list(sizes))
    (auc0, var0), (auc1, var1) = (area(y[k], s[k]) for k in sides)
    assert math.isclose(auc0, m.roc_auc_score(y[sides[0]], s[sides[0]]))
    statistic = (auc1 - auc0) / math.sqrt(var0 + var1)
    expected["roc_auc"] = {"values": [auc0, auc1], "statistic": statistic, "p_value": 2 * stats.norm.sf(abs(statistic))}
    loss = -np.where(y == 1, np.log(s), np.log1p(-s))
    expected["log_loss"] = welch([float(m.log_loss(y[k], s[k])) for k in sides], loss[sides[0]], loss[sides[1]])
    square = (s - y) ** 2
    expected["brier"] = welch([float(m.brier_score_loss(y[k], s[k])) for k in sides], square[sides[0]], square[sides[1]])
    ks = stats.ks_2samp(s[sides[0]], s[sides[1]])
    expected["score"] = {"values": [float(s[k].mean()) for k in sides], "statistic": float(ks.statistic), "p_value": float(ks.pvalue)}
    table = [[int((p[k] == c).sum()) for c in (0, 1)] for k in sides]
    chi2 = stats.chi2_contingency(table, correction=False)
    expected["prediction"] = {"values": [None, None], "statistic": float(chi2.statistic), "p_value": float(chi2.pvalue)}
    expected |= latency([ms[k] for k in sides])
    expected |= untested(lambda side: plain(y[sides[side]], p[sides[side]], s[sides[side]]))
    data = {"version": version.tolist(), "label": y.tolist(), "prediction": p.tolist(), "score": s.tolist(), "ms": ms.tolist(),
            "failed": failed.tolist()}
    return {"task": "binary", "data": data, "expected": expected}


def regression(rng, sizes, noise):
    version = np.repeat(["prod", "canary"], sizes)
    n = sum(sizes)
    y = np.round(rng.lognormal(size=n), 3)
    p = np.round(y + np.where(version == "prod", noise[0], noise[1]) * rng.normal(size=n), 2)
    sides = [version == "prod", version == "canary"]
    error = np.abs(y - p)
    ks = stats.ks_2samp(p[sides[0]], p[sides[1]])
    expected = {
        "rmse": welch([float(m.root_mean_squared_error(y[k], p[k])) for k in sides], error[sides[0]] ** 2, error[sides[1]] ** 2),
        "mae": welch([float(error[k].mean()) for k in sides], error[sides[0]], error[sides[1]]),
        "prediction": {"values": [float(p[k].mean()) for k in sides], "statistic": float(ks.statistic), "p_value": float(ks.pvalue)},
    }
    data = {"version": version.tolist(), "label": y.tolist(), "prediction": p.tolist()}
    return {"task": "regression", "data": data, "expected": expected}


def main():
    rng = np.random.default_rng(11)
    cases = {
        "classifier_alike": classifier(rng, (500, 120), (0.6, 0.6)),
        "classifier_worse": classifier(rng, (700, 300), (0.3, 2.0)),
        "regression_alike": regression(rng, (300, 80), (0.4, 0.4)),
        "regression_worse": regression(rng, (300, 150), (0.3, 0.6)),
        "classifier_weighted": weighted(rng, (300, 120), (0.3, 1.0)),
    }
    lines = ",\n".join(f"{json.dumps(name)}:{json.dumps(case, separators=(',', ':'))}" for name, case in cases.items())
    (HERE / "compare.json").write_text("{\n" + lines + "\n}\n")
    print((HERE / "compare.json").stat().st_size, "bytes,", len(cases), "cases")


if __name__ == "__main__":
    main()
