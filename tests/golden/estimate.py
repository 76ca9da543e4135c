"""Golden values for performance without labels, read by tests/model_estimate.rs.

    python3.11 -m venv venv && venv/bin/pip install -r tests/golden/estimate_requirements.txt
    NML_DISABLE_USAGE_LOGGING=1 venv/bin/python tests/golden/estimate.py FOLDER_OF_CAR_LOAN     # writes estimate.json beside this script

FOLDER_OF_CAR_LOAN holds reference.parquet, current.parquet and current_target.parquet: the synthetic car loan data of NannyML 0.13.1
(load_synthetic_car_loan_dataset). Its scores have two decimals, so a case is small: rows by score, prediction and label for the reference, and
by score, prediction and label for each chunk of 10,000 rows. Expected are NannyML's CBPE estimates and sampling errors. The second case is
generated: scores that are no probabilities until they are calibrated.
"""

import json
import sys
from pathlib import Path

import nannyml
import numpy as np
import pandas as pd

HERE = Path(__file__).parent
METRICS = ["roc_auc", "f1", "precision", "recall", "specificity", "accuracy", "average_precision"]
CELLS = [["true_negative", "false_positive"], ["false_negative", "true_positive"]]  # by label, then prediction


def table(frame):
    counted = frame.groupby(["score", "prediction", "label"]).size().reset_index(name="rows")
    return [[float(s), int(p), int(y), int(n)] for s, p, y, n in counted.itertuples(index=False)]


def case(reference, current, size):
    np.random.seed(1)  # average precision's sampling error is a bootstrap
    estimator = nannyml.CBPE(problem_type="classification_binary", y_pred_proba="score", y_pred="prediction", y_true="label", metrics=[*METRICS, "confusion_matrix"], chunk_size=size)
    estimator.fit(reference)
    found = estimator.estimate(current.drop(columns=["label"])).filter(period="analysis").to_df()
    chunks = []
    for at in range(len(current) // size):
        rows = current.iloc[at * size : (at + 1) * size]
        expected = {m: [float(found[(m, "value")].iloc[at]), float(found[(m, "sampling_error")].iloc[at])] for m in METRICS}
        confusion = [[[float(found[(cell, what)].iloc[at]) for what in ("value", "sampling_error")] for cell in row] for row in CELLS]
        chunks.append({"rows": table(rows), "expected": expected, "confusion": confusion})
    return {"calibrated": bool(estimator.needs_calibration), "reference": table(reference), "chunks": chunks}


def car_loan(folder):
    folder = Path(folder)
    columns = {"y_pred_proba": "score", "y_pred": "prediction", "repaid": "label"}
    reference = pd.read_parquet(folder / "reference.parquet").rename(columns=columns)
    current = pd.read_parquet(folder / "current.parquet").merge(pd.read_parquet(folder / "current_target.parquet"), on="id").rename(columns=columns)
    pick = ["score", "prediction", "label"]
    return case(reference[pick].astype({"label": int}), current[pick].astype({"label": int}), 10_000)


def generated():
    rng = np.random.default_rng(5)

    def rows(n, shift):
        z = rng.normal(loc=shift, size=n)
        label = (rng.uniform(size=n) < 1 / (1 + np.exp(-1.5 * z))).astype(int)
        score = np.round(1 / (1 + np.exp(-(4.0 * z + 1.0))), 2)  # far too sure, and too high
        return pd.DataFrame({"score": score, "prediction": (score >= 0.7).astype(int), "label": label})

    return case(rows(20_000, 0.0), pd.concat([rows(5_000, 0.0), rows(5_000, 0.8)], ignore_index=True), 5_000)


def main():
    cases = {"car_loan": car_loan(sys.argv[1]), "overconfident": generated()}
    lines = ",\n".join(f"{json.dumps(name)}:{json.dumps(one, separators=(',', ':'))}" for name, one in cases.items())
    (HERE / "estimate.json").write_text("{\n" + lines + "\n}\n")
    for name, one in cases.items():
        print(name, "calibrated" if one["calibrated"] else "not calibrated", [chunk["expected"]["accuracy"] for chunk in one["chunks"]])


if __name__ == "__main__":
    main()
