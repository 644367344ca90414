"""Records of runs: listed, forgotten, damaged, full, or too old."""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path

import pytest

from qsession_widgets.cli.main import main
from qsession_widgets.resume.choice import last_of, named, runs
from qsession_widgets.resume.records import RunFile, lock, read, recorded, sweep
from qsession_widgets.resume.runs import RUNS

from .cells import Notebook
from .resuming import RESUME, Ask, accepted, end_with


def test_a_run_is_found_by_the_name_of_its_session(work: Notebook, ask: Ask) -> None:
    work(f"{RESUME} --name vqe", "before = loop(1)", "raise ZeroDivisionError")
    # a kernel that is killed ends no cell
    RUNS.reset()
    work("%session close vqe")
    assert "Takes up run-" in work.good(f"{RESUME} vqe", "after = loop(2)").out
    assert work["after"][:1] == work["before"]
    assert accepted(ask) == 2


def test_runs_are_listed_and_forgotten(work: Notebook, capsys: pytest.CaptureFixture[str]) -> None:
    run_id = end_with(work, "loop(1)")
    listed = work.good("%session runs").out
    # a table, or in a narrow terminal one below the other
    assert re.search(rf"(?s){run_id}.*? 1\s.*?stopped", listed), listed
    assert main(["runs", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["state"] for row in rows if row["id"] == run_id] == ["stopped"]
    assert main(["forget", run_id[:-1]]) == 0
    assert capsys.readouterr().out.startswith(f"{run_id} is forgotten")
    assert "There is no run" in work(f"%session forget {run_id}").sentence()
    assert "Nothing to resume" in work.good(RESUME, "pass").out
    run_id = end_with(work, "loop(1)")
    work.good(RESUME, "loop(1)")
    assert re.search(rf"(?s){run_id}.*?taken up here", work.good("%session runs").out)
    assert "; 2 under way or taken up stay." in work.good("%session forget --all").out
    assert "once this kernel has ended" in work(f"%session forget {run_id}").sentence()


def test_what_cannot_be_taken_up_is_one_sentence(
    work: Notebook, ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = end_with(work, "before = loop(1)")
    (path,) = (path for known, _, path in recorded() if known == run_id)
    session_id = work["session"].session_id
    newer = tmp_path / "newer.jsonl"
    newer.write_text('{"version": 2, "run": "run-later", "notebook": "", "begun": 1}\n')
    empty = tmp_path / "empty.jsonl"
    empty.write_text('{"version": 1, "run": "run-empty", "notebook": "", "begun": 1}\n')
    text = path.read_text()
    elsewhere = tmp_path / "elsewhere.jsonl"
    for given, sentence in (
        ("run-nothing", "There is no run 'run-nothing'"),
        ("-5", "--resume '-5' names no run: write --resume alone for the last one"),
        (session_id, f"is a session or a job, and no run: it belongs to {run_id}"),
        (work["before"][0][0], "is a session or a job, and no run"),
        (newer, "was recorded by a newer version of qsession-widgets"),
        (empty, "holds no jobs"),
        (tmp_path / "no.jsonl", "is no record of a run that can be read"),
    ):
        assert sentence in work(f"{RESUME} {given}", "loop(1)").sentence()
    for one, other, sentence in (
        ('"device": "aer"', '"device": "fake_fez"', "ran on fake_fez, and not on aer here"),
        ('"kind": "local"', '"kind": "ibm"', "ran on IBM, and not on aer here"),
        ('"instance": "crn', '"instance": "other', "ran in another account or instance"),
    ):
        elsewhere.write_text(text.replace(one, other))
        assert sentence in work(f"{RESUME} {elsewhere}", "loop(1)").sentence()
    RUNS.reset()
    held = lock(run_id)
    assert held is not None
    try:
        assert "is under way in another kernel" in work(RESUME, "loop(1)").sentence()
    finally:
        held.release()
    assert accepted(ask) == 1
    # whatever the path is written with
    monkeypatch.setenv("QSESSION_NOTEBOOK", "C:\\Jürgen\\newer.ipynb")
    run_id = end_with(work, "loop(1)")
    (path,) = (path for known, _, path in recorded() if known == run_id)
    path.write_text(path.read_text().replace('"version": 1', '"version": 2'))
    assert "was recorded by a newer version" in work(RESUME, "loop(1)").sentence()
    assert accepted(ask) == 2


def test_a_full_disk_costs_the_line_that_it_cuts_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written, write = [], os.write

    def half(descriptor: int, text: bytes) -> int:
        written.append(text)
        return write(descriptor, text[:25] if len(written) == 2 else text)

    file = RunFile("/nowhere/full.ipynb")
    monkeypatch.setattr(os, "write", half)
    for turn in range(3):
        file.write({"print": "p", "turn": turn, "job": f"job-{turn}"})
    monkeypatch.undo()
    (path,) = (path for known, _, path in recorded() if known == file.record.id)
    assert [asked.job for asked in read(path).asked.values()] == ["job-0", "job-2"]
    file.release()


def test_what_is_old_is_named_and_what_is_too_old_or_too_much_is_removed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def made(age: float) -> Path:
        file = RunFile("/nowhere/old.ipynb")
        file.write({"print": "p", "turn": 0, "job": "j"})
        file.release()
        (path,) = (path for known, _, path in recorded() if known == file.record.id)
        os.utime(path, (time.time() - age,) * 2)
        return path

    for path in [path for _, _, path in recorded()]:
        path.unlink()
    hour = 3600.0
    kept = [made(age) for age in (23.9 * hour, 24.1 * hour, 13.9 * 24 * hour)]
    gone = made(14.1 * 24 * hour)
    assert [run.id for run in runs()][:1] == [kept[0].stem]
    assert last_of("/nowhere/old.ipynb")[0] is not None
    kept[0].unlink()
    notebook = "/nowhere/old.ipynb"
    assert named(notebook).id == kept[1].stem
    assert named(notebook, [kept[1].stem]).id == kept[2].stem
    assert named(notebook, [path.stem for path in (*kept, gone)]).id == kept[1].stem
    assert last_of("/nowhere/old.ipynb") == (None, False)
    assert named(kept[1].stem).jobs == 1
    sweep()
    assert [path.exists() for path in (*kept[1:], gone)] == [True, True, False]
    monkeypatch.setattr("qsession_widgets.resume.records.MOST_RUNS", 1)
    sweep()
    assert [path.exists() for path in kept[1:]] == [True, False]
    monkeypatch.setattr("qsession_widgets.resume.records.MOST_BYTES", 10)
    sweep()
    assert not list(recorded())


def test_a_full_record_is_told_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("qsession_widgets.resume.records.MOST_JOBS", 2)
    file = RunFile("/nowhere/many.ipynb")
    for turn in range(4):
        file.write({"print": "p", "turn": turn, "tags": ["t"]})
        file.write({"print": "p", "turn": turn, "job": f"job-{turn}"})
    file.write({"ended": True})
    (path,) = (path for known, _, path in recorded() if known == file.record.id)
    assert [asked.job for asked in read(path).asked.values()] == ["job-0", "job-1"]
    assert read(path).finished
    assert capsys.readouterr().out.count("The record of this run is full with 2 jobs") == 1
    file.release()


def test_damaged_records_are_no_error(tmp_path: Path) -> None:
    path = tmp_path / "damaged.jsonl"
    path.write_text(
        '{"version": 1, "run": "run-damaged"}\n'
        '{"print": "p", "turn": 0, "at": "yesterday", "job": "j"}\n'
        '{"print": "q", "turn": 0, "job": "k", "parts": []}\n'
        '{"print": "s", "turn": 1e999, "job": "m"}\n' + "[" * 100_000 + "\n"
        '{"print": "r", "turn": 0, "job": "l"}\n'
    )
    record = read(path)
    assert [asked.job for asked in record.asked.values()] == ["l"]
    assert record.sessions() == []


def test_records_cut_in_half_lose_nothing_but_the_last_line(work: Notebook, ask: Ask) -> None:
    run_id = end_with(work, "before = loop(3)")
    (path,) = (path for known, _, path in recorded() if known == run_id)
    assert path.stat().st_mode & 0o077 == 0
    lines = path.read_text().splitlines(keepends=True)
    jobs = [number for number, line in enumerate(lines) if '"job"' in line]
    path.write_text("".join(lines[: jobs[-1]]) + lines[jobs[-1]][:30])
    work.good(RESUME, "after = loop(3)")
    assert work["after"] == work["before"]
    assert accepted(ask) == 3
