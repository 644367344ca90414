"""How the notebooks are kept: without outputs, with stable cells, and with an end for IBM users."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request: pytest.FixtureRequest) -> dict[str, Any]:
    return dict(json.loads(request.param.read_text("utf-8")))


def text(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def test_there_are_some() -> None:
    assert len(NOTEBOOKS) >= 4
    assert all(re.match(r"\d\d_[a-z0-9_]+$", path.stem) for path in NOTEBOOKS)


def test_no_output_of_a_machine_is_kept(notebook: dict[str, Any]) -> None:
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert code
    assert [cell["outputs"] for cell in code] == [[]] * len(code)
    assert {cell["execution_count"] for cell in code} == {None}
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
    assert set(notebook["metadata"]["language_info"]) == {"name"}


def test_cells_have_names_not_random_ids(notebook: dict[str, Any]) -> None:
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids)
    assert [i for i in ids if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", i)] == []
    assert [i for i in ids if re.fullmatch(r"[0-9a-f]{8}", i)] == []


def test_it_begins_with_a_title_and_checks_what_it_claims(notebook: dict[str, Any]) -> None:
    first = notebook["cells"][0]
    assert first["cell_type"] == "markdown"
    assert text(first).startswith("# ")
    code = [text(cell) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert any(re.search(r"^assert ", source, re.MULTILINE) for source in code)
