"""Defaults from IPython's configuration file, in a kernel and in a terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qsession_widgets.cli.main import main
from qsession_widgets.errors import UserError
from qsession_widgets.magics.magics import SessionMagics
from qsession_widgets.options.configuration import configured
from qsession_widgets.options.table import OPEN_OPTIONS

from .cells import Notebook
from .fresh import running_kernel


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the default profile, of a user who has nothing yet."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    folder = tmp_path / "ipython" / "profile_default"
    folder.mkdir(parents=True)
    return folder


def test_a_kernel_takes_its_defaults_from_the_file(emulator: object, profile: Path) -> None:
    (profile / "ipython_config.py").write_text(
        "c.SessionMagics.service = 'local'\n"
        "c.SessionMagics.backend = 'fake_manila'\n"
        "c.SessionMagics.strict = True\n"
    )
    with running_kernel() as kernel:
        kernel.run("%load_ext qsession_widgets")
        printed, error = kernel.run(
            "%%session\nprint(f'on {backend.name} {session._live.options}')"
        )
        assert not error, printed
        assert "on fake_manila" in printed
        assert "strict=True" in printed
        printed, error = kernel.run("%%session --backend aer --name b\nprint(f'on {backend.name}')")
        assert "on aer" in printed


def test_a_terminal_takes_the_account_from_the_file(
    profile: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    accounts = profile / ".qiskit" / "qiskit-ibm.json"
    accounts.parent.mkdir()
    accounts.write_text(json.dumps({"work": {}}))
    monkeypatch.setenv("HOME", str(profile))
    (profile / "ipython_config.json").write_text('{"SessionMagics": {"account": "wrok"}}')
    assert configured() == {"account": "wrok"}
    assert main(["list", "--service", "ibm"]) == 1
    assert "There is no saved account 'wrok': there are work." in capsys.readouterr().err


def test_a_file_that_cannot_be_read_is_one_sentence(profile: Path) -> None:
    (profile / "ipython_config.py").write_text("c.SessionMagics.account = \n")
    with pytest.raises(UserError, match=r"ipython_config\.py cannot be read \(SyntaxError") as told:
        configured()
    assert "mend it, or move it away" in str(told.value)


def test_a_default_that_makes_no_sense_says_where_it_comes_from(notebook: Notebook) -> None:
    notebook.good("%config SessionMagics.max_time = '9x'")
    sentence = notebook("%%session --service local --backend aer", "pass").sentence()
    assert "The configured default SessionMagics.max_time makes no sense" in sentence
    assert "%config SessionMagics.max_time = '' takes it away" in sentence
    # what needs no default works all the same
    notebook.good("%session list")


def test_what_makes_sense_for_every_session_has_a_default() -> None:
    of_one = {"--name", "--expect", "--once", "--another"}
    emulators = ("local.", "simulation.")
    flags = {option.flag for option in OPEN_OPTIONS if not option.field.startswith(emulators)}
    traits = {
        "--" + name.replace("_", "-") for name in SessionMagics.class_trait_names(config=True)
    }
    assert traits == flags - of_one | {"--price"}
