"""Runs notebooks cell by cell, and writes a table: title, cells passed of all, and why not all.

``make notebook-table NOTEBOOKS="FOLDER FILE.ipynb"`` runs IBM's guides and tutorials, or others,
against an emulator of its own: the files are those one points it at, and are left unchanged.
A cell that fails does not end its notebook, so what follows from it fails with it; the reason is
that of the first one.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

_LONGEST_REASON = 200


class Row(NamedTuple):
    """One notebook: its title, cells passed of all that have code in them, the first failure."""

    title: str
    passed: int
    cells: int
    reason: str = ""


def found(places: Iterable[Path]) -> Iterator[Path]:
    """Yield the notebooks among files, and in folders at any depth.

    Raises
    ------
    FileNotFoundError
        A place is not there, or has no notebook in it.
    """
    for place in places:
        if place.is_dir():
            inside = sorted(
                path for path in place.rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts
            )
            if not inside:
                raise FileNotFoundError(f"There is no notebook in the folder {place}.")
            yield from inside
        elif place.exists():
            yield place
        else:
            raise FileNotFoundError(f"There is no file or folder {place}.")


def run(path: Path, seconds: int) -> Row:
    """Run a notebook in its own folder.

    Parameters
    ----------
    path : Path
        The file.
    seconds : int
        How long each cell may take.
    """
    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
    except Exception as error:
        return Row(path.stem, 0, 0, f"not a notebook: {_short(error)}")
    cells = [
        (at, cell)
        for at, cell in enumerate(notebook.cells)
        if cell.cell_type == "code" and cell.source.strip()
    ]
    client = NotebookClient(
        notebook,
        timeout=seconds,
        interrupt_on_timeout=True,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
    )
    failures = []
    with client.setup_kernel():
        for number, (at, cell) in enumerate(cells, 1):
            try:
                client.execute_cell(cell, at)
            except (CellExecutionError, CellTimeoutError) as error:
                failures.append(f"cell {number}: {_reason(error, seconds)}")
            except DeadKernelError:
                lost = len(cells) - number + 1
                failures += [f"cell {number}: the kernel died"] * lost
                break
    return Row(_title(notebook, path), len(cells) - len(failures), len(cells), *failures[:1])


def _title(notebook: Any, path: Path) -> str:
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and (heading := re.search(r"(?m)^#\s+(.+)$", cell.source)):
            return heading[1].strip()
    return path.stem


def _reason(error: Exception, seconds: int) -> str:
    if isinstance(error, CellTimeoutError):
        return f"took more than {seconds} s"
    name, value = getattr(error, "ename", ""), getattr(error, "evalue", "")
    if name == "KeyboardInterrupt":  # what nbclient ends a cell by that takes too long
        return f"took more than {seconds} s"
    return f"{name}: {_short(value)}"


def _short(text: object) -> str:
    """Return a text in one line that a cell of the table holds."""
    line = " ".join(re.sub(r"\x1b\[[0-9;]*m", "", str(text)).split()).replace("|", "\\|")
    return line if len(line) <= _LONGEST_REASON else f"{line[: _LONGEST_REASON - 1]}…"


def table(rows: Sequence[Row]) -> str:
    """Return rows as a table in Markdown, with a sum."""
    lines = ["| notebook | cells passed | first that did not |", "|---|---|---|"]
    lines += [
        f"| {_short(row.title)} | {row.passed} of {row.cells} | {row.reason} |" for row in rows
    ]
    passed, cells = (sum(getattr(row, name) for row in rows) for name in ("passed", "cells"))
    return "\n".join([*lines, f"| **{len(rows)} notebooks** | {passed} of {cells} | |"]) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the table; the status is 1 where a cell did not pass, 2 where there is no notebook."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("places", nargs="+", type=Path, metavar="FILE", help="notebooks or folders")
    parser.add_argument("--output", type=Path, help="write the table to this file, too")
    parser.add_argument("--timeout", type=int, default=600, help="seconds a cell may take (600)")
    asked = parser.parse_args(arguments)
    try:
        notebooks = list(found(asked.places))
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 2
    rows = []
    for path in notebooks:
        rows.append(run(path, asked.timeout))
        # after each, because one may take as long as it likes
        print(f"{path.name}: {rows[-1].passed} of {rows[-1].cells}", file=sys.stderr, flush=True)
    text = table(rows)
    if asked.output is not None:
        asked.output.parent.mkdir(parents=True, exist_ok=True)
        asked.output.write_text(text, "utf-8")
    print(text, end="")
    return 0 if all(row.passed == row.cells and row.cells for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
