"""PSI with its bias-corrected value and p-value, by NumPy and SciPy, and a simulation of how the p-value is calibrated.

    python psi.py > psi.csv       (requirements.txt has the versions)

The simulation goes to stderr: shares of p-values at or below a level, without drift.
"""

import sys
from functools import lru_cache

import numpy as np
from scipy.stats import binom, gamma

FLOOR = 0.001


@lru_cache(maxsize=None)
def side(rows, share):
    """E[dᵃ eᵇ] for a, b ≤ 2, where d = x − p, e = ln x − ln p, both clipped below at the floor."""
    k = np.arange(rows + 1)
    weight = binom.pmf(k, rows, share)
    k, weight = k[weight > 0], weight[weight > 0]
    x = np.maximum(k / rows, FLOOR)
    d, e = x - max(share, FLOOR), np.log(x / max(share, FLOOR))
    return np.array([[np.sum(weight * d**a * e**b) for b in range(3)] for a in range(3)])


def moments(n, m, share):
    """Mean and variance of (c − r) ln(c / r) of one bin."""
    if share >= 1:
        return 0.0, 0.0
    r, c = side(n, share), side(m, share)
    mean = c[1, 1] - c[1, 0] * r[0, 1] - c[0, 1] * r[1, 0] + r[1, 1]
    # (dc − dr)² (ec − er)²
    square = sum(
        p * q * c[2 - a, 2 - b] * r[a, b]
        for a, p in ((0, 1), (1, -2), (2, 1))
        for b, q in ((0, 1), (1, -2), (2, 1))
    )
    return mean, square - mean**2


def by_chance(reference, current):
    n, m = int(reference.sum()), int(current.sum())
    r, c = (np.maximum(side / side.sum(), FLOOR) for side in (reference, current))
    psi = np.sum((c - r) * np.log(c / r))
    used = reference + current > 0
    shares = (reference + current)[used] / (n + m)
    mean, variance = np.array([moments(n, m, share) for share in shares]).T
    mean, between = mean.sum(), np.where(shares < 1, shares / np.maximum(1 - shares, 1e-300), 0) * np.sqrt(variance)
    variance = variance.sum() + between.sum() ** 2 - np.sum(between**2)
    p_value = gamma.sf(psi, mean**2 / variance, scale=variance / mean) if variance > 0 else 1.0
    return psi, psi - mean, p_value, int(used.sum())


def main():
    random = np.random.default_rng(1)
    print("reference;current;psi;corrected;p_value;bins")
    for bins in (2, 3, 10, 20):
        for n, m in ((200, 50), (2000, 200), (100_000, 5_000)):
            for drift in (0.0, 0.1, 0.5):
                shares = np.full(bins, 1 / bins)
                moved = shares * np.exp(drift * random.standard_normal(bins))
                reference = random.multinomial(n, shares)
                current = random.multinomial(m, moved / moved.sum())
                counts = (" ".join(map(str, side)) for side in (reference, current))
                psi, corrected, p_value, used = by_chance(reference, current)
                print(*counts, *(repr(float(value)) for value in (psi, corrected, p_value)), used, sep=";")
    for shares, n, m in (
        (np.full(10, 0.1), 2000, 50),
        (np.full(10, 0.1), 2000, 200),
        (np.full(10, 0.1), 20_000, 2000),
        (np.r_[0.9, 0.09, 0.009, 0.001], 2000, 200),
        (0.9 ** np.arange(100), 2000, 200),
    ):
        shares = shares / shares.sum()
        sides = random.multinomial(n, shares, 10_000), random.multinomial(m, shares, 10_000)
        values = np.array([by_chance(*pair) for pair in zip(*sides)])
        below = ", ".join(f"p <= {level}: {np.mean(values[:, 2] <= level):.4f}" for level in (0.2, 0.05, 0.01, 0.001))
        bins = len(shares)
        print(f"{bins} bins, n = {n}, m = {m}: {below}; mean of corrected {values[:, 1].mean():.1e}", file=sys.stderr)


main()
