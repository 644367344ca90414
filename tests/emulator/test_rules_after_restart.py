"""Lifecycles after a restart of the emulator."""

from __future__ import annotations

from emulator.lifecycles import (
    FEZ,
    active_session,
    emulator,
    job,
    opened,
    restarted,
    statuses,
)

from qsession_widgets.emulator.rules.records import (
    Backend,
)


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
