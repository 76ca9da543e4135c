"""Golden values for the car loans of examples/monitoring, read by tests/model_car_loan.rs.

    python3.11 -m venv venv && venv/bin/pip install -r tests/golden/estimate_requirements.txt
    NML_DISABLE_USAGE_LOGGING=1 venv/bin/python tests/golden/car_loan.py FOLDER_OF_CAR_LOAN     # writes car_loan.json beside this script

FOLDER_OF_CAR_LOAN holds reference.parquet, current.parquet and current_target.parquet: the synthetic car loan data of NannyML 0.13.1. A month is
small, as scores have two decimals: rows by score, prediction and label. Expected of each month: figures of scikit-learn 1.9.1 from the labels that
came later, CBPE estimates of NannyML without them, and PSI of the scores by NumPy's percentiles of the reference (ten bins, shares below 0.001 are
0.001).
"""

import json
import sys
from pathlib import Path

import nannyml
import numpy as np
import pandas as pd
from sklearn import metrics as m

from estimate import table

HERE = Path(__file__).parent
ESTIMATED = ["roc_auc", "f1", "precision", "recall", "specificity", "accuracy", "average_precision"]


def psi(reference, current):
    edges = np.percentile(reference, np.arange(10, 100, 10))
    shares = [np.bincount(np.searchsorted(edges, x, side="right"), minlength=10) / len(x) for x in (reference, current)]
    a, b = (np.maximum(share, 0.001) for share in shares)
    return float(np.sum((b - a) * np.log(b / a)))


def realized(y, p, s):
    return {
        "accuracy": m.accuracy_score(y, p), "precision": m.precision_score(y, p), "recall": m.recall_score(y, p),
        "specificity": m.recall_score(y, p, pos_label=0), "f1": m.f1_score(y, p), "f1_macro": m.f1_score(y, p, average="macro"),
        "f1_weighted": m.f1_score(y, p, average="weighted"), "roc_auc": m.roc_auc_score(y, s),
        "average_precision": m.average_precision_score(y, s), "log_loss": m.log_loss(y, s), "brier": m.brier_score_loss(y, s),
    }


def main():
    folder = Path(sys.argv[1])
    columns = {"y_pred_proba": "score", "y_pred": "prediction", "repaid": "label"}
    reference = pd.read_parquet(folder / "reference.parquet").rename(columns=columns).astype({"label": int})
    current = pd.read_parquet(folder / "current.parquet").merge(pd.read_parquet(folder / "current_target.parquet"), on="id")
    current = current.rename(columns=columns).astype({"label": int})
    np.random.seed(1)
    estimator = nannyml.CBPE(problem_type="classification_binary", y_pred_proba="score", y_pred="prediction", y_true="label", metrics=ESTIMATED,
                             timestamp_column_name="timestamp", chunk_period="M")
    pick = ["timestamp", "score", "prediction", "label"]
    estimator.fit(reference[pick])
    found = estimator.estimate(current[pick].drop(columns=["label"])).filter(period="analysis").to_df()
    months = []
    for at, (month, rows) in enumerate(current.groupby(current["timestamp"].dt.to_period("M"))):
        assert found[("chunk", "key")].iloc[at] == str(month)
        y, p, s = (rows[name].to_numpy() for name in ("label", "prediction", "score"))
        months.append({
            "month": str(month), "rows": table(rows), "realized": {name: float(value) for name, value in realized(y, p, s).items()},
            "estimated": {name: [float(found[(name, what)].iloc[at]) for what in ("value", "sampling_error")] for name in ESTIMATED},
            "psi": psi(reference["score"].to_numpy(), s),
        })
        print(month, len(rows), months[-1]["realized"]["accuracy"], months[-1]["estimated"]["accuracy"], months[-1]["psi"])
    lines = ",\n".join(json.dumps(one, separators=(",", ":")) for one in months)
    text = json.dumps(table(reference), separators=(",", ":"))
    (HERE / "car_loan.json").write_text(f'{{"reference":{text},\n"months":[\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
