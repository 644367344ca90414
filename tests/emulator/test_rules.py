"""One plain example of each rule in CONTRIBUTING.md's table, and of what happens exactly at its
boundary.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress

import pytest

from qsession_widgets.emulator.rules.lifecycle import Lifecycle
from qsession_widgets.emulator.rules.records import (
    PLANS,
    Backend,
    EmulatedJob,
    EmulatedSession,
    Plan,
)
from qsession_widgets.emulator.rules.refusals import Refusal

PLAN = Plan(interactive_ttl=60.0, max_ttl=600.0, batch_interactive_ttl=60.0, batch_max_ttl=600.0)
FEZ = "ibm_fez"


def emulator(lanes: int = 1, exclusive: bool = True, **options: float) -> Lifecycle:
    return Lifecycle([Backend(FEZ, lanes, exclusive)], **options)


def opened(service: Lifecycle, now: float, name: str, mode: str = "dedicated") -> EmulatedSession:
    return service.open_session(now, name, FEZ, mode, "crn", PLAN)


def job(name: str, session: str | None = None, **fields) -> EmulatedJob:
    return EmulatedJob(name, "sampler", FEZ, "crn", 0.0, session, **fields)


def statuses(service: Lifecycle) -> dict[str, str]:
    return {name: record.status for name, record in service.jobs.items()}


def active_session(lanes: int = 1) -> Lifecycle:
    """A session whose first job ran from 100 to 110."""
    service = emulator(lanes)
    opened(service, 0, "mine")
    service.submit(100, job("first", "mine"))
    service.finish(110, "first")
    assert service.sessions["mine"].state == "active"
    return service


# ------------------------------------------------------------------------------------------------
# The rules


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


# ------------------------------------------------------------------------------------------------
# Exactly at the boundary: what is due happens before what is told


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


# ------------------------------------------------------------------------------------------------
# Where rules meet


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


# ------------------------------------------------------------------------------------------------
# After a restart


def restarted(service: Lifecycle, now: float, *devices: Backend) -> Lifecycle:
    after = Lifecycle(
        devices or service.devices.values(), service.sessions.values(), service.jobs.values()
    )
    after.resume(now)
    return after


def test_after_a_restart_a_running_job_runs_again_before_all_others():
    service = active_session()
    service.submit(120, job("stranger"))
    service.submit(121, job("running", "mine"))
    service.submit(122, job("queued", "mine"))
    after = restarted(service, 130)
    assert after.take_changes().start == ["running"]
    assert after.jobs["running"].attempts == 2
    assert after.jobs["running"].started == 130


def test_after_a_restart_a_session_on_a_simulator_still_goes_first():
    service = emulator(exclusive=False)
    opened(service, 0, "mine")
    service.submit(0, job("first", "mine"))
    service.submit(1, job("running stranger"))
    service.submit(1, job("waiting stranger"))
    service.finish(2, "first")
    service.submit(3, job("second", "mine"))
    after = restarted(service, 4)
    after.finish(5, "running stranger")
    assert [running.id for running in after.running(FEZ)] == ["second"]


def test_after_a_restart_the_running_job_of_a_session_past_its_maximum_time_still_finishes():
    service = active_session()
    service.submit(120, job("running", "mine"))
    service.submit(121, job("queued", "mine"))
    after = restarted(service, 5000)
    assert statuses(after) == {"first": "Completed", "running": "Running", "queued": "Failed"}
    assert after.jobs["queued"].finished == 700
    after.finish(5010, "running")
    assert after.sessions["mine"].closed_at == 5010


def test_after_a_restart_deadlines_that_passed_happened_at_their_own_times():
    service = active_session()
    service.submit(111, job("stranger"))
    after = restarted(service, 1000)
    assert after.sessions["mine"].timestamps[-2:] == (("inactive", 170), ("closed", 700))
    assert after.jobs["stranger"].started == 1000


def test_a_job_that_outlives_the_emulator_too_often_is_given_up():
    service = emulator()
    service.submit(0, job("heavy"))
    for now in (10, 20):
        service = restarted(service, now)
        assert statuses(service)["heavy"] == "Running"
    service = restarted(service, 30)
    assert statuses(service)["heavy"] == "Failed"
    assert "3 times" in service.jobs["heavy"].reason


def test_after_a_restart_with_fewer_lanes_those_too_many_wait_in_front():
    service = emulator(lanes=3)
    for name in "abcd":
        service.submit(0, job(name))
    after = restarted(service, 10, Backend(FEZ, lanes=1))
    assert [running.id for running in after.running(FEZ)] == ["a"]
    assert [waiting.id for waiting in after.queue(FEZ)] == ["b", "c", "d"]


def test_after_a_restart_without_the_backend_what_was_there_fails_and_says_so():
    service = active_session()
    service.submit(120, job("running", "mine"))
    service.submit(121, job("queued"))
    after = restarted(service, 130, Backend("ibm_kingston"))
    assert statuses(after) == {"first": "Completed", "running": "Failed", "queued": "Failed"}
    assert "ibm_fez" in after.jobs["queued"].reason
    assert after.sessions["mine"].state == "closed"


# ------------------------------------------------------------------------------------------------
# Several users of one emulator: nobody waits for somebody else's long simulation


def theirs(name: str, session: str | None = None) -> EmulatedJob:
    return EmulatedJob(name, "sampler", FEZ, "another crn", 0.0, session)


def running(service: Lifecycle) -> set[str]:
    return {found.id for found in service.running(FEZ)}


def test_a_long_job_holds_its_lane_against_its_own_instance_only():
    service = emulator(fair_after=1.0)
    service.submit(0, job("heavy"))
    service.submit(0.5, job("mine"))
    service.submit(0.6, theirs("light"))
    service.advance(0.99)
    assert running(service) == {"heavy"}
    assert service.next_deadline() == 1.0
    service.advance(1.0)
    assert running(service) == {"heavy", "light"}
    # and they have no more of it than a lane either
    service.submit(5, theirs("second"))
    assert running(service) == {"heavy", "light"}
    service.finish(6, "light")
    assert running(service) == {"heavy", "second"}
    service.finish(7, "second")
    assert running(service) == {"heavy"}
    service.finish(8, "heavy")
    assert running(service) == {"mine"}


def test_a_session_begins_beside_somebody_elses_long_job():
    service = emulator(fair_after=1.0)
    service.submit(0, job("heavy"))
    service.open_session(0, "their session", FEZ, "dedicated", "another crn", PLAN)
    service.submit(0.1, theirs("first", "their session"))
    service.advance(1.0)
    assert running(service) == {"heavy", "first"}
    # rule 3 holds as ever
    service.submit(2, job("mine"))
    service.finish(3, "heavy")
    assert running(service) == {"first"}
    service.finish(4, "first")
    assert running(service) == set()
    service.advance(64)
    assert running(service) == {"mine"}


def test_each_instance_has_the_lanes_of_a_simulator_for_itself():
    service = emulator(lanes=2, exclusive=False, fair_after=1.0)
    for name in ("a", "b", "c"):
        service.submit(0, job(name))
    for name in ("d", "e", "f"):
        service.submit(0, theirs(name))
    assert running(service) == {"a", "b", "d", "e"}


def test_without_others_a_lane_is_held_until_its_job_ends():
    service = emulator()
    service.submit(0, job("heavy"))
    service.submit(0, theirs("light"))
    service.advance(1000)
    assert running(service) == {"heavy"}
