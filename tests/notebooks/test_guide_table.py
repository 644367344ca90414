"""The table in 02: each sentence of the guide is shown by a check that exists, or has a source."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
TABLE = "02_how_a_session_works"


def cells(stem: str, kind: str) -> list[str]:
    notebook = json.loads((FOLDER / f"{stem}.ipynb").read_text("utf-8"))
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == kind]


def checks(stem: str) -> set[str]:
    """What the assertions of a notebook say, and the errors it raises where nothing else does."""
    found: set[str] = set()
    for source in cells(stem, "code"):
        for line in source.split("\n"):
            if re.match(r"\s*(assert |raise AssertionError\()", line):
                found.update(re.findall(r'"([^"]+)"\)?$', line))
    return found


def rows() -> list[list[str]]:
    (table,) = (cell for cell in cells(TABLE, "markdown") if cell.startswith("## The guide"))
    lines = [line for line in table.split("\n") if line.startswith("|")]
    return [[part.strip() for part in line.strip("|").split("|")] for line in lines[2:]]


@pytest.fixture(params=rows(), ids=lambda row: re.sub(r"[^a-z]+", "-", row[0].lower())[:40])
def row(request: pytest.FixtureRequest) -> list[str]:
    return list(request.param)


def test_the_table_is_whole() -> None:
    assert len(rows()) >= 25
    assert {len(row) for row in rows()} == {3}


def test_what_a_row_names_is_there(row: list[str]) -> None:
    where = row[1]
    headings = [cell.split("\n")[0] for cell in cells(TABLE, "markdown")]
    for step in re.findall(r"steps? (\d)(?: and (\d))?", where):
        for number in filter(None, step):
            assert any(heading.startswith(f"## Step {number}:") for heading in headings)
    for stem in re.findall(r"`(\d\d_\w+)`", where):
        assert (FOLDER / f"{stem}.ipynb").exists()


def test_what_is_checked_is_checked_there(row: list[str]) -> None:
    _, where, quoted = row
    quotes = re.findall("“([^”]+)”", quoted)
    if not quotes:
        assert re.search("stated from|not shown|nothing to show", where), "shown or stated"
        return
    stems = re.findall(r"`(\d\d_\w+)`", where)
    there = set[str]().union(*(checks(stem) for stem in [TABLE, *stems]))
    assert set(quotes) <= there
    for stem in stems:
        assert checks(stem) & set(quotes), f"nothing of {stem} is quoted"
