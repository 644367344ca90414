"""The documentation site has every page, and what is on its pages is current."""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from qsession_widgets.cli.examples import EXAMPLES as TERMINAL
from qsession_widgets.cli.main import build_parser
from qsession_widgets.command_help import with_those_below
from qsession_widgets.emulator.process.cli import build_parser as emulator_parser
from qsession_widgets.emulator.process.examples import EXAMPLES as EMULATOR

from .test_readme import typed


@pytest.fixture(scope="module")
def site(repository: Path) -> ModuleType:
    """The module that puts the site together; Sphinx is imported when it builds only."""
    spec = importlib.util.spec_from_file_location("make_site", repository / "docs/make_site.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_page_of_the_navigation_is_there(repository, site):
    missing = [file for file in site.pages().values() if not (repository / file).is_file()]
    assert not missing


def test_every_document_is_in_the_navigation(repository, site):
    documents = [*(repository / "docs").rglob("*.md"), *(repository / "notebooks").glob("*.ipynb")]
    kept = {path.relative_to(repository).as_posix() for path in documents}
    assert kept <= set(site.pages().values())


def test_links_between_pages_become_links_of_the_site(site):
    text = "[a](../notebooks/01_quickstart.ipynb) [b](adr/README.md#decisions) "
    text += "[c](../Makefile) [d](#e)"
    assert site.lead_out(text, "index.md", "docs/index.md").split() == [
        "[a](walkthroughs/01_quickstart.md)",
        "[b](adr/README.md#decisions)",
        f"[c]({site.REPOSITORY}/Makefile)",
        "[d](#e)",
    ]


def test_a_walkthrough_shows_what_it_asks_and_answers(site, tmp_path, monkeypatch):
    monkeypatch.setattr(site, "EXECUTED", tmp_path)
    kept = site.as_markdown("notebooks/01_quickstart.ipynb")
    assert "Shown here without its results." in kept
    assert "```python\n%load_ext qsession_widgets\n```" in kept
    (tmp_path / "01_quickstart.ipynb").write_text(
        '{"cells": [{"cell_type": "markdown", "source": ["# Title"]},'
        '{"cell_type": "code", "source": ["1"], "outputs": ['
        '{"output_type": "display_data", "data": {"text/html": ["<b>\\n\\nreceipt</b>"]}},'
        '{"output_type": "stream", "text": ["one\\n", "two\\n"]}]}]}'
    )
    run = site.as_markdown("notebooks/01_quickstart.ipynb")
    assert "without its results" not in run
    assert "<b>\nreceipt</b>" in run
    assert "```text\none\ntwo\n```" in run


def test_the_figures_are_current(repository):
    done = subprocess.run(
        [sys.executable, str(repository / "docs" / "make_billing.py"), "--check"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def commands(repository: Path) -> Iterator[tuple[str, str]]:
    """Yield every ``qsession`` command of the how-to pages and of the commands' own examples."""
    for page in sorted((repository / "docs/how-to").glob("*.md")):
        yield from ((page.name, line) for line in typed(page.read_text("utf-8")))
    for examples in (TERMINAL, EMULATOR):
        for name, lines in examples.items():
            yield from ((f"{name} --help", line) for line, _ in lines)


def test_every_command_that_is_shown_can_be_read(repository):
    """With the parsers of the command line; nothing is run."""
    tried = 0
    for place, line in commands(repository):
        found = re.match(r"(?:eval \"\$\()?(qsession [a-z][^|>#)\"]+)", line)
        if not found:
            continue
        words = shlex.split(found[1])[1:]
        before = words[: words.index("--")] if "--" in words else words
        own = words[0] in ("emulator", "run")
        try:
            (emulator_parser if own else build_parser)().parse_args(before)
        except SystemExit:
            pytest.fail(f"{place}: {line}")
        tried += 1
    assert tried > 50


def test_every_example_belongs_to_a_command_that_shows_it():
    for parser, examples in ((build_parser(), TERMINAL), (emulator_parser(), EMULATOR)):
        shown = [one for one in with_those_below(parser) if one.epilog]
        assert {one.prog for one in shown} == set(examples)
        for command in shown:
            assert all(line in command.format_help() for line, _ in examples[command.prog])
