"""The script that runs notebooks cell by cell, on notebooks made here and with a real kernel."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook


@pytest.fixture(scope="module")
def script(repository: Path) -> ModuleType:
    place = repository / "docs/notebook_table.py"
    spec = importlib.util.spec_from_file_location("notebook_table", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_each_notebook_has_a_row_with_what_passed_and_the_first_reason(
    script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data.txt").write_text("two words", "utf-8")
    cells = [
        new_markdown_cell("Some words.\n# A title | with a bar"),
        new_code_cell("text = open('data.txt').read()"),
        new_code_cell(""),
        new_code_cell("raise LookupError('a | b\\nin two lines')"),
        new_code_cell("assert text == 'two words'"),
        new_code_cell("while True: pass"),
        new_code_cell("import os; os._exit(1)"),
        new_code_cell("1 + 1"),
    ]
    before = nbformat.writes(new_notebook(cells=cells))
    (tmp_path / "a_guide.ipynb").write_text(before, "utf-8")
    (tmp_path / "broken.ipynb").write_text("{", "utf-8")
    output = tmp_path / "new" / "table.md"
    assert script.main([str(tmp_path), "--timeout", "5", "--output", str(output)]) == 1
    printed = capsys.readouterr().out
    assert printed == output.read_text("utf-8")
    _, _, first, second, total = printed.splitlines()
    assert first == (
        r"| A title \| with a bar | 2 of 6 | cell 2: LookupError: a \| b in two lines |"
    )
    assert second.startswith("| broken | 0 of 0 | not a notebook: ")
    assert total == "| **2 notebooks** | 2 of 6 | |"
    assert (tmp_path / "a_guide.ipynb").read_text("utf-8") == before


def test_a_place_without_notebooks_gets_a_sentence(
    script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for place in (tmp_path / "missing.ipynb", tmp_path):
        assert script.main([str(place)]) == 2
        said = capsys.readouterr().err
        assert str(place) in said
        assert said.count("\n") == 1
