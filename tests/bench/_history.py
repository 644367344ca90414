"""Keeps the figures of every run of the benchmarks, and draws how each has changed.

``python tests/bench/_history.py HISTORY.jsonl BENCH.jsonl --commit ID --chart CHART.svg`` appends
what ``make bench`` has written to a history, a line a figure, and draws all of it.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

COLUMNS = 3


def main(words: Sequence[str] | None = None) -> None:
    """Append a run to a history, and draw it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("history", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--commit", required=True)
    parser.add_argument("--chart", type=Path, required=True)
    options = parser.parse_args(words)
    at = datetime.now(timezone.utc).isoformat(timespec="seconds")
    rows = [{"at": at, "commit": options.commit, **row} for row in read(options.run)]
    with open(options.history, "a", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    draw(read(options.history), options.chart)


def read(path: Path) -> list[dict[str, Any]]:
    """The figures in a file, a line each; none where there is no file."""
    return (
        [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []
    )


def series(rows: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The figures of each benchmark by its name, in the order of the runs."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["name"], []).append(row)
    return found


def draw(rows: Iterable[dict[str, Any]], path: Path) -> None:
    """Draw each benchmark in a chart of its own: ours and the peer's, over the runs."""
    import matplotlib.pyplot as plt

    found = series(rows)
    lines = math.ceil(len(found) / COLUMNS)
    figure, axes = plt.subplots(
        lines, COLUMNS, figsize=(4.5 * COLUMNS, 2.6 * lines), squeeze=False, layout="constrained"
    )
    for axis, (name, runs) in zip(axes.flat, found.items(), strict=False):
        for key, mark in (("ours", "o-"), ("peer", "s--")):
            axis.plot([run[key] for run in runs], mark, markersize=3, label=key)
        axis.set_title(name, fontsize=8, wrap=True)
        axis.set_ylabel(runs[-1]["unit"], fontsize=7)
        axis.set_ylim(bottom=0)
        axis.set_xticks(range(len(runs)), [run["commit"][:7] for run in runs])
        axis.tick_params(labelsize=6)
        axis.tick_params(axis="x", rotation=60)
        axis.legend(fontsize=6)
    for axis in axes.flat[len(found) :]:
        axis.remove()
    figure.savefig(path)
    plt.close(figure)


if __name__ == "__main__":
    main()
