"""Golden p-values for gpudrift::stats, read by tests/golden_pvalues.rs.

    python3 -m venv venv && venv/bin/pip install -r tests/golden/requirements.txt
    venv/bin/python tests/golden/pvalues.py            # a minute; writes the data files beside this script

Writes ks_exact.csv, ks_auto.csv, ks_asymp.csv, chi2_sf.csv and adjust.json. Every row names its truth:

* scipy   the number that SciPy returns for the call in the last column. Such a row is written only where SciPy agrees with the exact value
          to the tolerance in AGREE: where SciPy approximates, it is not a reference.
* count   the exact share of lattice paths, counted in whole numbers.
* mpmath  an exact formula evaluated with more digits than it can lose.
"""

import csv
import json
import math
import warnings
from fractions import Fraction
from pathlib import Path

import mpmath as mp
import numpy as np
from scipy import stats

HERE = Path(__file__).parent
AGREE = 1e-10
SMALLEST = 1e-300


def agree(value, truth):
    return abs(mp.mpf(float(value)) / mp.mpf(truth) - 1) < AGREE


def write(name, header, rows):
    with open(HERE / name, "w", newline="") as file:
        out = csv.writer(file, quoting=csv.QUOTE_NONE, escapechar="\\", lineterminator="\n", delimiter=";")
        out.writerow(header)
        out.writerows(rows)
    print(name, len(rows), "rows")


# Two samples, exact -----------------------------------------------------------------------------------------------------------------


def share_outside(gap, n, m):
    """Share of lattice paths from (0, 0) to (n, m) with |i m - j n| >= gap somewhere, in whole numbers."""
    inside = [0] * (m + 1)
    for i in range(n + 1):
        for j in range(m + 1):
            if abs(i * m - j * n) >= gap:
                inside[j] = 0
            elif i == 0:
                inside[j] = inside[j - 1] if j else 1
            elif j:
                inside[j] += inside[j - 1]
    paths = math.comb(n + m, n)
    return Fraction(paths - inside[m], paths)


def scipy_two_sample(gap, n, m, method):
    """A gap that two samples can have, at most n away, and SciPy's p-value for them.

    Samples with a of n and b of m values at 0 and the others at 1 have D = |a/n - b/m|.
    """
    a = (n + -(-gap // m)) // 2
    b = (a * m - gap) // n
    gap = a * m - b * n
    assert 0 <= a <= n and 0 <= b <= m and gap >= 0
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = stats.ks_2samp(np.repeat([0, 1], [a, n - a]), np.repeat([0, 1], [b, m - b]), method=method)
    # SciPy falls back to the asymptotic value where its exact one is 1 + 1e-16 by rounding: no reference.
    p = math.nan if caught else result.pvalue
    return gap, p, f"ks_2samp(repeat([0, 1], [{a}, {n - a}]), repeat([0, 1], [{b}, {m - b}]), method='{method}').pvalue"


def gaps(n, m, scores):
    """Gaps near D = score / sqrt(nm / (n + m)), and the ends of the range."""
    common, effective = math.gcd(n, m), n * m / (n + m)
    chosen = {0, common, n * m, n * m - common}
    chosen |= {int(score / math.sqrt(effective) * n * m) // common * common for score in scores}
    return sorted(gap for gap in chosen if 0 <= gap <= n * m)


def ks_exact():
    scores = [0.25, 0.5, 0.8, 1.0, 1.36, 1.63, 1.95, 2.2, 2.3, 2.6, 3.1, 4, 6, 9, 13, 18, 25]
    rows = []
    counted = [(1, 1), (1, 2), (1, 50), (2, 3), (3, 200), (5, 5), (7, 1000), (20, 21), (50, 50), (60, 600), (99, 100), (150, 170),
               (200, 200), (256, 384), (500, 700), (400, 401), (30, 10000)]
    for n, m in counted:
        for gap in gaps(n, m, scores):
            p = share_outside(gap, n, m)
            if p > SMALLEST:
                rows.append([gap, n, m, repr(float(p)), "count", f"share_outside({gap}, {n}, {m})"])
    for n, m in counted[6:] + [(1000, 1000), (1, 10000), (5000, 7000), (3000, 10000), (6999, 7000), (9999, 10000), (10000, 10000)]:
        for gap in gaps(n, m, scores):
            gap, p, call = scipy_two_sample(gap, n, m, "exact")
            if p > SMALLEST:
                rows.append([gap, n, m, repr(float(p)), "scipy", call])
    write("ks_exact.csv", ["gap", "n", "m", "p_value", "truth", "call"], rows)


def ks_auto():
    """Which method for which sizes, and the rounding of n m / (n + m)."""
    rows = []
    sizes = [(10000, 10000), (10000, 10001), (1, 10001), (3, 10001), (100, 20000), (15001, 10001), (30000, 10000), (30000, 15000),
             (100000, 50000), (123457, 123456), (20003, 20003), (1000000, 10002)]
    for n, m in sizes:
        for score in [0.6, 1.2, 1.7, 2.5, 5, 12]:
            gap = int(score / math.sqrt(n * m / (n + m)) * n * m) // math.gcd(n, m) * math.gcd(n, m)
            if gap > n * m:
                continue
            gap, p, call = scipy_two_sample(gap, n, m, "auto")
            if p > SMALLEST and max(n, m) > 10000:
                truth = kolmogorov_sf(gap / (n * m), int(np.round(float(n) * float(m) / (float(n) + float(m)))))
                if truth < SMALLEST or not agree(p, truth):
                    continue
            if p > SMALLEST:
                rows.append([gap, n, m, repr(float(p)), "scipy", call])
    write("ks_auto.csv", ["gap", "n", "m", "p_value", "truth", "call"], rows)


# One sample --------------------------------------------------------------------------------------------------------------------------


def by_generating_function(d, n):
    """sum_n n^n/n! P(D_n < c/n) s^n = W_c(s)^2 / W_2c(s), W_x(s) = sum_k (-s)^k (x - k)^k / k!: its coefficient n, by long division."""
    with mp.workdps(60 + int(1.3 * n * d)):
        c = n * mp.mpf(d)
        scale = [[(-1) ** k * (x - k) ** k / mp.factorial(k) for k in range(int(mp.floor(x)) + 1)] for x in (c, 2 * c)]
        square = [mp.mpf(0)] * (2 * len(scale[0]) - 1)
        for i, a in enumerate(scale[0]):
            for j, b in enumerate(scale[0]):
                square[i + j] += a * b
        series = []
        for k in range(n + 1):
            value = square[k] if k < len(square) else mp.mpf(0)
            for i in range(1, min(k, len(scale[1]) - 1) + 1):
                value -= scale[1][i] * series[k - i]
            series.append(value)
        return 1 - series[n] * mp.factorial(n) / mp.mpf(n) ** n


def by_poles(d, n):
    """The same coefficient by residues, with W_x(s) = sum exp(bx) / (1 + b) over the first pair of roots of b exp(b) = -s.

    The next pair is smaller by exp(-2.09 n d).
    """
    with mp.workdps(50):
        c = n * mp.mpf(d)
        total, j = mp.mpf(0), 1
        while True:
            root = lambda phi: mp.mpc(-phi * mp.cot(phi), phi)
            angle = mp.findroot(lambda phi: 2 * c * phi + mp.pi / 2 - mp.arg(1 + root(phi)) - j * mp.pi, j * mp.pi / (2 * c + mp.mpf(1) / 3))
            b = root(angle)
            s = (angle / mp.sin(angle)) * mp.exp(b.real)
            w = 2 * mp.re(mp.exp(b * c) / (1 + b))
            inner = 2 * c * mp.exp(2 * b * c) / (1 + b) - mp.exp(2 * b * c) / (1 + b) ** 2
            slope = 2 * mp.re(inner * b / (s * (1 + b)))
            term = -(w**2) / slope * mp.exp(mp.loggamma(n + 1) - n * mp.log(n) - (n + 1) * mp.log(s))
            total += term
            if abs(term) < mp.mpf(10) ** -40 and j > 2:
                return 1 - total
            j += 1


def smirnov_sum(d, n):
    """P(D+_n >= d), term by term."""
    with mp.workdps(40):
        d, binomial = mp.mpf(d), mp.mpf(1)
        total = (1 - d) ** n
        for j in range(1, n + 1):
            binomial = binomial * (n - j + 1) / j
            rest = 1 - d - mp.mpf(j) / n
            if rest <= 0:
                break
            total += d * binomial * (d + mp.mpf(j) / n) ** (j - 1) * rest ** (n - j)
        return total


def smirnov_integral(d, n):
    """The same sum as an integral over j, by the trapezoidal rule in logit(j / n(1 - d)), at steps so small that halving them changes nothing."""
    with mp.workdps(45):
        d = mp.mpf(d)
        length, shift = n * (1 - d), n * d

        def ln_term(u):
            share, rest = 1 / (1 + mp.exp(-u)), 1 / (1 + mp.exp(u))
            j, room = length * share, length * rest
            powers = j * mp.log((shift + j) / n) + (n - j) * mp.log(room / n)
            binomial = mp.loggamma(n + 1) - mp.loggamma(j + 1) - mp.loggamma(n - j + 1)
            return mp.log(shift / (shift + j) * length * share * rest) + binomial + powers

        centre = ln_term(mp.mpf(0))
        step = mp.mpf("0.2") / mp.sqrt(max(-centre / 2, 4))
        total = mp.exp(centre)
        for sign in (1, -1):
            k, highest, previous = 1, centre, centre
            while True:
                value = ln_term(sign * k * step)
                total += mp.exp(value)
                if value < highest - 75 and value < previous:
                    break
                k, highest, previous = k + 1, max(highest, value), value
        return total * step


def kolmogorov_sf(d, n):
    """P(D_n >= d), two-sided; for n > 140 and n d^2 >= 2.2 the doubled one-sided tail, which is what kstwo means by it."""
    square = n * d * d
    if n * d <= 0.5 or square < 0.015:
        return mp.mpf(1)
    # Massart (1990): at most 2 exp(-2 n d^2), which no double can hold.
    if d >= 1 or square >= 380:
        return mp.mpf(0)
    doubled = n > 140 and square >= 2.2
    if not doubled and d < 0.5 and n <= 1000 and square < 12:
        return by_generating_function(d, n)
    if not doubled and d < 0.5 and square < 8 and n > 1000:
        return by_poles(d, n)
    return 2 * (smirnov_sum(d, n) if n <= 3000 else smirnov_integral(d, n))


def check_kolmogorov():
    """The formulas have to meet where two of them hold."""
    for n, square in [(600, 3.0), (1000, 0.9), (1000, 5.0)]:
        d = math.sqrt(square / n)
        assert abs(by_generating_function(d, n) / by_poles(d, n) - 1) < 1e-20, (n, square)
    for n, square in [(2000, 8.0), (1000000, 8.0)]:
        d = math.sqrt(square / n)
        tail = smirnov_sum(d, n) if n <= 3000 else smirnov_integral(d, n)
        assert abs(by_poles(d, n) / (2 * tail) - 1) < 1e-19, (n, square)
    for n, square in [(2500, 6.0), (3000, 300.0)]:
        d = math.sqrt(square / n)
        assert abs(smirnov_sum(d, n) / smirnov_integral(d, n) - 1) < 1e-25, (n, square)


def ks_asymp():
    squares = [0.02, 0.05, 0.09, 0.15, 0.22, 0.35, 0.5, 0.75, 1, 1.4, 1.85, 2.15, 2.25, 2.7, 3.3, 3.9, 4.55, 4.65, 5.5, 7.9, 8.1, 12, 20, 40,
               80, 140, 200, 280, 340, 344]
    edges = [0.55, 0.75, 1, 1.25, 2, 2.5, 5.5, 7.95, 8, 8.05, 10.5, 17.95, 18.05]
    rows = []
    for n in [1, 2, 3, 5, 10, 50, 140, 141, 500, 1000, 5000, 99999, 100000, 1000000, 2500000, 500000000]:
        values = {math.sqrt(square / n) for square in squares} | {edge / n for edge in edges} | {0.0, 0.45 / n, 0.5, 0.77, 0.99, 1.0}
        for d in sorted(d for d in values if d <= 1):
            truth = kolmogorov_sf(d, n)
            if 0 < truth < SMALLEST:
                continue
            rows.append([repr(d), n, repr(float(truth)), "mpmath", f"kolmogorov_sf({d!r}, {n})"])
            value = stats.kstwo.sf(d, n)
            if truth == 0 or agree(value, truth):
                rows.append([repr(d), n, repr(float(value)), "scipy", f"kstwo.sf({d!r}, {n})"])
    write("ks_asymp.csv", ["d", "n", "p_value", "truth", "call"], rows)


# Chi-squared -------------------------------------------------------------------------------------------------------------------------


def chi2_sf(x, dof):
    """Q(dof/2, x/2) by its series or its continued fraction, in 50 digits."""
    with mp.workdps(50):
        a, y = mp.mpf(dof) / 2, mp.mpf(x) / 2
        factor = mp.exp(a * mp.log(y) - y - mp.loggamma(a + 1))
        if y < a + 1:
            term, total, k = mp.mpf(1), mp.mpf(1), 0
            while term > total * mp.mpf(10) ** -45:
                k += 1
                term *= y / (a + k)
                total += term
            return 1 - factor * total
        b = y + 1 - a
        c, d = mp.mpf(10) ** 400, 1 / b
        fraction, k = d, 1
        while True:
            b += 2
            d = 1 / (k * (a - k) * d + b)
            c = b + k * (a - k) / c
            fraction *= c * d
            if abs(c * d - 1) < mp.mpf(10) ** -40:
                return factor * a * fraction
            k += 1


def chi2():
    rows = []
    for dof in [1, 2, 3, 4, 5, 7, 10, 23, 24, 25, 30, 99, 100, 1000, 10000, 123457, 1000000]:
        values = {dof * share for share in [1e-6, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0, 1.001, 1.01]} | {dof + 1.999999, dof + 2.000001}
        for score in [0.5, 1, 2, 3, 5, 8, 12, 17, 22, 27, 31, 35]:
            # Wilson and Hilferty (1931): near the point that is `score` standard deviations out.
            values.add(dof * (1 - 2 / (9 * dof) + score * math.sqrt(2 / (9 * dof))) ** 3)
        for x in sorted(float(x) for x in values):
            truth = chi2_sf(x, dof)
            if truth < SMALLEST:
                continue
            rows.append([repr(x), dof, repr(float(truth)), "mpmath", f"chi2_sf({x!r}, {dof})"])
            value = stats.chi2.sf(x, dof)
            if abs(float(value / truth) - 1) < AGREE / 10:
                rows.append([repr(x), dof, repr(float(value)), "scipy", f"chi2.sf({x!r}, {dof})"])
    write("chi2_sf.csv", ["x", "dof", "p_value", "truth", "call"], rows)


# Families ----------------------------------------------------------------------------------------------------------------------------


def adjust():
    random = np.random.default_rng(20130101)
    families = {
        "one": [0.03],
        "textbook": [0.01, 0.02, 0.03, 0.04, 0.05],
        "unsorted with ties": [0.5, 0.01, 0.01, 0.04, 1.0, 0.04, 0.0],
        "some undefined": [None, 0.2, None, 0.001, 0.03, None],
        "none defined": [None, None],
        "tiny": [1e-300, 1e-250, 5e-324, 0.0, 0.9],
        "uniform": random.uniform(size=200).tolist(),
        "drifted": [None if i % 17 == 0 else p for i, p in enumerate((10.0 ** -random.exponential(3, size=300)).tolist())],
    }
    cases = []
    for name, family in families.items():
        values = np.array([p for p in family if p is not None])
        scipy = lambda method: stats.false_discovery_control(values, method=method) if len(values) else values
        methods = {
            "none": (values, "p"),
            "bonferroni": (np.minimum(values * len(values), 1), "numpy.minimum(p * len(p), 1)"),
            "bh": (scipy("bh"), "false_discovery_control(p, method='bh')"),
            "by": (scipy("by"), "false_discovery_control(p, method='by')"),
        }
        for method, (adjusted, call) in methods.items():
            rest = iter(adjusted.tolist())
            q = [None if p is None else next(rest) for p in family]
            cases.append({"name": name, "method": method, "truth": "scipy" if method in ("bh", "by") else "definition", "call": call, "p": family, "q": q})
    with open(HERE / "adjust.json", "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
    print("adjust.json", len(cases), "cases")


if __name__ == "__main__":
    check_kolmogorov()
    adjust()
    chi2()
    ks_exact()
    ks_auto()
    ks_asymp()
