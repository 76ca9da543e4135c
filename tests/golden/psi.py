"""PSI with its bias-corrected value and p-value, by NumPy and SciPy, and a simulation of how the p-value is calibrated.

    python psi.py > psi.csv       (requirements.txt has the versions)

The simulation goes to stderr: shares of p-values at or below a level, without drift.
"""

import sys

import numpy as np
from scipy.stats import chi2

FLOOR = 0.001


def by_chance(reference, current):
    n, m = reference.sum(), current.sum()
    r, c = (np.maximum(side / side.sum(), FLOOR) for side in (reference, current))
    psi = np.sum((c - r) * np.log(c / r))
    bins = int(np.sum(reference + current > 0))
    scale = 1 / n + 1 / m
    return psi, psi - (bins - 1) * scale, chi2.sf(psi / scale, bins - 1), bins


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
    for n, m in ((2000, 200), (20_000, 2000), (200_000, 20_000)):
        shares = np.full(10, 0.1)
        sides = random.multinomial(n, shares, 20_000), random.multinomial(m, shares, 20_000)
        values = np.array([by_chance(*pair) for pair in zip(*sides)])
        below = ", ".join(f"p <= {level}: {np.mean(values[:, 2] <= level):.4f}" for level in (0.2, 0.1, 0.05, 0.01))
        print(f"n = {n}, m = {m}: {below}; mean of corrected {values[:, 1].mean():.2e}", file=sys.stderr)


main()
