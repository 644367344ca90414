"""What happens exactly at a boundary: what is due happens before what is told."""

from __future__ import annotations

import pytest
from emulator.lifecycles import (
    active_session,
    emulator,
    job,
    opened,
    restarted,
    statuses,
)

from qsession_widgets.emulator.rules.refusals import Refusal


def test_a_job_submitted_exactly_at_the_interactive_timeout_queues_behind_those_waiting():
    service = active_session()
    service.submit(111, job("stranger"))
    service.submit(170, job("late", "mine"))
    assert statuses(service)["stranger"] == "Running"
    assert statuses(service)["late"] == "Queued"
    assert service.sessions["mine"].state == "inactive"


def test_a_job_submitted_just_before_the_interactive_timeout_keeps_the_session():
    service = active_session()
    service.submit(111, job("stranger"))
    service.submit(169.999, job("in time", "mine"))
    assert statuses(service)["in time"] == "Running"
    assert statuses(service)["stranger"] == "Queued"


def test_a_job_submitted_exactly_at_the_maximum_time_is_refused():
    service = active_session()
    service.submit(699, job("running", "mine"))
    with pytest.raises(Refusal) as refusal:
        service.submit(700, job("late", "mine"))
    assert refusal.value.code == 1217


def test_a_job_that_ends_exactly_at_the_maximum_time_lets_no_queued_one_start():
    service = active_session()
    service.submit(120, job("running", "mine"))
    service.submit(121, job("queued", "mine"))
    service.finish(700, "running")
    assert statuses(service)["running"] == "Completed"
    assert statuses(service)["queued"] == "Failed"
    assert service.sessions["mine"].closed_at == 700


def test_a_simulated_job_that_ends_exactly_at_the_maximum_time_lets_no_queued_one_start():
    service = active_session()
    service.submit(120, job("running", "mine", load=580.0))
    service.submit(121, job("queued", "mine", load=1.0))
    service.advance(700)
    assert statuses(service)["running"] == "Completed"
    assert statuses(service)["queued"] == "Failed"


def test_of_two_sessions_due_at_the_same_instant_the_one_that_ends_starts_nothing():
    service = emulator()
    opened(service, 0, "ends")
    service.submit(0, job("first", "ends"))
    service.finish(1, "first")
    service.advance(61)
    opened(service, 100, "holds")
    service.submit(539, job("other", "holds"))
    service.submit(539, job("waits", "ends"))
    service.finish(540, "other")  # "holds" is deactivated at 600, when the time of "ends" is up
    service.advance(600)
    assert service.sessions["holds"].state == "inactive"
    assert statuses(service)["waits"] == "Failed"
    assert service.sessions["ends"].state == "closed"


def test_both_timeouts_at_the_same_instant_end_the_session():
    service = active_session()
    service.submit(600, job("last", "mine"))
    service.finish(640, "last")
    service.advance(700)
    session = service.sessions["mine"]
    assert (session.state, session.state_reason) == ("closed", "session_max_ttl_reached")
    assert session.timestamps[-2:] == (("active", 600), ("closed", 700))


def test_the_maximum_time_ends_a_session_that_is_deactivated_with_a_job_waiting():
    service = active_session()
    service.advance(170)
    service.submit(180, job("stranger"))
    service.submit(190, job("waits", "mine"))
    service.advance(700)
    assert statuses(service)["waits"] == "Failed"
    assert service.sessions["mine"].closed_at == 700
    assert service.usage("mine", 800) == 70


def test_a_job_is_stopped_exactly_at_its_maximum_execution_time():
    service = emulator()
    service.submit(0, job("endless", max_execution_time=30.0))
    service.begun(0, "endless")
    service.take_changes()
    service.finish(30, "endless")
    endless = service.jobs["endless"]
    assert (endless.status, endless.reason_code) == ("Cancelled - Ran too long", 1305)
    assert endless.qpu_seconds == 30
    assert service.take_changes().stop == ["endless"]


def test_a_maximum_execution_time_does_not_count_what_comes_before_a_worker_has_the_job():
    service = emulator()
    service.submit(0, job("prepared", max_execution_time=30.0))
    service.advance(100)
    assert statuses(service)["prepared"] == "Running"
    service.begun(100, "prepared")
    service.begun(110, "prepared")  # said twice, it began the first time
    assert service.next_deadline() == 130
    service.advance(130)
    prepared = service.jobs["prepared"]
    assert (prepared.reason_code, prepared.finished, prepared.qpu_seconds) == (1305, 130, 30)


def test_a_job_that_is_stopped_is_charged_from_when_a_worker_had_it():
    service = emulator(lanes=3)
    for name in ("began", "prepared", "finished"):
        service.submit(0, job(name))
    service.begun(40, "began")
    service.cancel_job(50, "began")
    service.cancel_job(50, "prepared")
    service.begun(60, "prepared")  # a worker had it when it was stopped already
    service.begun(60, "finished")
    service.finish(70, "finished", qpu_seconds=0.5)
    service.begun(80, "unknown")
    assert {name: record.qpu_seconds for name, record in service.jobs.items()} == {
        "began": 10,
        "prepared": 0,
        "finished": 0.5,
    }
    assert service.next_deadline() is None


def test_after_a_restart_a_job_begins_anew():
    service = emulator()
    service.submit(0, job("long", max_execution_time=30.0))
    service.begun(0, "long")
    after = restarted(service, 100)
    after.advance(200)
    assert statuses(after)["long"] == "Running"
    after.begun(200, "long")
    assert after.next_deadline() == 230


def test_a_machine_that_slept_excuses_its_jobs_and_no_session():
    service = emulator()
    opened(service, 0, "mine")
    service.submit(0, job("running", "mine", max_execution_time=30.0))
    service.submit(0, job("waiting", "mine", max_execution_time=30.0))
    service.begun(0, "running")
    service.excuse(1000.0)
    service.advance(1029)
    assert statuses(service) == {"running": "Running", "waiting": "Failed"}
    assert service.sessions["mine"].state_reason == "session_max_ttl_reached"
    service.advance(1030)
    assert service.jobs["running"].reason_code == 1305
    assert service.jobs["running"].qpu_seconds == 30, "nothing ran while the machine slept"
