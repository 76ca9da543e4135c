"""Golden answers for gpudrift::concept, read by tests/concept_golden.rs.

    python3 -m venv venv && venv/bin/pip install -r tests/golden/concept_requirements.txt
    venv/bin/pip install --no-deps frouros==0.9.0 tqdm requests matplotlib     # its own pins exclude the NumPy that River needs
    venv/bin/python tests/golden/concept.py [FOLDER_OF_ELEC2]                  # some minutes; writes concept.json beside this script

Every case is a detector of River 0.26.1 (CUSUM: frouros 0.9.0, reset after each drift) over a stream: the ticks of drifts and of
warnings (see `runs`), and its internal statistics at some ticks. A tick with both flags counts as a drift. Streams come from a
generator that the test has, too (SplitMix64), or stand in the file where they are small.

ELEC2 (the New South Wales electricity market): with FOLDER_OF_ELEC2, a folder with reference.parquet and current.parquet, a Gaussian naive
Bayes classifier and a Hoeffding tree of River run over its 45,312 rows, predict first and learn then; their errors, a bit each, are the
streams. Without it, the two streams of the file that is there are kept.
"""

import json
import math
import random
import sys
from pathlib import Path

import numpy as np
from frouros.detectors.concept_drift import CUSUM, CUSUMConfig
from river import drift
from river.drift import binary, datasets

HERE = Path(__file__).parent
MASK = (1 << 64) - 1


class SplitMix:
    """Steele, Lea and Flood 2014."""

    def __init__(self, seed):
        self.state = seed

    def uniform(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return ((z ^ (z >> 31)) >> 11) * 2.0**-53


def errors(seed, segments):
    """Errors with a rate for each segment of (rows, rate)."""
    source = SplitMix(seed)
    return [1.0 if source.uniform() < rate else 0.0 for rows, rate in segments for _ in range(rows)]


def losses(seed, segments):
    """Sums of three uniform numbers, scaled and shifted for each segment of (rows, shift, scale)."""
    source = SplitMix(seed)
    triple = lambda: source.uniform() + source.uniform() + source.uniform()
    return [shift + scale * triple() for rows, shift, scale in segments for _ in range(rows)]


GENERATED = {
    "stable_errors": ("errors", 1, [[6000, 0.2]]),
    "abrupt_errors": ("errors", 2, [[1500, 0.1], [1500, 0.35], [1500, 0.05], [1500, 0.5]]),
    "gradual_errors": ("errors", 3, [[300, 0.05 + 0.02 * step] for step in range(20)]),
    "rare_errors": ("errors", 4, [[4000, 0.01], [2000, 0.04], [2000, 0.005]]),
    "hopeless_errors": ("errors", 5, [[500, 1.0], [500, 0.0], [500, 1.0]]),
    "stable_losses": ("losses", 6, [[6000, 0.0, 1.0]]),
    "abrupt_losses": ("losses", 7, [[1500, 0.0, 1.0], [1500, 2.0, 1.0], [1500, -3.0, 1.0], [1500, -3.0, 4.0]]),
    "gradual_losses": ("losses", 8, [[200, 0.1 * step, 1.0] for step in range(30)]),
    "large_losses": ("losses", 9, [[1500, 1e9, 1e3], [1500, 1.002e9, 1e3]]),
    "tiny_losses": ("losses", 10, [[1500, -1e-12, 1e-12], [1500, 1e-12, 1e-12]]),
}


def listed():
    """River's own regression streams, and its small data sets."""
    np.random.seed(12345)
    numpy_stream = np.concatenate((np.random.randint(2, size=1000), np.random.randint(8, size=1000)))
    rng = random.Random(42)
    four = rng.choices([0, 1], k=1000) + rng.choices(range(4, 8), k=1000)
    four += rng.choices([0, 1], k=1000) + rng.choices(range(4, 8), k=1000)
    rng = random.Random(12345)
    docs = rng.choices([0, 1], k=1000) + rng.choices(range(4, 8), k=1000)
    rng = random.Random(42)
    ddm = rng.choices([0, 1], [0.7, 0.3], k=1000) + rng.choices([0, 1], [0.3, 0.7], k=1000)
    streams = {
        "river_numpy_12345": [int(value) for value in numpy_stream],
        "river_random_42_four": four,
        "river_documentation": docs,
        "river_documentation_binary": ddm,
        "river_airline_passengers": [y for _, y in datasets.AirlinePassengers()],
        "river_bitcoin": [y for _, y in datasets.Bitcoin()],
        "river_uk_coal": [y for _, y in datasets.UKCoalEmploy()],
    }
    assert max(max(streams[name]) for name in list(streams)[:4]) < 10
    digits = lambda stream: "".join(map(str, stream))
    return {name: digits(s) if max(s) < 10 else [float(v) for v in s] for name, s in streams.items()}


def elec2(folder):
    """Errors of two classifiers over ELEC2, predicting each row before learning from it."""
    import pyarrow.parquet as pq
    from river import naive_bayes, tree

    rows = []
    for side in ("reference", "current"):
        rows += pq.read_table(Path(folder) / f"{side}.parquet").drop_columns(["timestamp"]).to_pylist()
    streams = {}
    for name, model in (("elec2_naive_bayes", naive_bayes.GaussianNB()), ("elec2_hoeffding_tree", tree.HoeffdingTreeClassifier())):
        bits = 0
        for row in rows:
            x = {key: value for key, value in row.items() if key != "class"}
            bits = bits << 1 | int((model.predict_one(x) or 0) != row["class"])
            model.learn_one(x, row["class"])
        streams[name] = {"length": len(rows), "hex": f"{bits:0{(len(rows) + 3) // 4}x}"}
        print(name, bits.bit_count() / len(rows), "errors")
    return streams


def bits(packed):
    text = bin(int(packed["hex"], 16))[2:].zfill(packed["length"])
    return [float(bit) for bit in text]


# Detectors --------------------------------------------------------------------------------------------------------------------------


def adwin_statistics(d):
    return {"width": d.width, "total": d.total, "variance": d.variance, "estimation": d.estimation}


def ddm_statistics(d):
    return {"n": d._p.n, "p": d._p.get(), "p_min": d._p_min or 0.0, "s_min": d._s_min or 0.0}


def eddm_statistics(d):
    v = d._error_distances
    return {"n": d._n, "errors": d._n_errors, "mean": v.mean.get(), "variance": v.get(), "largest": d._p2s_prime_max}


def hddm_a_statistics(d):
    return {"n": d._z.n, "mean": d._z.get(), "low_n": d._x_min.n, "low_mean": d._x_min.get()}


def hddm_w_statistics(d):
    before, after = d._s1_incr, d._s2_incr
    return {"mean": d._total.ewma, "weights": d._total.ibc, "before": before.ewma, "after": after.ewma, "level": d._incr_cutpoint}


def page_hinkley_statistics(d):
    return {
        "n": d._x_mean.n, "mean": d._x_mean.get(), "increase": d._sum_increase, "decrease": d._sum_decrease,
        "least_increase": d._min_increase, "most_decrease": float(d._max_decrease),
    }


def kswin_statistics(d):
    return {"size": len(d.window)} if not d.drift_detected else {}


class Cusum:
    """frouros' CUSUM with River's habit of a fresh start after a drift."""

    warning_detected = False

    def __init__(self, **settings):
        settings = {"lambda_" if key == "lambda" else key: value for key, value in settings.items()}
        self.inner = CUSUM(CUSUMConfig(**settings))

    @property
    def drift_detected(self):
        return bool(self.inner.drift)

    def update(self, value):
        if self.inner.drift:
            self.inner.reset()
        self.inner.update(value=value)


def cusum_statistics(d):
    return {"n": d.inner.num_instances, "mean": float(d.inner.mean_error_rate.mean), "sum": float(d.inner.sum_)}


class Degradation:
    """The definition, in NumPy."""

    warning_detected = False

    def __init__(self, window=100, threshold=0.05, baseline=None, direction="drop"):
        self.window, self.threshold, self.baseline, self.sign = window, threshold, baseline, 1 if direction == "drop" else -1
        self.values = []
        self.drift_detected = False

    def update(self, value):
        self.values = (self.values + [value])[-self.window :]
        self.drift_detected = False
        if 2 * len(self.values) < self.window:
            return
        mean = math.fsum(self.values) / len(self.values)
        if self.baseline is None:
            if len(self.values) == self.window:
                self.baseline = mean
            return
        self.drift_detected = self.sign * (self.baseline - mean) > self.threshold


DETECTORS = {
    # name: (class, statistics, needs values in [0, 1], settings)
    "adwin": (drift.ADWIN, adwin_statistics, False, [
        {}, {"delta": 0.2}, {"clock": 1, "min_window_length": 1}, {"max_buckets": 2, "clock": 7}, {"max_buckets": 20, "delta": 0.05, "grace_period": 100},
    ]),
    "ddm": (binary.DDM, ddm_statistics, True, [{}, {"warm_start": 100, "warning_threshold": 1.0, "drift_threshold": 2.5}]),
    "eddm": (binary.EDDM, eddm_statistics, True, [{}, {"warm_start": 10, "alpha": 0.99, "beta": 0.8}]),
    "hddm_a": (binary.HDDMA, hddm_a_statistics, True, [{}, {"two_sided_test": True}, {"drift_confidence": 0.05, "warning_confidence": 0.1}]),
    "hddm_w": (binary.HDDMW, hddm_w_statistics, True, [{}, {"two_sided_test": True}, {"lambda_val": 0.2, "drift_confidence": 0.01, "warning_confidence": 0.05}]),
    "page_hinkley": (drift.PageHinkley, page_hinkley_statistics, False, [
        {}, {"threshold": 10.0, "mode": "up"}, {"threshold": 10.0, "mode": "down", "alpha": 0.99}, {"min_instances": 5, "delta": 0.1, "threshold": 5.0},
    ]),
    "kswin": (drift.KSWIN, kswin_statistics, False, [{"seed": 1}, {"seed": 7, "alpha": 0.05, "window_size": 61, "stat_size": 20}]),
    "cusum": (Cusum, cusum_statistics, False, [{}, {"delta": 0.05, "lambda": 10.0, "min_num_instances": 5}]),
    "degradation": (Degradation, lambda d: {}, False, [{}, {"baseline": 0.3, "direction": "rise", "window": 61}]),
}
SLOW = {"kswin"}
KNOWN = {}


def runs(ticks):
    """Runs of consecutive ticks, each as its distance from the end of the one before and its length, in one flat list."""
    flat, end = [], 0
    for tick in ticks:
        if flat and tick == end:
            flat[-1] += 1
        else:
            flat += [tick - end, 1]
        end = tick + 1
    return flat


def case(name, settings, stream_name, stream):
    make, statistics, _, _ = DETECTORS[name]
    detector, drifts, warnings, sampled = make(**settings), [], [], []
    every = max(1, len(stream) // 3)
    for tick, value in enumerate(stream):
        detector.update(value)
        if detector.drift_detected:
            drifts.append(tick)
        elif getattr(detector, "warning_detected", False):
            warnings.append(tick)
        if tick % every == every - 1:
            # JSON has no infinities: those of a detector that has not begun are left out.
            known = {key: value for key, value in statistics(detector).items() if math.isfinite(value)}
            sampled.append([tick, known])
    if name == "adwin" and not settings:
        KNOWN[stream_name] = drifts
    settings = {key: str(value).lower() if isinstance(value, bool) else value for key, value in settings.items()}
    return {
        "detector": name, "settings": settings, "stream": stream_name,
        "drifts": runs(drifts), "warnings": runs(warnings), "statistics": sampled,
    }


def main():
    file = HERE / "concept.json"
    if len(sys.argv) > 1:
        elec = elec2(sys.argv[1])
    else:
        elec = json.loads(file.read_text())["elec2"]
    small = listed()
    streams = {name: {"errors": errors, "losses": losses}[kind](seed, parts) for name, (kind, seed, parts) in GENERATED.items()}
    streams |= {name: list(map(float, stream)) for name, stream in small.items()}
    streams |= {name: bits(packed) for name, packed in elec.items()}
    cases = []
    for name, (_, _, unit, all_settings) in DETECTORS.items():
        for stream_name, stream in streams.items():
            if unit and not all(0 <= value <= 1 for value in stream):
                continue
            for settings in all_settings[: 1 if stream_name in elec or (name in SLOW and len(stream) > 5000) else None]:
                cases.append(case(name, settings, stream_name, stream))
        print(name, sum(one["detector"] == name for one in cases), "cases", flush=True)
    assert KNOWN["river_numpy_12345"] == [1023]
    assert KNOWN["river_random_42_four"] == [1023, 2015, 3007]
    lines = ",\n".join(json.dumps(one, separators=(",", ":")) for one in cases)
    head = {name: {"kind": kind, "seed": seed, "segments": parts} for name, (kind, seed, parts) in GENERATED.items()}
    with open(file, "w") as out:
        out.write("{\n")
        for key, value in (("generated", head), ("listed", small), ("elec2", elec)):
            out.write(f'"{key}":{json.dumps(value, separators=(",", ":"))},\n')
        out.write(f'"cases":[\n{lines}\n]\n}}\n')
    print(file.stat().st_size, "bytes", len(cases), "cases")


if __name__ == "__main__":
    main()
