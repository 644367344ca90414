"""Several users of one emulator: nobody waits for somebody else's long simulation."""

from __future__ import annotations

from emulator.lifecycles import (
    FEZ,
    PLAN,
    emulator,
    job,
)

from qsession_widgets.emulator.rules.lifecycle import Lifecycle
from qsession_widgets.emulator.rules.records import (
    EmulatedJob,
)


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
