"""One plain example of each rule in CONTRIBUTING.md's table."""

from __future__ import annotations

from contextlib import contextmanager, suppress

import pytest
from emulator.lifecycles import (
    FEZ,
    active_session,
    emulator,
    job,
    opened,
    statuses,
)

from qsession_widgets.emulator.rules.records import (
    PLANS,
)
from qsession_widgets.emulator.rules.refusals import Refusal


def test_rule_01_opening_queues_nothing_and_the_first_job_enters_the_normal_queue():
    service = emulator()
    service.submit(0, job("running"))
    service.submit(1, job("before"))
    opened(service, 2, "mine")
    assert [waiting.id for waiting in service.queue(FEZ)] == ["before"]
    service.submit(3, job("first", "mine"))
    service.submit(4, job("after"))
    assert [waiting.id for waiting in service.queue(FEZ)] == ["before", "first", "after"]
    service.finish(10, "running")
    assert [running.id for running in service.running(FEZ)] == ["before"]
    assert service.sessions["mine"].state == "open"


def test_rule_02_the_maximum_time_starts_with_the_first_job_and_never_pauses():
    service = emulator()
    service.submit(0, job("running"))
    opened(service, 0, "mine")
    service.submit(1, job("first", "mine"))
    assert service.sessions["mine"].started_at is None
    service.finish(100, "running")
    assert service.sessions["mine"].started_at == 100
    service.finish(110, "first")
    service.advance(699)  # most of it deactivated
    assert service.sessions["mine"].state == "inactive"
    service.advance(700)
    assert service.sessions["mine"].state == "closed"
    assert service.sessions["mine"].closed_at == 700


def test_rule_03_while_the_session_is_active_its_jobs_go_first():
    service = active_session()
    service.submit(111, job("stranger"))
    assert statuses(service)["stranger"] == "Queued", "the backend is held, though idle"
    service.submit(112, job("second", "mine"))
    service.submit(112, job("third", "mine"))
    service.finish(120, "second")
    assert statuses(service)["third"] == "Running"
    assert statuses(service)["stranger"] == "Queued"


def test_rule_04_the_interactive_timeout_deactivates_and_the_normal_queue_goes_on():
    service = active_session()
    service.submit(111, job("stranger"))
    assert service.next_deadline() == 170
    service.advance(170)
    session = service.sessions["mine"]
    assert (session.state, session.state_reason) == (
        "inactive",
        "session_inactivated_by_interactive_ttl",
    )
    assert session.accepting_jobs
    assert service.jobs["stranger"].started == 170


def test_rule_04_the_interactive_timeout_does_not_run_while_a_job_is_queued_or_running():
    service = active_session()
    service.submit(120, job("long", "mine"))
    service.submit(121, job("next", "mine"))
    service.advance(400)
    assert service.sessions["mine"].state == "active"
    service.finish(400, "long")
    service.advance(550)
    assert service.sessions["mine"].state == "active"
    service.finish(550, "next")
    assert service.next_deadline() == 610


def test_rule_05_a_later_job_reactivates_through_the_normal_queue():
    service = active_session()
    service.advance(170)
    service.submit(180, job("stranger"))
    service.submit(181, job("patient stranger"))
    service.submit(190, job("again", "mine"))
    service.finish(200, "stranger")
    assert statuses(service)["patient stranger"] == "Running"
    assert service.sessions["mine"].state == "inactive"
    service.finish(210, "patient stranger")
    session = service.sessions["mine"]
    assert (session.state, session.activated_at, session.started_at) == ("active", 210, 100)


def test_rule_06_at_the_maximum_time_queued_jobs_fail_and_a_running_one_finishes():
    service = active_session()
    service.submit(120, job("running", "mine"))
    service.submit(121, job("queued", "mine"))
    service.submit(122, job("stranger"))
    service.advance(700)
    queued = service.jobs["queued"]
    assert (queued.status, queued.reason_code, queued.finished) == ("Failed", 1217, 700)
    assert statuses(service)["running"] == "Running"
    assert not service.sessions["mine"].accepting_jobs
    assert statuses(service)["stranger"] == "Queued"
    service.finish(720, "running")
    assert statuses(service)["running"] == "Completed"
    assert service.sessions["mine"].closed_at == 720
    assert service.jobs["stranger"].started == 720


def test_rule_07_cancel_cancels_queued_jobs_and_lets_a_running_one_finish():
    service = active_session()
    service.submit(120, job("running", "mine"))
    service.submit(121, job("queued", "mine"))
    service.cancel_session(130, "mine")
    assert statuses(service)["queued"] == "Cancelled"
    assert statuses(service)["running"] == "Running"
    assert service.take_changes().stop == []
    with pytest.raises(Refusal) as refusal:
        service.submit(131, job("late", "mine"))
    assert refusal.value.code == 1217
    assert "late" not in service.jobs
    service.finish(140, "running")
    assert service.sessions["mine"].closed_at == 140


def test_rule_08_close_accepts_nothing_more_and_runs_what_is_queued_with_priority():
    service = active_session()
    service.submit(120, job("running", "mine"))
    service.submit(121, job("stranger"))
    service.submit(122, job("queued", "mine"))
    service.close_session(130, "mine")
    with pytest.raises(Refusal) as refusal:
        service.submit(131, job("late", "mine"))
    assert refusal.value.code == 1217
    service.finish(140, "running")
    assert statuses(service)["queued"] == "Running"
    assert service.sessions["mine"].state == "active"
    service.finish(150, "queued")
    assert service.sessions["mine"].closed_at == 150
    assert statuses(service)["stranger"] == "Running"


def test_rule_09_leaving_a_with_block_closes_and_does_not_cancel():
    # The client's `Session.__exit__` calls close(), also after an exception: this is what follows.
    service = emulator()

    @contextmanager
    def block(name):
        opened(service, 0, name)
        try:
            yield
        finally:
            service.close_session(10, name)

    with suppress(KeyboardInterrupt), block("mine"):
        service.submit(1, job("running", "mine"))
        service.submit(2, job("queued", "mine"))
        raise KeyboardInterrupt
    assert statuses(service) == {"running": "Running", "queued": "Queued"}
    service.finish(20, "running")
    service.finish(30, "queued")
    assert statuses(service) == {"running": "Completed", "queued": "Completed"}
    assert service.sessions["mine"].closed_at == 30


def test_rule_10_no_sessions_on_the_open_plan_but_batches_and_job_mode():
    service = emulator()
    with pytest.raises(Refusal) as refusal:
        service.open_session(0, "mine", FEZ, "dedicated", "crn", PLANS["open"])
    assert (refusal.value.status, refusal.value.code) == (400, 1352)
    assert service.sessions == {}
    assert service.open_session(0, "batch", FEZ, "batch", "crn", PLANS["open"]).max_ttl == 600
    service.submit(1, job("in the batch", "batch"))
    service.submit(1, job("alone"))
    assert set(service.jobs) == {"in the batch", "alone"}


def test_rule_11_a_session_that_never_ran_a_job_closes_by_itself():
    service = emulator()
    opened(service, 0, "mine")
    assert service.next_deadline() == 1800
    service.advance(1799.9)
    assert service.sessions["mine"].state == "open"
    service.advance(1800)
    assert service.sessions["mine"].state == "closed"
    assert service.usage("mine", 2000) == 0


def test_rule_11_close_on_an_empty_session_closes_at_once():
    service = emulator()
    opened(service, 0, "mine")
    service.close_session(5, "mine")
    assert (service.sessions["mine"].state, service.sessions["mine"].closed_at) == ("closed", 5)


def test_rule_11_a_session_whose_first_job_waits_stays():
    service = emulator()
    service.submit(0, job("running"))
    opened(service, 0, "mine")
    service.submit(10, job("first", "mine"))
    service.advance(3000)
    assert service.sessions["mine"].state == "open"
    service.finish(3000, "running")
    assert service.sessions["mine"].state == "active"


def test_rule_11_a_session_kept_by_a_waiting_job_closes_when_that_is_cancelled_too_late():
    service = emulator()
    service.submit(0, job("running"))
    opened(service, 0, "mine")
    opened(service, 0, "yours")
    service.submit(10, job("first", "mine"))
    service.submit(10, job("in time", "yours"))
    service.cancel_job(1799, "in time")
    assert service.sessions["yours"].state == "open"
    service.cancel_job(1900, "first")
    assert service.sessions["yours"].closed_at == 1800
    assert service.sessions["mine"].closed_at == 1900


def test_rule_12_usage_is_the_time_active_idle_time_included_and_deactivated_time_not():
    service = active_session()  # active from 100
    assert service.usage("mine", 130) == 30
    service.advance(170)  # deactivated at 170
    assert service.usage("mine", 300) == 70
    service.submit(300, job("again", "mine"))
    assert service.usage("mine", 310) == 80
    service.finish(310, "again")
    service.close_session(320, "mine")
    assert service.usage("mine", 999) == 90


def test_rule_12_usage_of_a_batch_is_the_qpu_time_of_its_jobs():
    service = emulator()
    opened(service, 0, "batch", "batch")
    service.submit(0, job("a", "batch"))
    service.submit(0, job("b", "batch"))
    service.finish(50, "a", qpu_seconds=4.0)
    service.begun(58.5, "b")
    service.cancel_job(60, "b")
    assert service.usage("batch", 90) == 5.5
    service.delete_job(70, "a")
    assert service.usage("batch", 90) == 5.5, "a deleted job was still paid for"
