"""Golden values for logs that are not tidy, read by tests/model_checks.rs.

    python3 -m venv venv && venv/bin/pip install -r tests/golden/validate_requirements.txt
    venv/bin/python tests/golden/checks.py                 # writes checks.json beside this script

A log with ids that occur twice, scores that are NaN or null and weights; labels that lie apart, some of nobody, some twice, some that contradict
each other, some missing. pandas drops duplicates and joins, scikit-learn 1.9.1 measures the rows that have a label and a score.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn import metrics as m

HERE = Path(__file__).parent


def measured(y, s, w=None):
    p = (s >= 0.5).astype(int)
    both = y.nunique() == 2
    return {
        "accuracy": m.accuracy_score(y, p, sample_weight=w),
        "f1": m.f1_score(y, p, sample_weight=w) if (y | p).any() else None,
        "roc_auc": m.roc_auc_score(y, s, sample_weight=w) if both else None,
        "average_precision": m.average_precision_score(y, s, sample_weight=w) if y.any() else None,
        "log_loss": m.log_loss(y, s, labels=[0, 1], sample_weight=w),
        "brier": m.brier_score_loss(y, s, pos_label=1, sample_weight=w),
    }


def joined(log, labels, keep):
    rows = log.drop_duplicates("id", keep=keep)
    truth = labels.drop_duplicates("id", keep=keep)
    both = rows.merge(truth, on="id", how="left")
    usable = both[both.label.notna() & both.score.notna()]
    y = usable.label.astype(int)
    dropped = labels[labels.duplicated("id", keep=keep)]
    kept = dropped.merge(truth, on="id", suffixes=("", "_kept"))
    return {
        "metrics": measured(y, usable.score),
        "weighted": measured(y, usable.score, usable.weight),
        "rows": len(rows),
        "labelled": int(both.label.notna().sum()),
        "measured": len(usable),
        "duplicate_predictions": len(log) - len(rows),
        "duplicate_labels": len(dropped),
        "conflicting": int((kept.label != kept.label_kept).sum()),
        "labels_without_prediction": int((~truth.id.isin(rows.id)).sum()),
    }


def main():
    rng = np.random.default_rng(5)
    n = 600
    z = rng.normal(size=n)
    score = np.round(1 / (1 + np.exp(-(z + 0.7 * rng.normal(size=n)))), 2)
    label = (rng.uniform(size=n) < 1 / (1 + np.exp(-1.5 * z))).astype(int)
    log = pd.DataFrame({"id": np.arange(n), "score": score, "weight": np.round(rng.uniform(0.2, 3, size=n), 2)})
    again = log.sample(50, random_state=1).assign(score=lambda rows: np.round(1 - rows.score, 2))
    log = pd.concat([log, again], ignore_index=True)
    log.loc[[3, 70, 71, 300], "score"] = np.nan
    labels = pd.DataFrame({"id": np.arange(n), "label": label}).sample(480, random_state=2)
    twice = labels.sample(40, random_state=3)
    twice.loc[twice.index[:25], "label"] = 1 - twice.label[:25]
    nobody = pd.DataFrame({"id": np.arange(10_000, 10_030), "label": rng.integers(0, 2, size=30)})
    labels = pd.concat([labels, twice, nobody], ignore_index=True)
    tied = pd.DataFrame({"score": rng.integers(0, 4, size=200) / 4, "label": rng.integers(0, 2, size=200)})
    one = pd.DataFrame({"score": np.round(rng.uniform(size=90), 3), "label": 1})
    cases = {
        "log": {"id": log.id.tolist(), "score": ["NaN" if np.isnan(x) else x for x in log.score], "weight": log.weight.tolist()},
        "labels": {"id": labels.id.tolist(), "label": labels.label.tolist()},
        "first": joined(log, labels, "first"),
        "last": joined(log, labels, "last"),
        "nan_scores": int(log.drop_duplicates("id").score.isna().sum()),
        "tied": {"score": tied.score.tolist(), "label": tied.label.tolist(), "metrics": measured(tied.label, tied.score)},
        "one_class": {"score": one.score.tolist(), "label": one.label.tolist(), "metrics": measured(one.label, one.score)},
    }
    lines = ",\n".join(f"{json.dumps(name)}:{json.dumps(case, separators=(',', ':'))}" for name, case in cases.items())
    (HERE / "checks.json").write_text("{\n" + lines + "\n}\n")
    print((HERE / "checks.json").stat().st_size, "bytes")


if __name__ == "__main__":
    main()
