"""Whether a peer's answers are ours, to the digits that its definition allows."""

import math

# Relative tolerance of each value, by peer. What is missing here has another definition:
# * NumPy and Polars take Kolmogorov's limit for p, SciPy and we the distribution for these sample sizes: they differ by
#   up to some percent near p = 1, and by more far out; so p is compared for its meaning (see `close_p`).
# * Evidently cuts PSI's bins at other places.
# * NannyML takes the gap at some quantiles only when a side has more than 10 000 rows: its D is up to 0.005 too small.
TOLERANCES = {
    "NumPy": {"d": 1e-12, "psi": 1e-9, "p": "limit"},
    "Polars": {"d": 1e-12, "psi": 1e-9, "p": "limit"},
    "SciPy loop": {"d": 1e-9, "psi": 1e-9, "p": 1e-6},
    "Evidently": {"p": 1e-6},
    "NannyML": {"d": "nearly"},
}
SMALLEST_P = 1e-300


def close_p(ours: float, theirs: float) -> bool:
    """Whether two p-values say the same: by 2 % or 0.01 above 1e-3, and of the same size below."""
    if max(ours, theirs) > 1e-3:
        return math.isclose(ours, theirs, rel_tol=0.02, abs_tol=0.01)
    low, high = (max(p, SMALLEST_P) for p in sorted((ours, theirs)))
    return math.log10(high) - math.log10(low) <= 0.05 * max(1.0, -math.log10(high))


def close(ours: float, theirs: float, tolerance) -> bool:
    if tolerance == "limit":
        return close_p(ours, theirs)
    if tolerance == "nearly":
        return abs(ours - theirs) <= 0.005
    # Below this a p-value of SciPy's has no digits, or is zero.
    return math.isclose(ours, theirs, rel_tol=tolerance, abs_tol=1e-13)


def ours(report: dict) -> dict:
    """D, p and PSI of every feature of a report of gpudrift."""
    names = {"d": "ks_statistic", "p": "ks_p_value", "psi": "psi"}
    return {
        feature["name"]: {short: feature["metrics"][name] for short, name in names.items()}
        for feature in report["features"]
    }


def compared(peer: str, expected: dict, answers: dict) -> dict:
    """How many values were compared, which differ, and to what tolerance."""
    tolerances = TOLERANCES[peer]
    count, differ = 0, []
    for feature, values in answers.items():
        for name, value in values.items():
            if name in tolerances:
                count += 1
                if not close(expected[feature][name], value, tolerances[name]):
                    differ.append(f"{feature} {name}: ours {expected[feature][name]!r}, {peer} {value!r}")
    return {"compared": count, "differ": differ, "tolerances": tolerances}
