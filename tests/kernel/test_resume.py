"""Cells that are run again take up the jobs that were paid for."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from qsession_widgets.cli.main import main
from qsession_widgets.client.rest import Answer, ServiceClient
from qsession_widgets.errors import ServiceError
from qsession_widgets.resume import place
from qsession_widgets.resume.choice import last_of, named, runs
from qsession_widgets.resume.place import Place
from qsession_widgets.resume.records import RunFile, RunRecord, lock, read, recorded, sweep
from qsession_widgets.resume.runs import RUNS
from qsession_widgets.sessions import opening
from qsession_widgets.sessions.binding import BINDING

from .cells import Notebook
from .resuming import BUILD, RESUME, accepted, end_with

Ask = Callable[..., Any]


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


def test_a_job_that_is_no_use_is_sent_anew(work: Notebook, ask: Ask) -> None:
    end_with(work, "sampler = SamplerV2()", "before = loop(3)")
    (first, _), (second, _), _ = work["before"]
    ask("DELETE", f"/jobs/{first}")
    ran = work.good(RESUME, "after = loop(3)")
    assert f"Job {first} is not at the service any more, and is sent anew." in ran.out
    ids = [job for job, _ in work["after"]]
    assert ids[1:] == [job for job, _ in work["before"]][1:]
    assert ids[0] != first
    assert second in ids


def test_what_is_not_over_is_waited_for_and_what_was_cancelled_is_sent_anew(
    work: Notebook, ask: Ask
) -> None:
    ask("POST", "/emulator/v1/faults/queue", json={"paused": True})
    asks = "jobs = [SamplerV2().run([(turned(), [n])], shots=64) for n in range(2)]"
    end_with(work, asks)
    waiting, cancelled = (job.job_id() for job in work["jobs"])
    work.good("jobs[1].cancel()")
    ran = work.good(RESUME, asks, "seen = [str(job.status()) for job in jobs]")
    first, second = (job.job_id() for job in work["jobs"])
    assert (first, work["seen"][0]) == (waiting, "QUEUED")
    assert f"Job {cancelled} failed or was cancelled in that run, and is sent anew." in ran.out
    assert second != cancelled
    ask("POST", "/emulator/v1/faults/queue", json={"paused": False})
    work.good("found = [job.result()[0].data.meas.num_shots for job in jobs]")
    assert work["found"] == [64, 64]
    assert accepted(ask) == 3


def test_a_service_that_does_not_answer_is_sent_a_job_anew(work: Notebook, ask: Ask) -> None:
    end_with(work, "before = loop(1)")
    silent = {"method": "GET", "path": "/jobs/*", "status": 403, "times": None}
    ask("POST", "/emulator/v1/faults", json=silent)
    ran = work.good(RESUME, "job = SamplerV2().run([(turned(), [0.0])], shots=64)")
    ask("DELETE", "/emulator/v1/faults")
    assert "could not be asked for, as the service did not answer, and is sent anew" in ran.out
    assert accepted(ask) == 2


def test_each_setting_of_the_emulator_is_part_of_what_is_asked_for(
    work: Notebook, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changed(name: str) -> Callable[..., Any]:
        asked = ServiceClient.emulator

        def status(client: ServiceClient, *path: Any, **more: Any) -> Any:
            answer = asked(client, *path, **more)
            if isinstance(options := answer.data.get("options"), dict):
                options[name] = "another"
            return answer

        return status

    real = place._data
    end_with(work, "before = loop(1)")
    for number, name in enumerate(("method", "noise", "precision_limit", "seed", "data"), 2):
        work.good("%session close")
        with monkeypatch.context() as patched:
            if name == "data":
                patched.setattr(place, "_data", lambda *asked: [real(*asked), "another"])
            else:
                patched.setattr(ServiceClient, "emulator", changed(name))
            said = work(f"{RESUME} any", "loop(1)", "raise ZeroDivisionError").out
        assert "the service, instance, device or its settings differ" in said, name
        assert accepted(ask) == number
    work.good("%session close")
    work.good(f"{RESUME} any", "after = loop(1)")
    assert work["after"] == work["before"], "the same again"


def test_a_private_job_is_sent_anew(work: Notebook, ask: Ask) -> None:
    lines = (
        "sampler = SamplerV2()",
        "sampler.options.environment.private = True",
        "job = sampler.run([(turned(), [0.1])], shots=64)",
    )
    end_with(work, "loop(1)", *lines)
    first = work["job"].job_id()
    assert "The job of this call is private, so that" in work.good(RESUME, "loop(1)", *lines).out
    assert work["job"].job_id() != first
    assert accepted(ask) == 3


def test_a_result_is_believed_only_where_what_is_stored_agrees(work: Notebook, ask: Ask) -> None:
    run_id = end_with(work, "before = loop(2)")
    (path,) = (path for known, _, path in recorded() if known == run_id)
    (one, _), (other, _) = work["before"]
    text = path.read_text()
    path.write_text(text.replace(one, "X").replace(other, one).replace("X", other))
    ran = work.good(RESUME, "after = loop(2)")
    assert "is stored with other parameters than this call has, and is sent anew" in ran.out
    assert not {one, other} & {job for job, _ in work["after"]}
    assert accepted(ask) == 4


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


def test_a_device_that_did_not_tell_its_calibration_is_asked_again(
    work: Notebook, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qsession_widgets.resume.place.UNANSWERED_SECONDS", 0.0)
    real, asked = place._data, []

    def data(line: Any, name: str, kind: str) -> Any:
        asked.append(kind)
        # in the order of the questions: what the fingerprint needs, then the calibration
        if asked.count("properties") == 2:
            raise ServiceError("The service cannot be reached.")
        return real(line, name, kind)

    monkeypatch.setattr(place, "_data", data)
    end_with(work, "before = loop(3)")
    assert asked.count("properties") == 3
    monkeypatch.undo()
    monkeypatch.setenv("QSESSION_NOTEBOOK", "/nowhere/calibration.ipynb")
    record = runs()[0]
    assert [bool(one.calibration) for one in record.asked.values()] == [False, True, True]


def test_no_job_is_lost_because_it_cannot_be_recorded_or_compared(
    work: Notebook, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    work.good("import numpy")
    end_with(work, "before = loop(2, shots=numpy.int64(64))")
    monkeypatch.setattr(ServiceClient, "job_with_params", lambda *_: Answer([], None, 0.0, 0.0))
    ran = work(RESUME, "after = loop(2)", "raise ZeroDivisionError")
    assert "cannot be compared with this call, and is sent anew" in ran.out
    assert accepted(ask) == 4
    plain = RESUME.removesuffix(" --resume")
    monkeypatch.setattr(RunFile, "write", lambda *_: 1 / 0)
    work.good(plain, "loop(2)")
    monkeypatch.setattr(RUNS, "fingerprint", lambda *_: 1 / 0)
    work.good(plain, "loop(2)")
    assert accepted(ask) == 8


def test_a_call_that_almost_fits_says_what_differs(work: Notebook) -> None:
    end_with(work, "loop(1)")
    assert "shots 4\u202f096, were 64" in work.good(RESUME, "loop(1, shots=4096)").out
    end_with(work, "loop(1)")
    ran = work.good(
        RESUME,
        "circuit = turned()",
        "circuit.sx(0)",
        "sampler = SamplerV2()",
        "job = sampler.run([(circuit, [0.0])], shots=64)",
    )
    assert "transpiled differently: set seed_transpiler" in ran.out
    # a damaged record
    run_id = end_with(work, "loop(1)")
    (path,) = (path for known, _, path in recorded() if known == run_id)
    path.write_text(re.sub(r'"shots": \d+', '"shots": {"x": [64]}', path.read_text()))
    assert "Nothing of that run" not in work.good(RESUME, "loop(1, shots=4095)").out


def test_a_calibration_since_is_told_and_taken_only_when_any_is(
    work: Notebook, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    end_with(work, "before = loop(1)")
    monkeypatch.setattr(Place, "calibration", lambda *_, **__: "since")
    ran = work(RESUME, "loop(1)", "raise ZeroDivisionError")
    assert "ran before the device was calibrated anew, and is sent anew" in ran.out
    monkeypatch.setattr(Place, "calibration", lambda *_, **__: "")
    end_with(work, "loop(1)")
    ran = work(RESUME, "loop(1)", "raise ZeroDivisionError")
    assert "not known whether it was calibrated anew since, and is sent anew" in ran.out
    assert accepted(ask) == 4
    monkeypatch.setattr(Place, "calibration", lambda *_, **__: "since")
    run_id = end_with(work, "before = loop(1)")
    monkeypatch.setattr(Place, "calibration", lambda *_, **__: "later")
    ran = work.good(f"{RESUME} any", "after = loop(1)")
    assert run_id in ran.out
    assert "it is taken up all the same" in ran.out
    assert work["after"] == work["before"]


def test_a_calibration_between_two_cells_of_one_session_counts(
    work: Notebook, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, seen, clock = place._data, ["then"], [0.0]

    def data(line: Any, name: str, kind: str) -> Any:
        found = real(line, name, kind)
        return found if kind == "configuration" else {"last_update_date": seen[0]}

    monkeypatch.setattr(place, "_data", data)
    monkeypatch.setattr(place, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    # the data that a fingerprint has of an emulator's device are those of its start
    monkeypatch.setattr(Place, "_simulated", lambda *_: {})
    end_with(work, "before = loop(2)")
    work.good(RESUME, "after = loop(1)")
    assert work["after"] == work["before"][:1]
    seen[0], clock[0] = "since", 61.0
    ran = work.good("after = loop(2, begin=1)")
    assert "ran before the device was calibrated anew, and is sent anew" in ran.out
    assert accepted(ask) == 3


def test_a_spent_budget_refuses_new_jobs_only(work: Notebook, ask: Ask) -> None:
    end_with(work, "before = loop(3)")
    work.good("%session close")
    ran = work(
        f"{RESUME} --budget 1s",
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


def read_run(run_id: str) -> RunRecord:
    """A run, as it stands in its file."""
    (path,) = (path for known, _, path in recorded() if known == run_id)
    return read(path)


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
