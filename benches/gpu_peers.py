"""KS and PSI of many columns in cupy and torch, on columns that lie on the device: what `gpudrift bench --kernels` is beside.

Each library runs twice: a loop over the columns, and the whole table at once (2-D sort, searchsorted, reduction). The
answers (D times rows, an integer; PSI) must be those of NumPy. `--numpy` runs the array code on the host, to try it.
"""

import argparse
import json
import time

import numpy as np

BINS = 10


def table(rows, features, dtype):
    rng = np.random.default_rng(7)
    reference = rng.standard_normal((features, rows)).astype(dtype)
    current = (rng.standard_normal((features, rows)) + 0.02).astype(dtype)
    return reference, current


def psi(expected, actual, rows, log):
    e = (expected / rows).clip(1e-3)
    a = (actual / rows).clip(1e-3)
    return ((a - e) * log(a / e)).sum(-1)


def answers(reference, current):
    """What everybody must find: D times rows, and PSI, by column."""
    gaps, scores = [], []
    for r, c in zip(np.sort(reference, axis=1), np.sort(current, axis=1)):
        both = np.concatenate([r, c])
        gap = np.searchsorted(r, both, side="right") - np.searchsorted(c, both, side="right")
        gaps.append(int(np.abs(gap).max()))
        edges = np.percentile(r.astype(np.float64), np.arange(1, BINS) * 100 / BINS)
        counts = [np.diff(np.concatenate([[0], np.searchsorted(s, edges), [len(s)]])) for s in (r, c)]
        scores.append(float(psi(*counts, len(r), np.log)))
    return np.array(gaps), np.array(scores)


class Arrays:
    """cupy, or NumPy in its place."""

    def __init__(self, xp):
        self.xp, self.name = xp, xp.__name__

    def put(self, array):
        return self.xp.asarray(array)

    def wait(self):
        if self.name == "cupy":
            self.xp.cuda.Device().synchronize()

    def get(self, array):
        return array.get() if self.name == "cupy" else array

    def column(self, r, c):
        xp = self.xp
        r, c = xp.sort(r), xp.sort(c)
        both = xp.concatenate([r, c])
        gap = xp.abs(xp.searchsorted(r, both, side="right") - xp.searchsorted(c, both, side="right")).max()
        edges = xp.percentile(r.astype(xp.float64), xp.arange(1, BINS) * 100 / BINS)
        ends = xp.asarray([r.shape[0]])
        none = xp.asarray([0])
        counts = [xp.diff(xp.concatenate([none, xp.searchsorted(s, edges), ends])) for s in (r, c)]
        return gap, psi(*counts, r.shape[0], xp.log)

    def loop(self, reference, current):
        found = [self.column(r, c) for r, c in zip(reference, current)]
        return self.xp.stack([gap for gap, _ in found]), self.xp.stack([score for _, score in found])

    def batched(self, reference, current):
        """One sort of both sides together; running counts of each side at the end of every run of ties give the gap."""
        xp = self.xp
        rows = reference.shape[1]
        both = xp.concatenate([reference, current], axis=1)
        order = xp.argsort(both, axis=1)
        ordered = xp.take_along_axis(both, order, axis=1)
        step = xp.where(order < rows, 1, -1)
        running = xp.cumsum(step, axis=1)
        last = xp.concatenate([ordered[:, 1:] != ordered[:, :-1], xp.ones((len(both), 1), dtype=bool)], axis=1)
        gap = xp.abs(xp.where(last, running, 0)).max(axis=1)
        edges = xp.percentile(reference.astype(xp.float64), xp.arange(1, BINS) * 100 / BINS, axis=1).T
        counts = []
        for side in (reference, current):
            below = (side[:, None, :] < edges[:, :, None]).sum(-1)
            ends = xp.full((len(both), 1), rows)
            counts.append(xp.diff(xp.concatenate([xp.zeros_like(ends), below, ends], axis=1), axis=1))
        return gap, psi(*counts, rows, xp.log)


class Torch:
    name = "torch"

    def __init__(self, device):
        import torch

        self.torch, self.device = torch, device

    def put(self, array):
        return self.torch.from_numpy(array).to(self.device)

    def wait(self):
        if self.device == "cuda":
            self.torch.cuda.synchronize()

    def get(self, array):
        return array.cpu().numpy()

    def edges(self, ordered):
        """Percentiles by linear interpolation of sorted rows: torch.quantile takes no more than 16 million values."""
        t = self.torch
        place = t.arange(1, BINS, device=self.device, dtype=t.float64) / BINS * (ordered.shape[-1] - 1)
        low = place.floor().long()
        values = ordered.double()
        a, b = values[..., low], values[..., (low + 1).clamp(max=ordered.shape[-1] - 1)]
        return a + (b - a) * (place - low)

    def batched(self, reference, current):
        t = self.torch
        rows = reference.shape[-1]
        r, c = reference.sort(-1).values, current.sort(-1).values
        both = t.cat([r, c], -1)
        gap = (t.searchsorted(r, both, right=True) - t.searchsorted(c, both, right=True)).abs().amax(-1)
        edges = self.edges(r).contiguous()
        counts = []
        for side in (r, c):
            below = t.searchsorted(side.double(), edges)
            ends = t.full_like(below[..., :1], rows)
            counts.append(t.cat([t.zeros_like(ends), below, ends], -1).diff(dim=-1))
        return gap, psi(*counts, rows, t.log)

    def loop(self, reference, current):
        found = [self.batched(r, c) for r, c in zip(reference, current)]
        return self.torch.stack([gap for gap, _ in found]), self.torch.stack([score for _, score in found])


def libraries(numpy_too):
    if numpy_too:
        yield Arrays(np)
    try:
        import cupy

        cupy.cuda.Device().compute_capability
        yield Arrays(cupy)
    except Exception as error:  # not there, or without a device: said, not hidden
        print(f"cupy: not measured ({error})")
    try:
        import torch

        if torch.cuda.is_available() or numpy_too:
            yield Torch("cuda" if torch.cuda.is_available() else "cpu")
        else:
            print("torch: not measured (no CUDA device)")
    except ImportError as error:
        print(f"torch: not measured ({error})")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--features", type=int, default=64)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--numpy", action="store_true", help="also NumPy, and torch without a GPU")
    parser.add_argument("--json")
    args = parser.parse_args()
    lines, wrong = [], False
    measured = list(libraries(args.numpy))
    for dtype in ("float32", "float64"):
        reference, current = table(args.rows, args.features, dtype)
        gaps, scores = answers(reference[:4], current[:4])
        for library in measured:
            r, c = library.put(reference), library.put(current)
            for form in ("loop", "batched"):
                run = getattr(library, form)
                best, same = float("inf"), None
                try:
                    for _ in range(args.repeat + 1):
                        library.wait()
                        start = time.perf_counter()
                        gap, score = run(r, c)
                        library.wait()
                        best = min(best, time.perf_counter() - start)
                    same = bool((library.get(gap)[:4] == gaps).all() and np.allclose(library.get(score)[:4], scores, rtol=1e-9))
                except Exception as error:  # out of memory of the batched form, for example
                    print(f"{library.name} {form} {dtype}: failed ({type(error).__name__}: {error})")
                    continue
                wrong |= not same
                values = 2 * args.rows * args.features
                lines.append({"library": library.name, "form": form, "type": dtype, "seconds": best, "values_per_second": values / best, "same": same})
                print(f"{library.name:6} {form:8} {dtype}: {best * 1e3:10.2f} ms  {values / best / 1e9:8.3f} G values/s  {'the same' if same else 'DIFFERS'}")
    if args.json:
        with open(args.json, "w") as out:
            json.dump({"rows": args.rows, "features": args.features, "lines": lines}, out, indent=1)
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
