"""Golden values for direct loss estimation, read by tests/model_estimate_loss.rs.

    python3.11 -m venv venv && venv/bin/pip install -r tests/golden/estimate_requirements.txt
    NML_DISABLE_USAGE_LOGGING=1 venv/bin/python tests/golden/estimate_loss.py     # writes estimate_loss.json and three Parquet files beside this script

Expected are NannyML's DLE estimates (LightGBM with its defaults), sampling errors, thresholds and realised figures for each chunk. `known`:
generated predictions whose error is normal with a spread that follows from the features, so that the expected losses are known, too.
`cars`: rows of the synthetic car price data of NannyML (load_synthetic_car_price_dataset, Apache-2.0); in its second chunk it has drifted.
`weighted`: rows with weights, which NannyML does not take. The rows that weigh more are those whose error is smaller, which no feature
tells, so that losses of rows that count alike would be too large. Expected is what NannyML does with one weight more: LightGBM with
`sample_weight`, weighted means, and Kish's number of rows.
The column `part` says which rows are the reference (-1), and which a chunk.
"""

import json
from pathlib import Path

import lightgbm
import nannyml
import numpy as np
import pandas as pd

HERE = Path(__file__).parent
METRICS = ["mae", "mse", "rmse", "mape", "msle", "rmsle"]


def case(name, reference, current, size, features):
    estimator = nannyml.DLE(feature_column_names=features, y_pred="prediction", y_true="label", metrics=METRICS, chunk_size=size)
    # The reference is cut into ten parts for thresholds, the rest into chunks: NannyML has one size for both.
    thresholds = nannyml.DLE(feature_column_names=features, y_pred="prediction", y_true="label", metrics=METRICS, chunk_number=10)
    pick = features + ["prediction", "label"]
    for one in (estimator, thresholds):
        one.fit(reference[pick])
    found = estimator.estimate(current[pick]).filter(period="analysis").to_df()
    chunks = []
    for at in range(len(current) // size):
        value = lambda metric, what: float(found[(metric, what)].iloc[at])
        rows = current.iloc[at * size : (at + 1) * size]
        chunk = {metric: {"value": value(metric, "value"), "sampling_error": value(metric, "sampling_error"), "realized": value(metric, "realized")} for metric in METRICS}
        if "spread" in rows:
            # Normal errors: E|e| = s * sqrt(2 / pi), E e^2 = s^2.
            chunk["mae"]["known"] = float((rows["spread"] * np.sqrt(2 / np.pi)).mean())
            chunk["mse"]["known"] = float((rows["spread"] ** 2).mean())
            chunk["rmse"]["known"] = float(np.sqrt((rows["spread"] ** 2).mean()))
        chunks.append(chunk)
    ends = {metric.column_name: [metric.lower_threshold_value, metric.upper_threshold_value] for metric in thresholds.metrics}
    parts = [-1] * len(reference) + [at // size for at in range(len(current))]
    table = pd.concat([reference[pick], current[pick]], ignore_index=True).assign(part=np.array(parts, dtype=np.int8))
    table.to_parquet(HERE / f"estimate_loss_{name}.parquet", compression="zstd", index=False)
    return {"features": features, "thresholds": ends, "chunks": chunks}


def weighted():
    rng = np.random.default_rng(6)

    def draw(n, shift):
        x = np.round(rng.uniform(0, 1, size=n) ** (1 / (1 + shift)), 3)
        heavy = rng.uniform(size=n) < 0.3
        weight = np.where(heavy, 3.0, 0.5) + rng.integers(0, 32, size=n) / 64
        spread = (0.5 + 2.5 * x) * np.where(heavy, 0.5, 1.0)
        prediction = np.round(30 + 20 * rng.uniform(size=n), 2)
        label = np.round(prediction + spread * rng.normal(size=n), 2)
        return pd.DataFrame({"x": x, "prediction": prediction, "label": label, "weight": weight, "spread": spread})

    def losses(rows):
        error = rows["label"] - rows["prediction"]
        return {"mae": error.abs(), "mse": error**2, "mape": error.abs() / rows["label"].abs(), "msle": (np.log1p(rows["label"]) - np.log1p(rows["prediction"])) ** 2}

    reference, chunks = draw(20_000, 0.0), [draw(1000, 0.0), draw(1000, 2.0)]
    found, ends = [{} for _ in chunks], {}
    of_parts = [{name: np.average(loss, weights=part["weight"]) for name, loss in losses(part).items()} for part in (reference.iloc[at * 2000 : (at + 1) * 2000] for at in range(10))]
    for name, loss in losses(reference).items():
        mean = np.average(loss, weights=reference["weight"])
        deviation = np.sqrt(np.average((loss - mean) ** 2, weights=reference["weight"]))
        learner = lightgbm.LGBMRegressor(verbose=-1).fit(reference[["x", "prediction"]], loss, sample_weight=reference["weight"])
        root = {"mse": "rmse", "msle": "rmsle"}.get(name)
        for metric, figure in [(name, float)] + ([(root, np.sqrt)] if root else []):
            figures = np.array([figure(part[name]) for part in of_parts])
            ends[metric] = [float(max(figures.mean() - 3 * figures.std(), 0)), float(figures.mean() + 3 * figures.std())]
            for rows, into in zip(chunks, found):
                weight = rows["weight"]
                error = deviation / np.sqrt(weight.sum() ** 2 / (weight**2).sum())
                into[metric] = {
                    "value": float(figure(np.average(learner.predict(rows[["x", "prediction"]]), weights=weight))),
                    "sampling_error": float(error if figure is float else error / (2 * np.sqrt(mean))),
                    "realized": float(figure(np.average(losses(rows)[name], weights=weight))),
                }
    for rows, into in zip(chunks, found):
        squares = np.average(rows["spread"] ** 2, weights=rows["weight"])
        into["mae"]["known"] = float(np.average(rows["spread"] * np.sqrt(2 / np.pi), weights=rows["weight"]))
        into["mse"]["known"], into["rmse"]["known"] = float(squares), float(np.sqrt(squares))
    parts = [-1] * len(reference) + [at for at, rows in enumerate(chunks) for _ in range(len(rows))]
    table = pd.concat([reference, *chunks], ignore_index=True).drop(columns="spread").assign(part=np.array(parts, dtype=np.int8))
    table.to_parquet(HERE / "estimate_loss_weighted.parquet", compression="zstd", index=False)
    return {"features": ["x"], "weight": "weight", "thresholds": ends, "chunks": found}


def known():
    rng = np.random.default_rng(3)

    def draw(n, shift):
        x = np.round(rng.uniform(0, 1, size=n) ** (1 / (1 + shift)), 3)
        place = rng.choice(["north", "south", "west"], p=[0.5, 0.3, 0.2], size=n)
        spread = (0.5 + 2.5 * x) * pd.Series(place).map({"north": 1.0, "south": 2.0, "west": 0.5}).to_numpy()
        prediction = np.round(30 + 20 * rng.uniform(size=n), 2)
        label = np.round(prediction + spread * rng.normal(size=n), 2)
        idle = np.round(rng.normal(size=n), 1)
        idle[rng.uniform(size=n) < 0.1] = np.nan
        return pd.DataFrame({"x": x, "place": place, "idle": idle, "prediction": prediction, "label": label, "spread": spread})

    return case("known", draw(8000, 0.0), pd.concat([draw(3000, 0.0), draw(3000, 2.0)], ignore_index=True), 3000, ["x", "place", "idle"])


def cars():
    reference, current, labels = nannyml.load_synthetic_car_price_dataset()
    columns = {"y_pred": "prediction", "y_true": "label"}
    reference = reference.rename(columns=columns).iloc[:12_000].reset_index(drop=True)
    current = current.merge(labels, on="id").rename(columns=columns)
    current = pd.concat([current.iloc[:4000], current.iloc[-4000:]], ignore_index=True)
    features = ["car_age", "km_driven", "price_new", "accident_count", "door_count", "fuel", "transmission"]
    return case("cars", reference, current, 4000, features)


def main():
    cases = {"known": known(), "cars": cars(), "weighted": weighted()}
    (HERE / "estimate_loss.json").write_text(json.dumps(cases, indent=1) + "\n")
    for name, one in cases.items():
        print(name, one["thresholds"])
        for chunk in one["chunks"]:
            for metric, values in chunk.items():
                print("  ", metric, {key: round(value, 5) for key, value in values.items()})


if __name__ == "__main__":
    main()
