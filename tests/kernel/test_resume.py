"""Cells that are run again take up the jobs that were paid for."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qsession_widgets.resume.runs import RUNS
from qsession_widgets.sessions import opening
from qsession_widgets.sessions.binding import BINDING

from .cells import Notebook
from .resuming import BUILD, RESUME, Ask, accepted, end_with, read_run


def test_a_cell_that_failed_takes_up_its_jobs_when_it_is_run_again(
    work: Notebook, ask: Ask
) -> None:
    first = work(RESUME, "before = loop(3)", "raise ZeroDivisionError")
    assert "Nothing to resume" in first.out
    assert accepted(ask) == 3
    again = work.good(RESUME, "after = loop(4)")
    assert "Takes up run-" in again.out
    assert re.search(r"which stopped [^h]+ ago after 3 jobs", again.out), again.out
    assert work["after"][:3] == work["before"]
    assert accepted(ask) == 4
    third = work.good(RESUME, "third = loop(1)")
    assert "Takes up" not in third.out
    assert accepted(ask) == 5, "what finished is not taken up"
    assert RUNS.record is not None
    own = RUNS.record.id
    assert f"Takes up {own}" in work.good(f"{RESUME} {own}", "after = loop(4) + loop(1)").out
    assert work["after"][:3] == work["before"]
    assert work["after"][4:] == work["third"]
    assert f"The run {own} is taken up here already" in work.good(f"{RESUME} {own}", "loop(1)").out
    assert accepted(ask) == 6
    work.good(f"{RESUME} {RUNS.record.id}")
    assert f"The run {own} is taken up here already" in work.good(f"{RESUME} {own}").out


def test_a_later_cell_that_failed_takes_up_its_jobs_when_it_is_run_again(
    work: Notebook, ask: Ask
) -> None:
    cell = "after = loop(last)", "assert not fails"
    work.good(RESUME, "last, fails = 2, True")
    assert isinstance(work(*cell).error, AssertionError)
    before = work["after"]
    work.good("last, fails = 3, False", "other = loop(1)")
    assert accepted(ask) == 3, "another cell asks for itself"
    said = work.good(*cell).out
    assert said.count("failed when it was run last, and takes up the 2 jobs") == 1
    assert work["after"][:2] == before
    assert accepted(ask) == 4
    assert "takes up" not in work.good(*cell).out
    assert accepted(ask) == 7, "one that came to its end asks anew"
    # one that was edited is known by its id
    work.shell.run_cell("before = loop(8, begin=6); 1/0", cell_id="one")
    work.shell.run_cell("after = loop(9, begin=6)", cell_id="one")
    assert work["after"][:2] == work["before"]
    assert accepted(ask) == 10
    work.good(RESUME.removesuffix(" --resume"), "fails = True")
    work(*cell)
    work.good("fails = False")
    work.good(*cell)
    assert accepted(ask) == 16, "without --resume nothing is taken up"


def test_what_a_failed_cell_has_paid_for_is_left_to_it(
    work: Notebook, ask: Ask, tmp_path: Path
) -> None:
    work.good(RESUME)

    def cell(text: str) -> None:
        work.shell.run_cell(text, cell_id="one")

    cell("before = loop(2); 1/0")
    for look in ("after = loop(", "print(before)"):
        cell(look)
        other = work.good("other = loop(2)").out
        assert "takes up" not in other, look
    assert accepted(ask) == 6
    cell("after = loop(1)")
    assert work["after"] == work["before"][:1]
    work.good("other = loop(2)")
    assert work["before"][1] not in work["other"]
    assert accepted(ask) == 8
    # what goes on after an error in it
    file = tmp_path / "file.py"
    for number, head in enumerate(("%%capture\n{}", "%run -i {file}"), 9):
        for name, error in (("before", "1/0"), ("after", "")):
            file.write_text(text := f"{name} = loop(1, shots={number})\n{error}")
            cell(head.format(text, file=file))
        assert work["after"] == work["before"]
        assert accepted(ask) == number


def test_cells_are_followed_without_the_magics(work: Notebook, ask: Ask) -> None:
    work.good("%unload_ext qsession_widgets")
    opens = (
        "from qsession_widgets import open_session",
        "session = open_session('aer', service='local', resume=True)",
    )
    work(*opens, "before = loop(2)", "raise ZeroDivisionError")
    assert "Takes up run-" in work.good(*opens, "after = loop(3)").out
    assert work["after"][:2] == work["before"]
    assert accepted(ask) == 3
    RUNS.reset()
    assert "the last run of this notebook finished" in work.good(*opens, "session.close()").out


def test_what_was_asked_for_before_takes_no_turns_of_the_run(work: Notebook, ask: Ask) -> None:
    end_with(work, "before = loop(3)")
    work.good(RESUME.removesuffix(" --resume"), "paid = loop(2)")
    work.good(RESUME, "after = loop(3)")
    assert work["after"] == work["before"]
    assert accepted(ask) == 5
    record = RUNS.record
    assert record is not None
    jobs = {job for name in ("before", "paid") for job, _ in work[name]}
    assert {asked.job for asked in read_run(record.id).asked.values()} == jobs


def test_a_kernel_that_is_gone_leaves_its_jobs_to_the_next(work: Notebook, ask: Ask) -> None:
    work(RESUME, "before = loop(2) + loop(1)", "raise ZeroDivisionError")
    RUNS.reset()
    work.good(RESUME, "after = loop(2) + loop(1) + loop(1)")
    # the same that is asked for twice got two jobs
    assert work["after"][:3] == work["before"]
    assert len({job for job, _ in work["after"]}) == 4
    assert accepted(ask) == 4


def test_a_submit_whose_answer_was_lost_is_taken_up_and_not_doubled(
    work: Notebook, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    work(RESUME, "before = loop(1)", "raise ZeroDivisionError")
    # the kernel ends between the service's acceptance and what is recorded of it
    monkeypatch.setattr("qsession_widgets.resume.runs.Asking.accepted", lambda *_: 1 / 0)
    work(RESUME, "loop(2)")
    monkeypatch.undo()
    monkeypatch.setenv("QSESSION_NOTEBOOK", "/nowhere/lost.ipynb")
    assert accepted(ask) == 2
    record = RUNS.record
    assert record is not None
    assert [asked.job for asked in record.asked.values()].count("") == 1
    RUNS.reset()
    again = work.good(f"{RESUME} {record.id}", "after = loop(3)")
    assert "after 2 jobs" in again.out
    assert accepted(ask) == 3
    known = {job["id"] for job in ask("GET", "/jobs")["jobs"]}
    assert {job for job, _ in work["after"]} == known


def test_a_session_that_is_closed_while_it_is_taken_up_is_not_gone_on_in(
    work: Notebook, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    end_with(work, "before = loop(1)")
    left = BINDING.bound
    assert left is not None
    BINDING.forget(left)
    attach = opening.attach_on_service

    def closed_then(*given: Any, **more: Any) -> Any:
        # as the watchdog of a crashed kernel does, which does not know yet that another has it
        live = attach(*given, **more)
        ask("PATCH", f"/sessions/{live.monitor.session_id}", json={"accepting_jobs": False})
        return live

    monkeypatch.setattr(opening, "attach_on_service", closed_then)
    work.good(RESUME, "after = loop(2)")
    assert work["session"].session_id != left.monitor.session_id
    assert work["after"][:1] == work["before"]
    assert accepted(ask) == 2


def test_a_session_of_the_run_that_does_not_fit_is_named(work: Notebook, ask: Ask) -> None:
    end_with(work, "before = loop(1)")
    left = BINDING.bound
    assert left is not None
    BINDING.forget(left)
    in_the_way = f"%session attach {left.monitor.session_id} goes on in it"
    sentence = work(f"{RESUME} --max-time 30m", "loop(1)").sentence()
    assert in_the_way in sentence
    assert "Its maximum time is another one." in sentence
    batch = RESUME.replace("session", "batch")
    ran = work(f"{batch}", "after = loop(2)", "raise ZeroDivisionError")
    assert f"left a session open on aer: {in_the_way}" in ran.out
    assert work["after"][:1] == work["before"]
    assert accepted(ask) == 2
    left = BINDING.bound
    assert left is not None
    RUNS.reset()
    BINDING.forget(left)
    said = work.good(f"{RESUME} --another", "loop(2)").out
    assert f"left a batch open on aer: %session attach {left.monitor.session_id} goes on" in said
    assert accepted(ask) == 2


def test_an_attached_session_counts_as_it_was_opened(work: Notebook) -> None:
    plain = RESUME.removesuffix(" --resume")

    def simulated() -> Any:
        live = BINDING.bound
        assert live is not None
        return live.place().facts["simulation"]

    work.good(f"{plain} --local-method stabilizer", "session_id = session.session_id")
    told = simulated()
    assert told == {"method": "stabilizer"}
    live = BINDING.bound
    assert live is not None
    BINDING.forget(live)
    work.good(f"%session attach {work['session_id']}")
    assert simulated() == told
    work.good("%session close")


def test_a_cell_without_resume_takes_up_nothing_more(work: Notebook, ask: Ask) -> None:
    end_with(work, "before = loop(3)")
    work(RESUME, "loop(1)", "raise ZeroDivisionError")
    assert accepted(ask) == 3
    work.good(RESUME.removesuffix(" --resume"), "after = loop(3)")
    assert not {job for job, _ in work["after"]} & {job for job, _ in work["before"]}
    assert accepted(ask) == 6


def test_a_spent_budget_refuses_new_jobs_only(work: Notebook, ask: Ask) -> None:
    end_with(work, "before = loop(3)")
    work.good("%session close")
    ran = work(
        f"{RESUME} --budget 4s",
        "first = loop(4, begin=3)",
        "session.wait_for(lambda snapshot: not snapshot.accepting_jobs)",
        "after = loop(3)",
        "loop(5, begin=4)",
    )
    assert "its budget is spent" in ran.sentence()
    assert work["after"] == work["before"], "what was paid for costs nothing"
    assert accepted(ask) == 4


def test_the_receipt_says_what_was_not_paid_again(work: Notebook) -> None:
    end_with(work, "loop(2)")
    work.good("%session close")
    work.good(RESUME, "loop(3)")
    work.good("%session close")
    printed = str(work.good("%session receipt").displayed[-1]["text/plain"])
    assert re.search(r"Reused +2 of 3 jobs reused, ≈ \$\d+\.\d\d on IBM", printed), printed


@pytest.mark.parametrize("made", ["executor_sampler.Sampler", "executor_estimator.Estimator"])
def test_client_side_primitives_are_taken_up(work: Notebook, ask: Ask, made: str) -> None:
    module, name = made.split(".")
    lines = (
        f"from qiskit_ibm_runtime.{module} import {name} as Made",
        "circuit = turned()",
        "circuit.remove_final_measurements()" if name == "Estimator" else "",
        "from qiskit.quantum_info import SparsePauliOp",
        "rest = (SparsePauliOp('Z'), [0.3]) if Made.__name__ == 'Estimator' else ([0.3],)",
        "job = Made().run([(circuit, *rest)])",
        "found = job.job_id(), repr(job.result()[0].data)",
    )
    end_with(work, *lines)
    before = work["found"]
    work.good(RESUME, *lines)
    assert work["found"] == before
    assert accepted(ask) == 1


SCRIPT = """
import os, signal, sys
from qsession_widgets import open_session
with open_session("aer", service="local", resume=True, on_crash="leave") as session:
    found = loop(2)
    if sys.argv[1] == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    print(session.session_id, *(job for job, _ in found + loop(3, begin=2)))
if sys.argv[1] == "exits":
    sys.exit(1)
"""


@pytest.mark.skipif(os.name != "posix", reason="no signal kills a process there")
def test_a_script_takes_up_its_jobs_and_the_session_it_left(ask: Ask, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(BUILD + SCRIPT)

    def run(how: str) -> list[str]:
        command = [sys.executable, str(script), how]
        return subprocess.run(command, capture_output=True, text=True, timeout=200).stdout.split()

    run("killed")
    left = {job["session_id"]: job["id"] for job in ask("GET", "/jobs")["jobs"]}
    assert accepted(ask) == 2
    session_id, *jobs = run("ends")[-4:]
    assert [session_id] == list(left)
    assert accepted(ask) == 3
    # one that came to its end is not taken up
    ended = run("ends")
    assert not set(ended[-3:]) & set(jobs)
    said = "the last run of this script finished. qsession runs lists"
    assert f'{said} what resume="ID" can' in " ".join(ended)
    run("exits")
    assert accepted(ask) == 9
    run("ends")
    assert accepted(ask) == 9, "one that says it has failed is taken up"


@pytest.mark.parametrize("magic", ["%%batch", "%%session --account bob"])
def test_batches_and_job_mode_take_up_jobs(
    work: Notebook, ask: Ask, magic: str, account: Callable[[str | None], None]
) -> None:
    where = "--service local --backend aer"
    if magic != "%%batch":
        # a plan without sessions: the cell goes on in job mode
        account("bob")
        magic, where = "%%session", "--service ibm --backend aer"
    work(f"{magic} {where} --resume", "before = loop(2)", "raise ZeroDivisionError")
    RUNS.reset()
    said = work.good(f"{magic} {where} --resume", "after = loop(3)").out
    assert "Takes up run-" in said
    assert "nothing comes of --resume" not in said
    assert work["after"][:2] == work["before"]
    assert len({job for job, _ in work["after"]}) == 3
