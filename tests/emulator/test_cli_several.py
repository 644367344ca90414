"""Several emulators from a terminal: which ones run, and an end for all of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qsession_widgets.emulator.options import EmulatorOptions
from qsession_widgets.emulator.process import launcher
from qsession_widgets.emulator.process.cli import main

NAMES = ("default", "second")


def test_all_that_run_are_listed_and_ended(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # where those of other tests are not
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    assert main(["emulator", "list"]) == 0
    assert capsys.readouterr().out == "No emulator is running.\n"
    try:
        running = {
            name: launcher.find_or_start(EmulatorOptions(workers=1, seed=1), name) for name in NAMES
        }
        assert main(["emulator", "list"]) == 0
        head, *lines = capsys.readouterr().out.splitlines()
        assert head.split("  ")[0] == "name"
        for name, line in zip(NAMES, lines, strict=True):
            cells = line.split()
            assert cells[:3] == [name, running[name].url, str(running[name].pid)]
            assert cells[-2:] == ["0", "0"], "open sessions and pending jobs"
        assert main(["emulator", "list", "--json"]) == 0
        found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [one["name"] for one in found] == list(NAMES)
        assert not any("key" in one for one in found)
        assert main(["emulator", "status", "--name", "second"]) == 0
        status = capsys.readouterr().out
        assert "up for: " in status
        assert "None" not in status
        assert main(["emulator", "stop", "--all"]) == 0
        assert "The emulator second has ended." in capsys.readouterr().out
        assert launcher.find("default") is None
    finally:
        for name in NAMES:
            launcher.stop(name)
