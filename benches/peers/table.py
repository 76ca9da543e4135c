"""The results as Markdown, for people, and as JSON."""

import json
from pathlib import Path

GOALS = {"NumPy": 3, "Polars": 15, "SciPy loop": 50, "Evidently": 300, "NannyML": 15}


def number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def row(cells: list) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def heading(result: dict) -> str:
    shape = result["shape"]
    pages = {"plain": "plain pages, snappy", "pyarrow": "as pyarrow writes by default"}[shape["pages"]]
    return f"{shape['features']} features × {shape['rows']:,} rows a side, f64, {pages}"


def lines_of(result: dict) -> list[str]:
    lines = [f"### {heading(result)}", ""]
    lines.append(row(["", "seconds, median", "of gpudrift's time", "CPU seconds", "anonymous memory, MB", "answers"]))
    lines.append("|---|---|---|---|---|---|")
    for line in result["lines"]:
        seconds = number(line["seconds"])
        if line["scaled_from"]:
            seconds += f" (from {line['scaled_from']} features)"
        answers = line.get("answers")
        said = ""
        if answers:
            said = f"{answers['compared']} compared, " + (f"**{len(answers['differ'])} differ**" if answers["differ"] else "all agree")
        ratio = number(line["ratio"]) if line["ratio"] else ""
        lines.append(row([line["who"], seconds, ratio, number(line["cpu"]), f"{line['anonymous_mb']:.0f}", said]))
    return lines + [""]


def markdown(document: dict) -> str:
    machine = document["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in sorted(document["versions"].items()))
    lines = [
        "# gpudrift and its peers",
        "",
        f"{machine['cpu']}, {machine['cores']} cores ({document['threads']} used), {machine['memory_gb']:.0f} GB, "
        f"{machine['system']}; gpudrift {document['gpudrift']} ({document['commit']}), CPU backend; {versions}.",
        "",
        f"`{document['command']}` on {document['date']}; medians of {document['repeat']} runs, everybody in turn, file cache "
        "warm. Both do the same work: `--metrics psi,ks --facts basic`. gpudrift's time is that of the whole process; a "
        "peer's begins when its imports are done. \"CPU seconds\" and memory are of the runs as they were, not scaled.",
        "",
    ]
    for result in document["results"]:
        lines += lines_of(result)
    return "\n".join(lines)


def goals(document: dict) -> list[str]:
    """What falls short of its goal."""
    short = []
    for result in document["results"]:
        for line in result["lines"]:
            goal = GOALS.get(line["who"])
            if goal and line["ratio"] < goal:
                short.append(f"{heading(result)}: {line['who']} {line['ratio']:.1f}, goal {goal}")
    return short


def write(document: dict, folder: Path, stem: str) -> tuple[Path, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / f"{stem}.md", folder / f"{stem}.json"
    paths[0].write_text(markdown(document))
    paths[1].write_text(json.dumps(document, indent=1) + "\n")
    return paths
