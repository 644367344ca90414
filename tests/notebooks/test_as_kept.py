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


def markdown(notebook: dict[str, Any]) -> list[str]:
    return [text(cell) for cell in notebook["cells"] if cell["cell_type"] == "markdown"]


def code(notebook: dict[str, Any]) -> str:
    sources = [text(cell) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return "\n".join(sources)


def test_they_are_numbered_without_a_gap() -> None:
    assert all(re.match(r"\d\d_[a-z0-9_]+$", path.stem) for path in NOTEBOOKS)
    assert [int(path.stem[:2]) for path in NOTEBOOKS] == list(range(1, 10))


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


def test_it_ends_with_what_changes_on_ibm(notebook: dict[str, Any]) -> None:
    last = notebook["cells"][-1]
    assert last["cell_type"] == "markdown"
    assert text(last).startswith("## On IBM hardware\n\nChange one word")


def test_running_all_cells_spends_no_money(notebook: dict[str, Any]) -> None:
    """Every session is opened on this machine, whatever account the reader has."""
    source = code(notebook)
    for line in re.findall(r"^%%(?:session|batch)\b.*", source, re.MULTILINE):
        if "--service {service}" in line:
            assert re.search(r'^service = "local"$', source, re.MULTILINE)
            assert "--budget '$" in line
        elif "--service" not in line:
            # a student's notebook, whose account is one of the emulator's
            before = source.partition(line)[0]
            assert 'os.environ.update(keys["ana"])' in before
        else:
            assert "--service local" in line
    for call in re.findall(r"open_session\([^)]*\)", source):
        assert 'service="local"' in call


def test_saved_pages_have_the_plots_too(notebook: dict[str, Any]) -> None:
    """Plotly goes into the notebook, so that an exported page needs neither kernel nor network."""
    source = code(notebook)
    if "figure.show()" in source or ".timeline()" in source:
        assert 'plotly.io.renderers.default = "plotly_mimetype+notebook"' in source


def test_seeds_are_where_they_are_sent_from(notebook: dict[str, Any]) -> None:
    """Primitives of the client never send options.simulator: a seed there does nothing."""
    assert '"simulator"' not in code(notebook)
    seeded = [line for line in code(notebook).split("\n") if "seed_simulator" in line]
    assert [line for line in seeded if '"aer": {"seed_simulator"' not in line] == []
    if seeded:
        assert '`"experimental"`' in markdown(notebook)[-1], "it is taken out on IBM's devices"


def test_no_sum_of_money_is_taken_for_mathematics(notebook: dict[str, Any]) -> None:
    """Two bare dollar signs in a cell would make a formula of what stands between them."""
    bare = [re.findall(r"(?<!\\)\$", cell) for cell in markdown(notebook)]
    assert max(map(len, bare)) <= 1
