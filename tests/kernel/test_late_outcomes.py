"""Requests that were given up and take effect all the same: nothing is paid twice unsaid."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any

import pytest

from qsession_widgets.client import unknown_outcome
from qsession_widgets.client.opening_outcome import Opening
from qsession_widgets.client.rest import ServiceClient
from qsession_widgets.emulator.process.connection_file import Connection
from qsession_widgets.registry import openings, submits
from qsession_widgets.sessions.binding import BINDING

from .cells import Notebook, wait_for
from .conftest import CIRCUITS
from .lost_answers import RUN, forget_openings, jobs, meanwhile, spoil

Ask = Callable[..., Any]

OPEN = "%%session --service local --backend aer --max-time 9m"
DROPPED = {"drop": True}
GIVEN_UP = {"status": 504}


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(unknown_outcome, "LATE", 0.05)
    monkeypatch.setattr(unknown_outcome, "PAUSES", (0.05, 0.05, 0.05))
    monkeypatch.setattr(unknown_outcome, "LOOK_PAUSES", (0.0, 0.05, 0.05))
    monkeypatch.setattr(unknown_outcome, "ASK_AGAIN", (0.1, 0.2))
    monkeypatch.setattr(unknown_outcome, "WHILE_ON_ITS_WAY", 0.1)
    monkeypatch.setattr(unknown_outcome, "ON_ITS_WAY", 5.0)
    forget_openings()
    yield
    forget_openings()


def sessions(ask: Ask) -> list[str]:
    return [item["id"] for item in ask("GET", "/workloads")["workloads"]]


def told(notebook: Notebook, words: str) -> str:
    """What a notebook says once certain words are in it."""
    said: list[str] = []

    def there() -> bool:
        said.append(notebook("pass").out)
        return words in said[-1]

    wait_for(there, words)
    return said[-1]


def interrupt(when: Callable[[], bool]) -> Thread:
    def work() -> None:
        wait_for(when, "the request")
        os.kill(os.getpid(), signal.SIGINT)

    thread = Thread(target=work)
    thread.start()
    return thread


def test_what_a_gateway_gave_up_is_waited_for(notebook: Notebook, ask: Ask) -> None:
    notebook.good(CIRCUITS)
    spoil(ask, "POST", "/sessions", **GIVEN_UP, late=1.0)
    notebook.good(OPEN, "pass")
    spoil(ask, "POST", "/jobs", **GIVEN_UP, late=1.0)
    notebook.good(RUN, "job.result()")
    assert len(sessions(ask)) == len(jobs(ask)) == 1
    assert submits.pending() == []


def test_the_late_twin_of_a_job_is_cancelled_and_told(circuits: Notebook, ask: Ask) -> None:
    ask("POST", "/emulator/v1/faults/queue", json={"paused": True})
    spoil(ask, "POST", "/jobs", **DROPPED, late=1.0)
    circuits.good(RUN)
    mine = circuits["job"].job_id()
    assert "A job was accepted twice" in (said := told(circuits, f"the twin of {mine}, was cancel"))
    states = {job["id"]: job["status"] for job in jobs(ask)}
    (twin,) = states.keys() - {mine}
    assert twin in said
    assert (states[mine], states[twin]) == ("Queued", "Cancelled")
    wait_for(lambda: submits.pending() == [], "the end of the watch")


def test_the_late_twin_of_a_session_is_named_and_left(notebook: Notebook, ask: Ask) -> None:
    spoil(ask, "POST", "/sessions", **DROPPED, late=1.0)
    notebook.good(OPEN, "pass")
    assert BINDING.bound is not None
    mine = BINDING.bound.monitor.session_id
    said = told(notebook, f"A second session was opened beside {mine}")
    (twin,) = set(sessions(ask)) - {mine}
    assert f"%session close {twin} ends it" in said
    assert ask("GET", f"/sessions/{twin}")["accepting_jobs"]


@pytest.mark.parametrize("then", [{"status": 500, "times": 3}, {"status": 400}], ids=str)
def test_a_job_that_was_told_to_have_failed_is_told_when_it_comes(
    circuits: Notebook, ask: Ask, monkeypatch: pytest.MonkeyPatch, then: dict[str, Any]
) -> None:
    # later than four requests take, and sooner than it is given up
    monkeypatch.setattr(unknown_outcome, "ON_ITS_WAY", 30.0)
    spoil(ask, "POST", "/jobs", status=500, late=6.0)
    spoil(ask, "POST", "/jobs", **then)
    assert "Could not submit the sampler job" in circuits(RUN).sentence()
    said = told(circuits, "had been accepted, as job")
    (only,) = jobs(ask)
    assert only["id"] in said
    circuits.good(RUN)
    assert circuits["job"].job_id() == only["id"]
    assert len(jobs(ask)) == 1


def test_one_empty_look_after_an_interrupt_proves_nothing(
    notebook: Notebook, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unknown_outcome, "ON_ITS_WAY", 20.0)
    notebook.good(CIRCUITS)
    for path, cell, made in (
        ("/sessions", (OPEN, "pass"), sessions),
        ("/jobs", (RUN, "job.result()"), jobs),
    ):
        spoil(ask, "POST", path, **DROPPED, delay=60.0, late=4.0)
        thread = interrupt(lambda: not ask("GET", "/emulator/v1/faults")["faults"])
        ran = notebook(*cell)
        thread.join()
        assert isinstance(ran.error, KeyboardInterrupt)
        again = notebook.good(*cell)
        assert "may have been accepted: the service is asked" in ran.said + again.said
        assert "was not accepted" not in ran.said + again.said
        assert len(made(ask)) == 1, f"not sent again: {again.out}"


def test_an_end_that_was_interrupted_is_told_when_it_takes_effect(
    circuits: Notebook, ask: Ask
) -> None:
    spoil(ask, "PATCH", "/sessions/*", **DROPPED, delay=60.0, late=0.5)
    thread = interrupt(lambda: not ask("GET", "/emulator/v1/faults")["faults"])
    circuits.good("try:", "    session.close()", "except KeyboardInterrupt:", "    stopped = True")
    thread.join()
    assert circuits["stopped"]
    assert "The request to close the session took effect" in told(circuits, "took effect.")
    assert "no more jobs: it was closed. Open a new one" in circuits(RUN).sentence()
    assert circuits["session"].snapshot.end_reason == "notebook"


def test_a_late_one_that_was_replaced_is_its_twin(
    circuits: Notebook, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unknown_outcome, "GIVEN_UP", 0.0)
    monkeypatch.setattr(unknown_outcome, "ON_ITS_WAY", 30.0)
    ask("POST", "/emulator/v1/faults/queue", json={"paused": True})
    spoil(ask, "POST", "/jobs", **DROPPED, delay=60.0, late=5.0)
    thread = interrupt(lambda: not ask("GET", "/emulator/v1/faults")["faults"])
    # caught, for to show its traceback takes a second
    circuits.good("try:", f"    {RUN}", "except KeyboardInterrupt:", "    pass")
    thread.join()
    circuits.good(RUN)
    said = told(circuits, "the first one, job")
    mine = circuits["job"].job_id()
    states = {job["id"]: job["status"] for job in jobs(ask)}
    assert mine not in said
    assert sorted(states.values()) == ["Cancelled", "Queued"]
    assert states[mine] == "Queued"


def test_what_another_request_under_way_may_have_opened_is_named(
    notebook: Notebook, ask: Ask
) -> None:
    """The request has no effect, while that of another notebook has, whose answer is late."""
    asked: dict[str, Any] = {"backend": "aer", "mode": "dedicated", "max_time": 540}
    spoil(ask, "POST", "/sessions", drop=True, delay=1.0)
    others = meanwhile(ask, {"backend": "aer", "max_ttl": 540})

    def other() -> None:
        wait_for(lambda: bool(openings.pending()), "the request")
        (mine,) = openings.pending()
        openings.note(**asked, url=mine.url, instance="", begun=mine.begun, before=[])

    thread = Thread(target=other)
    thread.start()
    sentence = notebook(OPEN).sentence()
    thread.join()
    (theirs,) = others()
    opened = f"session {theirs} was opened meanwhile, which may be yours or that of"
    assert f"{opened} an earlier request from here" in sentence, "it is of this process, too"
    assert "neither taken up nor closed" in sentence
    assert sessions(ask) == [theirs]


def test_a_conflict_is_no_refusal_where_an_earlier_request_may_have_opened_it(
    notebook: Notebook, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unknown_outcome, "ON_ITS_WAY", 30.0)
    # sent twice, so that a twin of it may come for a while
    spoil(ask, "POST", "/sessions", status=500)
    notebook.good(OPEN, "pass")
    (first,) = sessions(ask)
    spoil(ask, "POST", "/sessions", status=409, after=True)
    sentence = notebook(f"{OPEN} --another").sentence()
    (second,) = set(sessions(ask)) - {first}
    assert f"session {second} was opened meanwhile, which may be yours or that of" in sentence


def test_a_session_that_another_request_is_answered_with_meanwhile_is_no_twin(
    ask: Ask, emulator: Connection
) -> None:
    answered: set[str] = set()
    line = ServiceClient.with_key(emulator.api, emulator.key, emulator.crn)
    # after the list was read, and before it is asked whether the other one is under way
    opening = Opening(
        line, "aer", "dedicated", None, answered.__contains__, lambda one, _: answered.add(one)
    )
    made = ask("POST", "/sessions", json={"mode": "dedicated", "backend": "aer"})["id"]
    assert opening.uncontested() == []
    assert answered == {made}
    line.close()
