"""Golden values for performance without labels of several classes, read by tests/model_estimate_multiclass.rs.

    python3.11 -m venv venv && venv/bin/pip install -r tests/golden/estimate_requirements.txt
    NML_DISABLE_USAGE_LOGGING=1 venv/bin/python tests/golden/estimate_multiclass.py     # writes estimate_multiclass.json beside this script

Expected are NannyML's CBPE estimates and sampling errors for each chunk, its expected confusion matrix, and which classes it calibrates. `apart`:
generated scores that are no probabilities until they are calibrated, each of them once, so that no curve depends on the order of a sort.
`cards`: rows of the synthetic credit card data of NannyML (load_synthetic_multiclass_classification_dataset), whose scores have two decimals.
A row: its scores in the order of the classes, prediction, label, and how many rows are like it.
"""

import json
from pathlib import Path

import nannyml
import numpy as np
import pandas as pd

HERE = Path(__file__).parent
METRICS = ["accuracy", "precision", "recall", "specificity", "f1", "roc_auc", "average_precision", "confusion_matrix"]


def rows(frame, classes):
    keys = [f"p_{name}" for name in classes] + ["prediction", "label"]
    counted = frame.groupby(keys).size().reset_index(name="rows")
    return [[*map(float, row[: len(classes)]), row[-3], row[-2], int(row[-1])] for row in counted.itertuples(index=False)]


def case(reference, current, size, classes):
    np.random.seed(1)  # average precision's sampling error is a bootstrap
    estimator = nannyml.CBPE(
        problem_type="classification_multiclass",
        y_pred_proba={name: f"p_{name}" for name in classes},
        y_pred="prediction",
        y_true="label",
        metrics=METRICS,
        chunk_size=size,
    )
    estimator.fit(reference)
    calibrated = {name: type(estimator._calibrators[name]).__name__ == "IsotonicCalibrator" for name in classes}
    found = estimator.estimate(current.drop(columns=["label"])).filter(period="analysis").to_df()
    chunks = []
    for at in range(len(current) // size):
        value = lambda metric: [float(found[(metric, "value")].iloc[at]), float(found[(metric, "sampling_error")].iloc[at])]
        expected = {metric: value(metric) for metric in METRICS[:-1]}
        matrix = [[value(f"true_{label}_pred_{prediction}") for prediction in classes] for label in classes]
        chunks.append({"rows": rows(current.iloc[at * size : (at + 1) * size], classes), "expected": expected, "confusion": matrix})
    return {"classes": classes, "calibrated": calibrated, "reference": rows(reference, classes), "chunks": chunks}


def apart():
    rng = np.random.default_rng(11)
    classes = ["high", "low", "middle"]

    def draw(n, shift):
        z = rng.normal(size=(n, 3)) + np.array([shift, 0.0, 0.3])
        truth = np.exp(1.2 * z)
        truth /= truth.sum(axis=1, keepdims=True)
        label = [classes[rng.choice(3, p=p)] for p in truth]
        told = np.exp(2.2 * z)  # far too sure
        told /= told.sum(axis=1, keepdims=True)
        frame = pd.DataFrame({f"p_{name}": told[:, at] for at, name in enumerate(classes)})
        frame["prediction"] = [classes[at] for at in told.argmax(axis=1)]
        frame["label"] = label
        return frame

    reference, current = draw(2000, 0.0), pd.concat([draw(600, 0.0), draw(600, 1.0)], ignore_index=True)
    for name in classes:
        for frame in (reference, current):
            frame[f"p_{name}"] = [float(f"{score:.8g}") for score in frame[f"p_{name}"]]
            assert frame[f"p_{name}"].is_unique
    return case(reference, current, 600, classes)


def cards():
    reference, current, labels = nannyml.load_synthetic_multiclass_classification_dataset()
    classes = ["highstreet_card", "prepaid_card", "upmarket_card"]
    columns = {f"y_pred_proba_{name}": f"p_{name}" for name in classes} | {"y_pred": "prediction", "y_true": "label"}
    pick = list(columns.values())
    reference = reference.rename(columns=columns)[pick].iloc[:4000].reset_index(drop=True)
    current = current.merge(labels, on="id").rename(columns=columns)[pick]
    # The drift of that data begins in its second half.
    current = pd.concat([current.iloc[:1500], current.iloc[-1500:]], ignore_index=True)
    return case(reference, current, 1500, classes)


def main():
    cases = {"apart": apart(), "cards": cards()}
    lines = ",\n".join(f"{json.dumps(name)}:{json.dumps(one, separators=(',', ':'))}" for name, one in cases.items())
    (HERE / "estimate_multiclass.json").write_text("{\n" + lines + "\n}\n")
    for name, one in cases.items():
        print(name, one["calibrated"], [chunk["expected"] for chunk in one["chunks"]])


if __name__ == "__main__":
    main()
