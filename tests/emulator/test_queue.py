"""Other users make a first job wait, do not come between a session's jobs, and come back after."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from statistics import mean

import pytest

from qsession_widgets.emulator.rules.lifecycle import Lifecycle
from qsession_widgets.emulator.rules.records import Backend, EmulatedJob, Plan
from qsession_widgets.emulator.rules.simulated_load import (
    LoadProfile,
    QueueLoad,
    catch_up,
    next_event,
)

FEZ = Backend("ibm_fez")
PLAN = Plan(interactive_ttl=60.0, max_ttl=3600.0)


class Place:
    """A backend with a crowd, and somebody who is not part of it."""

    def __init__(self, crowd: LoadProfile, *devices: Backend):
        self.service = Lifecycle(devices or (FEZ,))
        self.loads = [QueueLoad(device, crowd, PLAN) for device in self.service.devices.values()]
        for load in self.loads:
            load.start(self.service, 0.0)
        self.starts: list[tuple[float, str, str]] = []  # of the crowd's jobs

    def pass_until(self, now: float) -> None:
        while (at := next_event(self.service, self.loads)) is not None and at <= now:
            catch_up(self.service, self.loads, at)
            self.note()
        catch_up(self.service, self.loads, now)
        self.note()

    def note(self) -> None:
        for backend in self.service.devices:
            for job in self.service.running(backend):
                if job.load is not None and (job.started, backend, job.id) not in self.starts[-9:]:
                    self.starts.append((job.started, backend, job.id))

    def submit(self, now: float, name: str, session: str | None = None) -> None:
        self.pass_until(now)
        self.service.submit(now, EmulatedJob(name, "sampler", FEZ.name, "crn", now, session))

    def start_of(self, name: str) -> float:
        """Let time pass until a job starts, and say when it did."""
        while (job := self.service.jobs[name]).started is None:
            self.pass_until(next_event(self.service, self.loads))
        return job.started

    def finish(self, now: float, name: str) -> None:
        self.pass_until(now)
        self.service.finish(now, name)

    def waits(self, times: list[float]) -> list[float]:
        """How long a job of one second waits that is submitted at each of these times."""
        waits = []
        for number, now in enumerate(times):
            name = f"probe{number}"
            self.submit(now, name)
            started = self.start_of(name)
            self.finish(started + 1, name)
            waits.append(started - now)
        return waits


# ------------------------------------------------------------------------------------------------
# What it does to a job and to a session


@pytest.mark.parametrize("wait", [0.5, 30.0, 120.0, 3600.0])
def test_a_job_submitted_at_the_start_waits_as_long_as_was_asked_for(wait):
    place = Place(LoadProfile(wait=wait))
    assert place.waits([0.0]) == [pytest.approx(wait)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("wait", "lanes"), [(30.0, 1), (120.0, 1), (120.0, 3)])
def test_later_on_it_waits_about_as_long_on_average(wait, lanes, seed):
    place = Place(LoadProfile(wait=wait, seed=seed), Backend(FEZ.name, lanes))
    waits = place.waits([1000.0 + 10 * wait * number for number in range(40)])
    assert 0.75 * wait < mean(waits) < 1.25 * wait
    assert max(waits) < 2 * wait


def test_the_first_job_of_a_session_waits_and_later_ones_do_not_until_it_is_deactivated():
    place = Place(LoadProfile(wait=120.0))
    place.service.open_session(0.0, "mine", FEZ.name, "dedicated", "crn", PLAN)
    place.submit(0.0, "first", "mine")
    now = place.start_of("first")
    assert now == pytest.approx(120.0)
    for number in range(30):
        place.finish(now + 5, f"{number}" if number else "first")
        now += 50  # thinking, for less than the interactive timeout
        place.submit(now, f"{number + 1}", "mine")
        assert place.start_of(f"{number + 1}") == now
    place.finish(now + 5, "30")
    place.pass_until(now + 5 + 59.9)
    assert place.service.sessions["mine"].state == "active"
    place.pass_until(now + 5 + 60)
    assert place.service.sessions["mine"].state == "inactive"
    assert place.service.running(FEZ.name)[0].load is not None, "the others go on at once"
    place.submit(now + 70, "again", "mine")
    waited = place.start_of("again") - (now + 70)
    assert 60 < waited < 240, "through the normal queue, which did not grow without limit"


def test_sessions_of_others_hold_the_backend_and_end():
    place = Place(LoadProfile(wait=120.0, sessions=0.3, seed=4))
    held = Counter()
    for step in range(4000):
        place.pass_until(5.0 * step)
        holder = place.service.active_session(FEZ.name)
        held[holder is not None] += 1
        if holder is not None:
            assert holder.load
            assert {job.session_id for job in place.service.running(FEZ.name)} <= {holder.id}
    assert held[True] > 400
    assert held[False] > 400
    assert len(place.service.sessions) <= len(place.loads[0]._members)


def test_a_session_of_others_that_reaches_its_maximum_time_does_not_stop_the_crowd():
    place = Place(LoadProfile(wait=20.0, sessions=1.0))
    place.loads[0].plan = Plan(interactive_ttl=60.0, max_ttl=4.0)
    place.pass_until(500.0)
    before = len(place.starts)
    place.pass_until(1000.0)
    assert len(place.starts) > before + 20


# ------------------------------------------------------------------------------------------------
# The same seed is the same queue


def history(seed: int, times: list[float]) -> list[tuple[float, str, str]]:
    place = Place(LoadProfile(wait=60.0, sessions=0.2, seed=seed))
    place.waits(times)
    return place.starts


def test_the_same_seed_and_the_same_events_give_the_same_queue():
    times = [0.0, 300.0, 1000.0]
    assert history(1, times) == history(1, times)
    assert history(1, times) != history(2, times)


def test_it_makes_no_difference_how_often_somebody_looks():
    crowd = LoadProfile(wait=60.0, sessions=0.2)
    often, once = Place(crowd), Place(crowd)
    for tenth in range(20000):
        catch_up(often.service, often.loads, tenth / 10)
    catch_up(once.service, once.loads, 1999.9)
    assert once.service.jobs == often.service.jobs
    assert once.service.sessions == often.service.sessions
    assert once.loads[0].next_arrival == often.loads[0].next_arrival


def test_each_backend_has_a_crowd_of_its_own():
    place = Place(LoadProfile(wait=60.0), FEZ, Backend("ibm_kingston"))
    place.pass_until(600.0)
    lengths = {
        name: [job.load for job in place.service.queue(name)] for name in place.service.devices
    }
    assert lengths[FEZ.name]
    assert lengths[FEZ.name] != lengths["ibm_kingston"]


def test_what_the_crowd_did_is_forgotten():
    place = Place(LoadProfile(wait=60.0, sessions=0.2))
    place.pass_until(100_000.0)
    assert len(place.starts) > 5000
    assert len(place.service.jobs) < 50
    changes = place.service.take_changes()
    assert changes.jobs.keys() <= place.service.jobs.keys()
    assert changes.sessions.keys() <= place.service.sessions.keys()
    assert not changes.start


def test_a_crowd_that_has_not_come_does_nothing():
    service = Lifecycle([FEZ])
    load = QueueLoad(FEZ, LoadProfile())
    assert next_event(service, [load]) is None
    assert catch_up(service, [load], 100.0) == 100.0
    assert not service.jobs


# ------------------------------------------------------------------------------------------------
# How it is asked for


@pytest.mark.parametrize(
    ("text", "crowd"),
    [
        ("120", LoadProfile(wait=120.0, seed=9)),
        ("wait=30, users=4", LoadProfile(wait=30.0, users=4, seed=9)),
        ("seed=3,sessions=0.5,duration=2.5", LoadProfile(duration=2.5, sessions=0.5, seed=3)),
    ],
)
def test_it_is_read_from_text(text, crowd):
    assert LoadProfile.parse(text, seed=9) == crowd


@pytest.mark.parametrize(
    "text",
    ["", "long", "wait=", "=3", "wait=1,wait=2", "length=3", "users=1.5", "1,2", "wait=1;users=2"],
)
def test_text_that_makes_no_sense_gets_one_sentence(text):
    with pytest.raises(ValueError, match="The queue is given as seconds of waiting"):
        LoadProfile.parse(text)


@pytest.mark.parametrize(
    "text", ["0", "-5", "nan", "inf", "1e9", "users=0", "users=5000", "sessions=1.5", "duration=0"]
)
def test_figures_out_of_range_say_what_is_allowed(text):
    with pytest.raises(ValueError, match=r"The queue's \w+ must be from .* to "):
        LoadProfile.parse(text)


def test_users_and_duration_are_as_asked_for():
    place = Place(LoadProfile(wait=60.0, duration=4.0, users=5))
    place.pass_until(5000.0)
    users = {name.rsplit("-job-")[0] for _, _, name in place.starts}
    assert len(users) == 5
    starts = [at for at, _, _ in place.starts]
    lengths = [later - at for at, later in pairwise(starts)]
    assert 3.5 < mean(lengths) < 5.0
