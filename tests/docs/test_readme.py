"""The README's cells run, and what it tells people to type exists."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from qsession_widgets.cli.main import build_parser
from qsession_widgets.emulator.process import launcher
from qsession_widgets.magics.help_text import ACTION_NAMES
from qsession_widgets.options.table import OPEN_OPTIONS

from ..kernel.fresh import run_cells


@pytest.fixture
def readme(repository: Path) -> str:
    return (repository / "README.md").read_text("utf-8")


@pytest.fixture
def own_emulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    try:
        yield
    finally:
        launcher.stop()


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.S | re.M)


def typed(text: str) -> list[str]:
    """Find what stands as code in the text, and the lines of its console blocks."""
    consoles = "\n".join(blocks(text, "console"))
    prose = re.sub(r"```.*?```", "", text, flags=re.S)
    inline = [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", prose)]
    return inline + re.findall(r"^\$ ([^#\n]+)", consoles, re.M)


def test_the_three_cells_run_one_after_the_other(readme, own_emulator):
    cells = blocks(readme, "python")
    assert len(cells) == 3
    look = "print(sum(counts.values()), session.snapshot.state, len(session.snapshot.jobs))"
    receipt = "from qsession_widgets.views.receipt import to_text\nprint(to_text(session.snapshot))"
    ran = run_cells(*cells, look, receipt)
    assert not [err for _, err in ran if "Error" in err or "error" in err], ran
    assert ran[3][0].split()[-2:] == ["closed", "1"], ran[3]
    assert int(ran[3][0].split()[0]) > 0
    assert "State    Closed" in ran[4][0]


def test_everything_that_is_shown_is_transpiled_with_a_seed(readme: str, repository: Path) -> None:
    # without one, the same cell asks for another circuit when it is run again, and pays anew
    walkthroughs = sorted((repository / "notebooks").glob("*.ipynb"))
    texts = [readme, *(path.read_text("utf-8") for path in walkthroughs)]
    managers = re.findall(r"generate_preset_pass_manager\(([^)]*)\)", "\n".join(texts))
    assert len(managers) > 10
    assert [one for one in managers if "seed_transpiler" not in one] == []


NBCONVERTS = ("--execute", "--ExecutePreprocessor")


def test_every_action_and_option_it_names_exists(readme):
    flags = {option.flag for option in OPEN_OPTIONS}
    words = " ".join([*typed(readme), *blocks(readme, "python")])
    assert set(re.findall(r"%session (\w+)", words)) <= set(ACTION_NAMES)
    others = {"--all", "--everywhere", "--help", *NBCONVERTS}
    assert set(re.findall(r"(?<![\w-])--[\w-]+", words)) - others <= flags
    assert "--budget" in words


def test_every_command_it_names_exists(readme):
    (actions,) = (
        action
        for action in build_parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    words = " ".join([*typed(readme), *blocks(readme, "console")])
    named = set(re.findall(r"(?<![\w-])qsession (\w+)", words))
    assert {"list", "run", "tutorial"} <= named <= set(actions.choices)


def test_every_make_target_it_names_exists(readme, repository):
    targets = set(re.findall(r"^([\w-]+):", (repository / "Makefile").read_text("utf-8"), re.M))
    named = set(re.findall(r"(?<![\w-])make (\w[\w-]*)", " ".join(typed(readme))))
    assert {"demo", "lab"} <= named <= targets


def test_every_walkthrough_is_in_it(readme, repository):
    for notebook in (repository / "notebooks").glob("*.ipynb"):
        assert f"/blob/main/notebooks/{notebook.name})" in readme


def test_it_is_short_enough_to_be_read(readme):
    assert len(readme.splitlines()) < 200
