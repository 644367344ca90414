"""Submits that are written down before they are sent."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from qsession_widgets.registry import submits

ABOUT = {
    "session_id": "s",
    "backend": "ibm_fez",
    "primitive": "sampler",
    "url": "https://quantum.example/api/v1",
    "instance": "crn",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(submits, "folder", lambda: tmp_path)
    monkeypatch.setattr(submits, "_noted", 0)
    return tmp_path / "submits"


def test_a_submit_is_pending_until_its_outcome_is_known(folder: Path) -> None:
    submits.note("qsession-1", **ABOUT)
    submits.note("qsession-2", **ABOUT | {"session_id": ""})
    first, second = submits.pending()
    assert (first.tag, first.session_id, first.backend) == ("qsession-1", "s", "ibm_fez")
    assert second.session_id == ""
    assert not first.orphaned
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    submits.settle("qsession-1")
    submits.settle("never noted")
    assert submits.pending() == [second]


def test_one_whose_process_is_gone_is_an_orphan() -> None:
    submits.note("qsession-1", **ABOUT)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (found,) = submits.pending()
    assert replace(found, process=ended.pid).orphaned
    assert not replace(found, process=ended.pid, host="another").orphaned


def test_what_cannot_be_read_is_skipped(folder: Path) -> None:
    submits.note("qsession-1", **ABOUT)
    whole = (folder / "qsession-1.json").read_text()
    for name, content in (("cut", whole[:40]), ("list", "[]"), ("other", "{}"), ("empty", "")):
        (folder / f"{name}.json").write_text(content)
    assert [one.tag for one in submits.pending()] == ["qsession-1"]


def test_old_ones_and_the_oldest_of_too_many_are_removed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submits, "MOST", 3)
    for number in range(5):
        submits.note(f"qsession-{number}", **ABOUT)
        at = 0.0 if number == 4 else time.time() - 100 + number
        os.utime(folder / f"qsession-{number}.json", (at, at))
    submits.sweep()
    assert [one.tag for one in submits.pending()] == ["qsession-1", "qsession-2", "qsession-3"]


def test_a_folder_that_cannot_be_made_keeps_no_job_from_being_sent(folder: Path) -> None:
    folder.write_text("a file")
    submits.note("qsession-1", **ABOUT)
    submits.settle("qsession-1")
    assert submits.pending() == []
