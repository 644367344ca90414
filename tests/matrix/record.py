"""Records with which versions tests ran and how they ended: a plugin of ``make test-matrix`` etc.

``python -m tests.matrix.record FILE`` makes a table of the records. Where nothing was run, a cell
is empty: an empty cell says nothing about whether it works.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

VARIABLE = "QSESSION_VERSIONS"
"""Environment variable with the file that records are appended to; without it there are none."""
RECORDS = os.environ.get(VARIABLE)
"""That file. Read here, for the tests put an environment of their own in place of the reader's."""
ROWS = ("python", "qiskit-ibm-runtime")
COLUMNS = ("ipykernel", "jupyterlab")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Append a record of this run; the processes that share the tests leave that to the first."""
    if not RECORDS or hasattr(session.config, "workerinput"):
        return
    passed = session.config.pluginmanager.get_plugin("terminalreporter").stats.get("passed", ())
    versions = {name: _version(name) for name in (*ROWS[1:], *COLUMNS, "jupyterhub")}
    record = {
        "python": ".".join(platform.python_version_tuple()[:2]),
        "system": platform.system(),
        **versions,
        "passed": len(passed),
        "failed": session.testsfailed,
    }
    with open(RECORDS, "a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")


def _version(name: str) -> str:
    try:
        return ".".join(importlib.metadata.version(name).split(".")[:2])
    except importlib.metadata.PackageNotFoundError:
        return ""


def table(records: Iterable[dict[str, Any]]) -> str:
    """The records as a table in Markdown: client and Python by kernel and lab."""
    cells: dict[tuple[str, ...], dict[tuple[str, ...], list[dict[str, Any]]]] = {}
    for record in records:
        row, column = (tuple(record[name] for name in names) for names in (ROWS, COLUMNS))
        cells.setdefault(row, {}).setdefault(column, []).append(record)
    columns = sorted({column for row in cells.values() for column in row}, key=_in_order)
    head = [*ROWS, *(f"ipykernel {kernel}, lab {lab or '-'}" for kernel, lab in columns)]
    lines = [head, ["---"] * len(head)]
    for row in sorted(cells, key=_in_order):
        lines.append([*row, *(_said(cells[row].get(column, [])) for column in columns)])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _in_order(versions: tuple[str, ...]) -> list[list[int]]:
    return [[int(part) for part in one.split(".") if part.isdigit()] for one in versions]


def _said(records: Sequence[dict[str, Any]]) -> str:
    """What several runs of a combination came to; empty without any."""
    if not records:
        return ""
    passed, failed = (sum(record[name] for record in records) for name in ("passed", "failed"))
    return f"{passed} passed" + (f", {failed} failed" if failed else "")


if __name__ == "__main__":
    lines = Path(sys.argv[1]).read_text("utf-8").splitlines()
    print(table(map(json.loads, lines)))
