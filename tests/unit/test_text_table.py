"""Tables of text: in columns where they fit, in blocks where they do not."""

from __future__ import annotations

import io

import pytest

from qsession_widgets.text_table import terminal_width, text_facts, text_table, wrap

HEAD = ("id", "backend", "cost", "opened by")
ID = "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"
ROWS = [
    HEAD,
    (ID, "fake_fez", "≈ $1.20", "the third ansatz.ipynb, 'vqe'"),
    ("2", "", "", ""),
]


@pytest.mark.parametrize("width", [None, 200])
def test_a_table_that_fits_is_in_columns(width: int | None) -> None:
    lines = text_table(ROWS, right=(2,), width=width).splitlines()
    assert len(lines) == 3
    # a column begins, or ends, at the same place in each line
    assert lines[0].index("backend") == lines[1].index("fake_fez")
    assert lines[0].index("cost") + len("cost") == lines[1].index("$1.20") + len("$1.20")


@pytest.mark.parametrize("width", [36, 40, 60])
def test_a_table_that_does_not_fit_is_in_blocks_and_loses_nothing(width: int) -> None:
    text = text_table(ROWS, width=width)
    assert max(map(len, text.splitlines())) <= width
    assert ID in text, "to be copied"
    for cell in ROWS[1][1:]:
        assert cell in " ".join(text.split())


def test_a_path_stays_whole_in_a_narrow_line() -> None:
    path = "/home/ada/" + "deep/" * 10 + "notebook.ipynb"
    assert path in wrap(f"It is in {path} now.", 30).split()
    assert path in text_facts([("Where", f"in {path}")], width=20).split()


def test_the_width_is_what_is_asked_for_or_the_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert terminal_width() == 40
    # a program that reads the lines gets them whole
    monkeypatch.delenv("COLUMNS")
    monkeypatch.setattr("sys.stdout", io.StringIO())
    assert terminal_width() is None
