"""A session of a run that is taken up opens with its first new job."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qsession_widgets.model import reused
from qsession_widgets.registry.entries import notes
from qsession_widgets.resume.choice import last_of
from qsession_widgets.resume.runs import RUNS
from qsession_widgets.sessions import registration
from qsession_widgets.sessions.binding import BINDING
from qsession_widgets.views.receipt import to_text
from qsession_widgets.watchdog.owner import WATCHDOG

from .cells import Notebook, wait_for
from .resuming import RESUME, Ask, accepted, end_with

NO_OPENING = {
    "method": "POST",
    "path": "/sessions",
    "status": 500,
    "message": "Not today.",
    "times": None,
}
"""A fault by which whatever sends an opening fails."""
LATER = "A session opens with the first new job, or the first use of its id."


def sessions(ask: Ask) -> int:
    """How many sessions and batches were opened at the service since the test began."""
    return len(ask("GET", "/workloads")["workloads"])


@pytest.fixture
def stopped(work: Notebook, ask: Ask) -> Notebook:
    """A notebook whose run of two jobs failed, and whose session is over."""
    end_with(work, "before = loop(2)")
    work.good("%session close")
    assert sessions(ask) == 1
    return work


def snapshot() -> Any:
    """The newest snapshot of the session that was bound last."""
    assert BINDING.last is not None
    return BINDING.last.monitor.snapshot


def test_what_is_all_paid_for_opens_nothing(stopped: Notebook, ask: Ask) -> None:
    ask("POST", "/emulator/v1/faults", json=NO_OPENING)
    ran = stopped.good(
        f"{RESUME} --budget 5m --max-jobs 9 --expect 2 --name unopened",
        "from qsession_widgets import current_session",
        "after = loop(2)",
        "session.log(energy=-1.0)",
        "seen = current_session() is session, repr(session), session.usage(), session.backend()",
        "seen += session.service is backend.service, session._active, len(session.metrics())",
    )
    assert LATER in ran.out
    assert stopped["after"] == stopped["before"]
    shown = (True, "<Session on aer, not opened>", 0.0, "aer", True, True, 1)
    assert stopped["seen"] == shown
    # nothing of it in the registry, and nothing that counts down
    assert not [note for note in notes().values() if note.name == "unopened"]
    at_once = snapshot()
    assert (at_once.opened_at, at_once.interactive_ttl, at_once.max_ttl) == (None, None, None)
    assert "Not opened" in stopped.good("%session status").displayed[0]["text/plain"]
    receipt = to_text(at_once)
    assert "opens with the first new job" in receipt
    assert "2 of 2 jobs reused, ≈ $" in receipt
    assert "is no longer bound and is not open yet" in stopped.good("%session unbind").out
    again = stopped.good("%session attach unopened").out
    assert LATER in again
    assert "open already" not in again
    said = stopped.good("%session close").out
    assert "No session was opened: 2 of 2 jobs reused, ≈ $" in said
    assert "none was opened" in to_text(snapshot())
    sentence = stopped("SamplerV2(mode=session).run([(turned(), [0.9])])").sentence()
    assert "it was ended before it was opened" in sentence
    assert stopped["session"].session_id is None
    assert stopped["session"].details() is None
    assert sessions(ask) == 1


def test_the_first_new_job_opens_it_as_it_was_asked_for(
    stopped: Notebook, ask: Ask, tmp_path: Path
) -> None:
    events = tmp_path / "events.jsonl"
    stopped.good(
        f"{RESUME} --name opened --tags mine --max-time 20m --budget 5m --max-jobs 3 --expect 4 "
        f"--idle-close 10m --on-crash close --strict --events {events}",
        "panel = session.panel()",
        "paid = [SamplerV2().run([(turned(), [n / 10])], shots=64) for n in range(2)]",
        "found = [(job.job_id(), job.result()[0].data.meas.get_counts()) for job in paid]",
    )
    assert stopped["found"] == stopped["before"]
    earlier = ask("GET", f"/jobs/{stopped['before'][0][0]}")["session_id"]
    assert [job.session_id for job in stopped["paid"]] == [earlier, earlier]
    early = [json.loads(line) for line in events.read_text().splitlines()]
    assert {(event["event"], event["session"]) for event in early} == {("job_done", "")}
    said = stopped.good(
        "job = SamplerV2().run([(turned(), [0.2])], shots=64)", "new = loop(4, begin=3)"
    ).out
    assert "This session on aer is open from here on." in said
    (opened,) = [note for note in notes().values() if note.name == "opened"]
    live = BINDING.bound
    assert live is not None
    session = stopped["session"]
    assert opened.bound
    assert opened.session_id == live.monitor.session_id == session.session_id
    assert sessions(ask) == 2
    assert opened.session_id in WATCHDOG._watched
    told = ask("GET", f"/sessions/{opened.session_id}")
    assert told["max_ttl"] == 1200
    now = snapshot()
    assert (now.max_ttl, now.budget_seconds, now.max_jobs, now.strict) == (1200, 300, 3, True)
    assert (now.idle_close, now.expected_jobs, now.mode) == (600, 4, "dedicated")
    assert [job.reused for job in now.jobs] == [True, True, False, False]
    assert stopped["panel"].facts["session_id"] == opened.session_id
    assert reused(now).of == 4  # type: ignore[union-attr]
    assert stopped["job"].session_id == opened.session_id
    ids = [stopped["job"].job_id(), *(job for job, _ in stopped["new"])]
    rows = [ask("GET", f"/jobs/{job}") for job in ids]
    assert all(row["session_id"] == opened.session_id and "mine" in row["tags"] for row in rows)

    def kinds() -> list[str]:
        told = [json.loads(line)["event"] for line in events.read_text().splitlines()]
        return told[len(early) :]

    assert kinds()[0] == "opened"
    wait_for(lambda: "job_done" in kinds(), "the event of the first job's end")
    # its rules hold: one job more, and none after that
    stopped.good("loop(5, begin=4)")
    assert "--max-jobs 3" in stopped("loop(6, begin=5)").said


def test_many_threads_open_it_once(stopped: Notebook, ask: Ask) -> None:
    stopped.good(
        RESUME,
        "from threading import Thread",
        "ids = []",
        "work = [Thread(target=loop, args=(3 + n,), kwargs={'begin': 2 + n}) for n in range(3)]",
        "work += [Thread(target=lambda: ids.append(session.session_id)) for _ in range(3)]",
        "for one in work: one.start()",
        "for one in work: one.join()",
    )
    assert sessions(ask) == 2
    assert len(set(stopped["ids"])) == 1
    assert accepted(ask) == 5


@pytest.mark.parametrize(
    "use", ["session.session_id", "session.details()['id']", "session.status() and ''"]
)
def test_the_first_use_of_its_id_opens_it(stopped: Notebook, ask: Ask, use: str) -> None:
    stopped.good(RESUME, "import copy", "same = copy.deepcopy(session) is session")
    assert (stopped["same"], sessions(ask)) == (True, 1)
    value = stopped.good(use).value
    assert sessions(ask) == 2
    assert value in ("", stopped["session"].session_id)
    assert "closed" in stopped.good("%session close").out


def test_an_opening_that_fails_then_is_one_sentence(stopped: Notebook, ask: Ask) -> None:
    ask("POST", "/emulator/v1/faults", json={**NO_OPENING, "status": 400})
    stopped.good(RESUME, "after = loop(2)")
    for _ in range(2):
        assert (
            "Could not open a session on aer: Not today" in stopped("loop(3, begin=2)").sentence()
        )
    assert (sessions(ask), accepted(ask)) == (1, 2)
    ask("DELETE", "/emulator/v1/faults")
    stopped.good("new = loop(4, begin=2)")
    assert (sessions(ask), accepted(ask)) == (2, 4)


def test_an_opening_whose_answer_is_lost_is_looked_for(stopped: Notebook, ask: Ask) -> None:
    stopped.good(RESUME, "after = loop(2)")
    lost = {"method": "POST", "path": "/sessions", "drop": True, "after": True, "delay": 1.0}
    ask("POST", "/emulator/v1/faults", json=lost)

    def silence() -> None:
        wait_for(lambda: not ask("GET", "/emulator/v1/faults")["faults"], "the request")
        blind = {"method": "GET", "path": "/workloads", "status": 503, "times": None}
        ask("POST", "/emulator/v1/faults", json=blind)

    thread = threading.Thread(target=silence)
    thread.start()
    sentence = stopped("loop(3, begin=2)").sentence()
    thread.join()
    assert "may have been accepted" in sentence
    assert "runs in this session" not in sentence
    ask("DELETE", "/emulator/v1/faults")
    stopped.good("loop(3, begin=2)")
    assert (sessions(ask), accepted(ask)) == (2, 3)


def interrupt(when: Callable[[], bool]) -> threading.Thread:
    """Interrupt the cell that is about to run, once something is so."""

    def work() -> None:
        wait_for(when, "the request")
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def interrupted(work: Notebook, ask: Ask, cell: str, **fault: Any) -> str:
    """What a cell says that is interrupted while it waits for an answer."""
    ask("POST", "/emulator/v1/faults", json={"delay": 60.0, "drop": True, **fault})
    before = sessions(ask)

    def waits() -> bool:
        if fault.get("after"):
            return sessions(ask) > before
        return not ask("GET", "/emulator/v1/faults")["faults"]

    thread = interrupt(waits)
    ran = work(cell)
    thread.join()
    ask("DELETE", "/emulator/v1/faults")
    assert isinstance(ran.error, KeyboardInterrupt), ran.said
    return ran.said


def test_an_interrupt_pays_nothing_twice(stopped: Notebook, ask: Ask) -> None:
    stopped.good(RESUME, "pass")
    interrupted(stopped, ask, "loop(2)", method="GET", path="/jobs/*")
    assert stopped.good("loop(2)").value == stopped["before"]
    cell = "loop(3, begin=2)"
    said = interrupted(stopped, ask, cell, method="POST", path="/sessions", after=True)
    assert "may be open. The next new job" in said
    stopped.good(cell)
    assert (sessions(ask), accepted(ask)) == (2, 3)
    live = BINDING.bound
    assert live is not None
    assert live.monitor.session_id in notes()


def interrupts(*_: Any, **__: Any) -> None:
    signal.raise_signal(signal.SIGINT)


def finds_no_room(*_: Any, **__: Any) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("does", "deferred"), [(interrupts, True), (interrupts, False), (finds_no_room, False)]
)
def test_a_session_is_closed_that_cannot_have_all_it_was_to_have(
    stopped: Notebook,
    ask: Ask,
    monkeypatch: pytest.MonkeyPatch,
    does: Callable[..., None],
    deferred: bool,
) -> None:
    cell = "%%session --service local --backend aer --name unready", "pass"
    if deferred:
        stopped.good(f"{RESUME} --name unready", "loop(2)")
        cell = ("loop(3, begin=2)",)
    with monkeypatch.context() as patched:
        patched.setattr(registration, "register", does)
        ran = stopped(*cell)
    if does is interrupts:
        assert isinstance(ran.error, KeyboardInterrupt)
        assert "It was closed again." in ran.said
    else:
        assert "No space left on device. It was closed again." in ran.sentence()
    assert [item["status"] for item in ask("GET", "/workloads")["workloads"]] == ["completed"] * 2
    assert not [note for note in notes().values() if note.name == "unready"]
    assert accepted(ask) == 2
    sentence = stopped("SamplerV2().run([(turned(), [0.9])])").sentence()
    assert "takes no more jobs: it was closed" in sentence
    stopped.good(RESUME, "SamplerV2().run([(turned(), [0.8])])")
    assert (sessions(ask), accepted(ask)) == (3, 3)


def test_a_kernel_that_dies_while_it_opens_has_not_finished(stopped: Notebook, ask: Ask) -> None:
    stopped.good(RESUME, "loop(2)")
    record = RUNS.record
    assert record is not None
    assert last_of(record.notebook) == (None, True)
    slow = {"method": "POST", "path": "/sessions", "delay": 1.0}
    ask("POST", "/emulator/v1/faults", json=slow)
    found = []

    def look() -> None:
        wait_for(lambda: not ask("GET", "/emulator/v1/faults")["faults"], "the request")
        # as the next kernel finds it, if this one is killed now
        found.append((sessions(ask), last_of(record.notebook)[0]))

    thread = threading.Thread(target=look)
    thread.start()
    stopped.good("loop(3, begin=2)")
    thread.join()
    ((opened, left),) = found
    assert (opened, left and left.id, left and left.jobs) == (1, record.id, 2)
    assert last_of(record.notebook) == (None, True)


def test_what_the_service_would_refuse_is_told_when_the_cell_starts(
    stopped: Notebook, ask: Ask, account: Callable[[str | None], None]
) -> None:
    began = stopped(f"{RESUME} --max-time 9h", "began = True")
    assert "28800" in began.said
    assert "began" not in stopped
    run_id = end_with(stopped, "loop(1)")
    stopped.good("%session close")
    account("bob")
    said = stopped("%%session --service ibm --backend aer --resume", "began = True").out
    assert "This plan has no sessions (the service said 1352)" in said
    assert stopped["session"].session_id is None
    assert run_id


def test_a_batch_and_with_blocks_open_nothing_either(stopped: Notebook, ask: Ask) -> None:
    ask("POST", "/emulator/v1/faults", json=NO_OPENING)
    said = stopped(
        "%%batch --service local --backend aer --resume --once", "loop(2)", "raise ValueError"
    ).out
    assert "A batch opens with the first new job" in said
    assert "No batch was opened: 2 of 2 jobs reused" in said
    RUNS.reset()
    ran = stopped.good(
        "from qsession_widgets import open_session",
        "with open_session('aer', service='local', resume=True) as session:",
        "    after = loop(1)",
        "with open_session('aer', service='local', resume=True) as session:",
        "    after += loop(2, begin=1)",
        "session.close()",
    )
    assert ran.out.count("No session was opened: ") == 2
    assert stopped["after"] == stopped["before"]
    assert sessions(ask) == 1


def test_a_cell_without_resume_opens_what_was_deferred(stopped: Notebook, ask: Ask) -> None:
    stopped.good(RESUME, "loop(2)")
    assert sessions(ask) == 1
    stopped.good("%%session --service local --backend aer", "loop(1)")
    assert (sessions(ask), accepted(ask)) == (2, 3)


def test_a_simulation_is_that_of_the_session_to_come(work: Notebook, ask: Ask) -> None:
    line = f"{RESUME} --local-noise none --local-precision-limit 0.02"
    work(line, "before = loop(2)", "raise ZeroDivisionError")
    RUNS.reset()
    work.good("%session close")
    work.good(line, "after = loop(2)")
    assert work["after"] == work["before"]
    assert sessions(ask) == 1
    work.good("loop(3)")
    told = ask("GET", f"/emulator/v1/sessions/{work['session'].session_id}/simulation")
    assert (told["noise"], told["precision_limit"]) == ("none", 0.02)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_child_opens_nothing(stopped: Notebook, ask: Ask) -> None:
    stopped.good(RESUME, "loop(2)")
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            said = stopped("loop(3, begin=2)").said + stopped("session.session_id").said
            os.write(write, said.encode())
        finally:
            os.kill(os.getpid(), 9)
    os.close(write)
    os.waitpid(child, 0)
    with os.fdopen(read) as answer:
        said = answer.read()
    assert said.count("belongs to the process that this one was forked from") == 2
    assert sessions(ask) == 1
    stopped.good("loop(3, begin=2)")
    assert (sessions(ask), accepted(ask)) == (2, 3)
