"""Sessions that end by themselves, and cells that fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from qsession_widgets.sessions.binding import BINDING

from .cells import Notebook, wait_for
from .conftest import CIRCUITS

LOCAL = "%%session --service local --backend aer"
JOB = "job = SamplerV2().run([(measured,)])"


def _hear(notebook: Notebook, words: str, said: str = "") -> None:
    """Run cells until one is told something, for a guard closes first and says so then."""

    def told() -> bool:
        nonlocal said
        said += notebook.good("pass").out
        return words in said

    wait_for(told, f"hearing {words!r}")


def test_an_idle_session_is_closed_and_the_next_cell_hears_of_it(
    notebook: Notebook, ask: Callable[..., Any]
) -> None:
    ran = notebook.good(f"{LOCAL} --idle-close 1s", "pass")
    session = notebook["session"]
    wait_for(lambda: session.snapshot.state == "closed", "the close")
    assert ask("GET", f"/sessions/{session.session_id}")["state"] == "closed"
    ended = "Session closed. It was ended because nothing was pending for 1.0 s"
    _hear(notebook, ended, ran.said)
    assert "takes no more jobs" in notebook(CIRCUITS, JOB).sentence()


def test_a_spent_budget_refuses_jobs_and_closes(
    notebook: Notebook, ask: Callable[..., Any]
) -> None:
    notebook.good(CIRCUITS)
    ran = notebook(
        f"{LOCAL} --budget 4s",
        "sent = 0",
        "while True:",
        "    job = SamplerV2().run([(measured,)])",
        "    sent += 1",
        "    job.result()",
    )
    # 4096 shots are 3.4 s
    assert notebook["sent"] == 1
    refused = ("budget of this session would be exceeded", "is spent", "takes no more jobs")
    assert any(words in ran.said for words in refused)
    assert "Traceback" not in ran.said
    session = notebook["session"]
    wait_for(lambda: session.snapshot.state == "closed", "the close")
    # by the job that was running, or by what the next would add
    _hear(notebook, "It was ended because its budget", ran.said)


def test_a_job_on_its_way_keeps_an_idle_session_open(
    notebook: Notebook, ask: Callable[..., Any]
) -> None:
    notebook.good(CIRCUITS)
    notebook.good(f"{LOCAL} --idle-close 1s", "pass")
    session = notebook["session"]
    # as the service is slow to accept it, nothing is pending for longer than that
    fault = {"method": "POST", "path": "/jobs", "delay": 3.0, "times": 1}
    ask("POST", "/emulator/v1/faults", json=fault)
    notebook.good(JOB, "job.result()")
    wait_for(lambda: session.snapshot.state == "closed", "the close afterwards")


def test_a_budget_cancels_what_is_queued(notebook: Notebook, ask: Callable[..., Any]) -> None:
    notebook.good(CIRCUITS)
    notebook.good(
        f"{LOCAL} --budget 110s",
        # 37 s on a device: there is time for one more, and none for two
        "jobs = [SamplerV2().run([(measured,)], shots=100_000)]",
        "jobs[0].result()",
    )
    session = notebook["session"]
    wait_for(lambda: session.snapshot.jobs[0].charged_seconds, "what the first job took")
    ask("POST", "/emulator/v1/faults/queue", json={"paused": True})
    try:
        more = "jobs.append(SamplerV2().run([(measured,)], shots=100_000))"
        notebook.good(more)
        refused = notebook(more)
        assert "would be exceeded" in refused.sentence()
        assert "a job is expected to take 37 s" in refused.sentence()
        ask("POST", "/emulator/v1/faults/clock", json={"advance": 40})
        wait_for(lambda: session.snapshot.state == "closed", "the end")
        jobs = ask("GET", "/jobs", params={"session_id": session.session_id})["jobs"]
        assert sorted(job["status"] for job in jobs) == ["Cancelled", "Completed"]
    finally:
        ask("POST", "/emulator/v1/faults/queue", json={"paused": False})
    ended = "1 queued job cancelled. It was ended because its budget would be exceeded"
    _hear(notebook, ended, refused.said)


def test_the_last_of_so_many_jobs_closes_it_whoever_sends_at_once(
    notebook: Notebook, ask: Callable[..., Any]
) -> None:
    notebook.good(CIRCUITS)
    ran = notebook.good(
        f"{LOCAL} --max-jobs 3",
        "from concurrent.futures import ThreadPoolExecutor",
        "from qsession_widgets import UserError",
        "def send(_):",
        "    try:",
        "        return SamplerV2().run([(measured,)], shots=1).result()",
        "    except UserError as error:",
        "        return str(error)",
        "with ThreadPoolExecutor(6) as pool:",
        "    found = list(pool.map(send, range(6)))",
    )
    refused = [each for each in notebook["found"] if isinstance(each, str)]
    assert len(refused) == 3
    assert all("as many jobs as it may have" in sentence for sentence in refused), refused
    session = notebook["session"]
    wait_for(lambda: session.snapshot.state == "closed", "the end")
    jobs = ask("GET", "/jobs", params={"session_id": session.session_id})["jobs"]
    assert [job["status"] for job in jobs] == ["Completed"] * 3
    assert session.snapshot.end_reason == "max_jobs"
    ended = "It was ended because as many jobs as it may have were sent (--max-jobs 3)"
    _hear(notebook, ended, ran.said)
    (shown,) = notebook.good("%session receipt").displayed
    assert "(--max-jobs 3)" in shown["text/plain"]


def test_a_failed_cell_leaves_the_session_open_and_says_what_it_costs(
    circuits: Notebook, ask: Callable[..., Any]
) -> None:
    ask("POST", "/emulator/v1/faults/queue", json={"paused": True})
    ran = circuits(JOB, "1 / 0")
    ask("POST", "/emulator/v1/faults/queue", json={"paused": False})
    assert isinstance(ran.error, ZeroDivisionError)
    assert "The cell failed, and its session on aer stays open; 1 job goes on." in ran.out
    assert "$48.00 a minute while active (list price of Premium). %session close ends" in ran.out
    assert circuits["session"].snapshot.accepting_jobs


def test_a_cell_without_a_job_may_fail_without_a_word(circuits: Notebook) -> None:
    assert "stays open" not in circuits("1 / 0").said


@pytest.mark.parametrize(("action", "word"), [("close", "clos"), ("cancel", "cancelled")])
def test_a_failed_cell_can_end_its_session(
    notebook: Notebook, ask: Callable[..., Any], action: str, word: str
) -> None:
    notebook.good(CIRCUITS)
    ran = notebook(f"{LOCAL} --on-error {action}", JOB, "1 / 0")
    assert isinstance(ran.error, ZeroDivisionError)
    assert f"Session {word}" in ran.out
    assert f"The cell failed (--on-error {action})." in ran.out
    state = ask("GET", f"/sessions/{notebook['session'].session_id}")
    assert state["accepting_jobs"] is False
    assert BINDING.bound is None


def test_a_keyboard_interrupt_is_passed_on(circuits: Notebook) -> None:
    ran = circuits(JOB, "raise KeyboardInterrupt")
    assert isinstance(ran.error, KeyboardInterrupt)
    assert "The cell was interrupted" in ran.out


def test_an_interrupt_between_two_statements_is_told_too(
    circuits: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_code = circuits.shell.run_code

    async def interrupted(*args: Any, **kwargs: Any) -> bool:
        await run_code(*args, **kwargs)
        raise KeyboardInterrupt

    monkeypatch.setattr(circuits.shell, "run_code", interrupted)
    ran = circuits("%%session", "first = 1", "second = 2")
    assert isinstance(ran.error, KeyboardInterrupt)
    assert "was interrupted, and its session" in ran.out


def test_a_cell_that_opened_nothing_says_nothing_of_another_session(circuits: Notebook) -> None:
    ran = circuits("%%session --service local --backend fake_manila", "pass")
    assert "stays open" not in ran.said
