#!/usr/bin/env python3
"""Draws what scaling.py measured: `scaling_plot.py scaling.json scaling.svg`."""

import json
import sys

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

plt.rcParams.update({"svg.hashsalt": "gpudrift", "svg.fonttype": "none", "font.size": 9, "axes.spines.top": False})
plt.rcParams.update({"axes.spines.right": False, "axes.grid": True, "grid.color": "#e5e5e5", "font.family": "sans-serif"})
BASIC, DEFAULT = "#1f5fa8", "#c2571a"


def scatter(axes, points, kind, marker, colour, label) -> None:
    x = [point["values"] for point in points]
    y = [point[kind]["seconds"] for point in points]
    axes.plot(x, y, marker=marker, color=colour, label=label, linewidth=1.2, markersize=5)


def main() -> None:
    source, target = sys.argv[1:]
    with open(source) as file:
        found = json.load(file)
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.6, 3.8), width_ratios=[1.5, 1])
    for kind, colour, name in (("basic", BASIC, "psi, ks, basic facts"), ("default", DEFAULT, "default scan")):
        scatter(left, found["rows"], kind, "o", colour, f"{name}: more rows (20 features)")
        scatter(left, found["features"], kind, "^", colour, f"{name}: more features (100 000 rows)")
    # A straight line through the largest measured point.
    last = max(found["rows"] + found["features"], key=lambda point: point["values"])
    ends = [min(point["values"] for point in found["rows"] + found["features"]), last["values"]]
    slope = last["basic"]["seconds"] / last["values"]
    left.plot(ends, [slope * x for x in ends], "--", color="#888888", linewidth=1, label="linear")
    left.set(xscale="log", yscale="log", xlabel="values of both sides", ylabel="seconds, whole process")
    left.legend(frameon=False, fontsize=8)
    for kind, colour, name in (("basic", BASIC, "psi, ks, basic facts"), ("default", DEFAULT, "default scan")):
        x = [point["x"] for point in found["row_groups"]]
        right.plot(x, [p[kind]["seconds"] for p in found["row_groups"]], "s-", color=colour, label=name, linewidth=1.2, markersize=5)
    right.set(xscale="log", xlabel="row groups a file (20 features × 1 000 000 rows)", ylabel="seconds, whole process")
    right.set_ylim(bottom=0)
    right.legend(frameon=False, fontsize=8)
    machine = found["machine"]
    figure.suptitle(f"gpudrift {found['gpudrift']}, f32, {found['threads']} threads, {machine['cpu']}", fontsize=10)
    figure.tight_layout()
    figure.savefig(target, metadata={"Date": None})


if __name__ == "__main__":
    main()
