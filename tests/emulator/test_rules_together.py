"""Where the session's rules meet, and what is refused."""

from __future__ import annotations

import pytest
from emulator.lifecycles import (
    FEZ,
    PLAN,
    active_session,
    emulator,
    job,
    opened,
    statuses,
)

from qsession_widgets.emulator.rules.lifecycle import Lifecycle
from qsession_widgets.emulator.rules.records import (
    Backend,
    EmulatedJob,
    Plan,
)
from qsession_widgets.emulator.rules.refusals import Refusal


def test_timeouts_and_durations_of_zero_are_over_at_once():
    service = emulator()
    service.open_session(0, "mine", FEZ, "dedicated", "crn", Plan(interactive_ttl=0.0))
    service.submit(1, job("first", "mine", load=0.0))
    assert statuses(service) == {"first": "Completed"}
    assert service.sessions["mine"].state == "inactive"
    assert service.usage("mine", 100) == 0


def test_cancelling_the_last_queued_job_starts_the_interactive_timeout_then():
    service = active_session()
    service.pause(110)
    service.submit(111, job("queued", "mine"))
    service.cancel_job(400, "queued")
    assert service.next_deadline() == 460


def test_a_job_that_is_stopped_counts_as_what_the_device_had_run_of_it():
    service = active_session()
    counted = service.sessions["mine"].device_seconds
    for name, until, takes in (("unknown", 130, None), ("long", 150, 16.0), ("short", 180, 16.0)):
        service.submit(until - (10 if name == "long" else 20), job(name, "mine"))
        if takes is not None:
            service.plan(name, takes)
        assert service.planned("mine") == takes
        service.cancel_job(until, name)
        counted += {"unknown": service.device_least, "long": 10, "short": 16}[name]
        assert service.sessions["mine"].device_seconds == counted
        assert service.planned("mine") is None
    service.close_session(190, "mine")
    service.submit(191, job("another's"))
    service.plan("another's", 3.0)
    assert service.planned("mine") is None


def test_cancelling_after_closing_cancels_what_was_to_run():
    service = active_session()
    service.submit(120, job("running", "mine"))
    service.submit(121, job("queued", "mine"))
    service.close_session(130, "mine")
    service.cancel_session(131, "mine")
    assert statuses(service)["queued"] == "Cancelled"
    assert service.sessions["mine"].state_reason == "session_cancelled"
    service.close_session(132, "mine")
    assert service.sessions["mine"].state_reason == "session_cancelled"


def test_closing_and_cancelling_what_is_closed_changes_nothing():
    service = active_session()
    service.close_session(120, "mine")
    before = service.sessions["mine"]
    service.close_session(130, "mine")
    service.cancel_session(140, "mine")
    assert service.sessions["mine"] == before


def test_a_batch_goes_first_but_keeps_nobody_out():
    service = emulator(lanes=2)
    opened(service, 0, "batch", "batch")
    service.submit(0, job("b1", "batch"))
    service.submit(1, job("stranger"))
    assert statuses(service)["stranger"] == "Running", "a lane is free"
    service.submit(2, job("other stranger"))
    service.submit(3, job("b2", "batch"))
    service.finish(10, "stranger")
    assert statuses(service)["b2"] == "Running"
    assert statuses(service)["other stranger"] == "Queued"


def test_a_session_waits_until_the_backend_is_empty():
    service = emulator(lanes=3)
    service.submit(0, job("x"))
    service.submit(0, job("y"))
    opened(service, 0, "mine")
    service.submit(1, job("first", "mine"))
    service.submit(2, job("behind"))
    service.finish(10, "x")
    assert statuses(service)["first"] == statuses(service)["behind"] == "Queued"
    service.finish(20, "y")
    assert statuses(service)["first"] == "Running"
    assert statuses(service)["behind"] == "Queued"


def test_several_sessions_on_a_simulator_take_turns():
    service = emulator(exclusive=False)
    opened(service, 0, "one")
    opened(service, 0, "two")
    service.submit(0, job("a1", "one"))
    service.submit(1, job("b1", "two"))
    service.finish(2, "a1")  # both are active from now on
    service.submit(3, job("b2", "two"))
    service.submit(4, job("a2", "one"))
    service.finish(5, "b1")
    assert [running.id for running in service.running(FEZ)] == ["b2"], "it waited longer"


def test_cancelling_the_next_job_of_a_session_does_not_lose_its_place():
    service = emulator(exclusive=False)
    opened(service, 0, "mine")
    service.submit(0, job("first", "mine"))
    service.submit(1, job("stranger"))
    service.submit(2, job("second", "mine"))
    service.submit(3, job("third", "mine"))
    service.cancel_job(4, "second")
    service.finish(5, "first")
    assert [running.id for running in service.running(FEZ)] == ["third"]


def test_time_never_runs_backwards():
    service = active_session()
    service.submit(50, job("from a clock that was set back", "mine"))
    assert service.jobs["from a clock that was set back"].created == 110
    assert service.sessions["mine"].last_job_started == 110


def test_refusals_name_what_is_wrong_and_change_nothing():
    service = active_session()
    for event, status in [
        (lambda: service.submit(111, EmulatedJob("x", "sampler", "ibm_nowhere", "crn", 0.0)), 404),
        (lambda: service.submit(111, job("x", "nobody's")), 404),
        (lambda: service.open_session(111, "x", "ibm_nowhere", "batch", "crn", PLAN), 404),
        (lambda: service.open_session(111, "x", FEZ, "batch", "crn", PLAN, 0.5), 400),
        (lambda: service.open_session(111, "x", FEZ, "batch", "crn", PLAN, 601.0), 400),
        (lambda: service.open_session(111, "x", FEZ, "batch", "crn", PLAN, float("nan")), 400),
        (lambda: service.cancel_job(111, "x"), 404),
        (lambda: service.cancel_job(111, "first"), 409),
        (lambda: service.delete_job(111, "x"), 404),
        (lambda: service.close_session(111, "x"), 404),
        (lambda: service.cancel_session(111, "x"), 404),
    ]:
        with pytest.raises(Refusal) as refusal:
            event()
        assert refusal.value.status == status
        assert refusal.value.solution
    assert set(service.jobs) == {"first"}
    assert set(service.sessions) == {"mine"}


def test_a_session_takes_no_job_for_another_backend():
    service = Lifecycle([Backend(FEZ), Backend("ibm_kingston")])
    opened(service, 0, "mine")
    with pytest.raises(Refusal, match="ibm_fez, not on ibm_kingston"):
        service.submit(1, EmulatedJob("x", "sampler", "ibm_kingston", "crn", 0.0, "mine"))


def test_a_running_job_is_not_deleted_and_a_deleted_one_is_not_announced():
    service = emulator()
    service.submit(0, job("a"))
    with pytest.raises(Refusal, match="Running"):
        service.delete_job(1, "a")
    service.cancel_job(2, "a")
    service.delete_job(3, "a")
    changes = service.take_changes()
    assert not changes.jobs
    assert not changes.start
    assert not changes.stop
