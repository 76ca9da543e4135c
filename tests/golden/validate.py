"""Golden values for gpudrift validate, read by tests/validate.rs.

    python3 -m venv venv && venv/bin/pip install -r tests/golden/validate_requirements.txt
    venv/bin/pip install --no-deps fairlearn==0.13.0 narwhals==2.29.0      # its own pins exclude this scikit-learn
    venv/bin/python tests/golden/validate.py                               # writes validate.json beside this script

Two classifiers of the same 500 rows in three groups, and two regressions: figures of scikit-learn 1.9.1, fairness of Fairlearn 0.13.0, the exact
McNemar test of statsmodels 0.15.0, DeLong's test from its definition, and percentile intervals of scipy.stats.bootstrap (paired, 4,000
samples), which are random: ours lie near them.
"""

import json
import math
from pathlib import Path

import numpy as np
from fairlearn.metrics import demographic_parity_difference, equal_opportunity_difference, equalized_odds_difference
from scipy import stats
from sklearn import metrics as m
from statsmodels.stats.contingency_tables import mcnemar

HERE = Path(__file__).parent


def figures(y, p, s, g):
    found = {
        "accuracy": m.accuracy_score(y, p), "precision": m.precision_score(y, p), "recall": m.recall_score(y, p),
        "specificity": m.recall_score(y, p, pos_label=0), "f1": m.f1_score(y, p), "roc_auc": m.roc_auc_score(y, s),
        "average_precision": m.average_precision_score(y, s), "log_loss": m.log_loss(y, s), "brier": m.brier_score_loss(y, s),
        "demographic_parity.group": demographic_parity_difference(y, p, sensitive_features=g),
        "equal_opportunity.group": equal_opportunity_difference(y, p, sensitive_features=g),
        "equalized_odds.group": equalized_odds_difference(y, p, sensitive_features=g),
    }
    return {name: float(value) for name, value in found.items()}


def delong(y, a, b):
    def placements(s):
        wins = (s[y == 1][:, None] > s[y == 0][None, :]) + 0.5 * (s[y == 1][:, None] == s[y == 0][None, :])
        return wins.mean(axis=1), wins.mean(axis=0)

    (a10, a01), (b10, b01) = placements(a), placements(b)
    variance = (b10 - a10).var(ddof=1) / len(a10) + (b01 - a01).var(ddof=1) / len(a01)
    change, error = b10.mean() - a10.mean(), math.sqrt(variance)
    z = stats.norm.ppf(0.975)
    return {"value": change, "low": change - z * error, "high": change + z * error, "p_value": 2 * stats.norm.sf(abs(change / error))}


def interval(statistic, *columns):
    rng = np.random.default_rng(1)
    found = stats.bootstrap(columns, statistic, paired=True, method="percentile", n_resamples=4_000, vectorized=False, rng=rng)
    return [float(found.confidence_interval.low), float(found.confidence_interval.high)]


def loss(y, s):
    return -np.where(y == 1, np.log(s), np.log1p(-s))


def main():
    rng = np.random.default_rng(11)
    n = 500
    g = rng.choice(["a", "b", "c"], size=n, p=[0.5, 0.3, 0.2])
    z = rng.normal(size=n) + np.where(g == "c", 0.6, 0.0)
    y = (rng.uniform(size=n) < 1 / (1 + np.exp(-2 * z))).astype(int)
    score = lambda noise: np.round(1 / (1 + np.exp(-1.5 * (z + noise * rng.normal(size=n)))), 2).clip(0.01, 0.99)
    a, b = score(0.9), score(0.6)
    b = np.clip(b + np.where(g == "b", 0.1, 0.0), 0.01, 0.99).round(2)
    pa, pb = (a >= 0.5).astype(int), (b >= 0.5).astype(int)
    right = [[int(np.sum(((pa == y) == i) & ((pb == y) == j))) for j in (True, False)] for i in (True, False)]
    truth = np.round(rng.lognormal(size=200), 3)
    va, vb = np.round(truth + 0.5 * rng.normal(size=200), 3), np.round(truth + 0.4 * rng.normal(size=200), 3)
    numbers = lambda v: {"mae": m.mean_absolute_error(truth, v), "rmse": m.root_mean_squared_error(truth, v), "r2": m.r2_score(truth, v)}
    golden = {
        "binary": {
            "data": {"label": y.tolist(), "group": g.tolist(), "champion": a.tolist(), "challenger": b.tolist()},
            "champion": figures(y, pa, a, g), "challenger": figures(y, pb, b, g),
            "mcnemar": float(mcnemar(right, exact=True).pvalue), "delong": delong(y, a, b),
            "intervals": {
                "change.accuracy": interval(lambda y, p, q: np.mean(y == q) - np.mean(y == p), y, pa, pb),
                "change.log_loss": interval(lambda y, s, t: np.mean(loss(y, t) - loss(y, s)), y, a, b),
                "challenger.f1": interval(lambda y, q: 2 * np.sum(y & q) / (np.sum(y) + np.sum(q)), y, pb),
            },
        },
        "regression": {
            "data": {"label": truth.tolist(), "champion": va.tolist(), "challenger": vb.tolist()},
            "champion": numbers(va), "challenger": numbers(vb),
            "intervals": {"change.mae": interval(lambda y, v, w: np.abs(y - w).mean() - np.abs(y - v).mean(), truth, va, vb)},
        },
    }
    (HERE / "validate.json").write_text(json.dumps(golden, separators=(",", ":")).replace('},"regression"', '},\n"regression"') + "\n")
    print((HERE / "validate.json").stat().st_size, "bytes", golden["binary"]["mcnemar"], golden["binary"]["delong"], golden["binary"]["intervals"])


if __name__ == "__main__":
    main()
