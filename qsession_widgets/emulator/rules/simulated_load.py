"""Seeded load of other users, which keeps a backend as busy as a real one.

Each simulated user sends a job, waits until it is done, pauses, and comes back; now and then
one opens a session and holds the backend for some jobs. Nobody has two jobs waiting, so the queue
before a first job has about the same length at any time, also after a long session of yours, during
which everybody waits. Their jobs are records with `Job.load` set: they take their time and are not
run. Members come as their own random numbers say and when their jobs end, so the same seed and the
same events of yours give the same queue.

Simulated users are not stored: a restart makes new ones.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from .lifecycle import Lifecycle
from .records import Backend, EmulatedJob, Plan
from .refusals import Refusal

JOBS_IN_A_SESSION = (2, 6)


@dataclass(frozen=True)
class LoadProfile:
    """Load of a backend: arrivals and lengths of other users' jobs.

    Attributes
    ----------
    wait : float
        How long a job waits in the normal queue, in seconds: exactly for one that is submitted when
        the users have just come to a backend with one lane, on average later on.
    duration : float or None
        How long a job of theirs runs on average, in seconds; a sixth of the wait when None, at
        least 0.5 and at most 30.
    users : int or None
        How many there are; as many as make the wait when None.
    sessions : float
        Of how many visits one is a session: 0 for none, 1 for all.
    seed : int
        Seed of their random numbers.
    """

    wait: float = 60.0
    duration: float | None = None
    users: int | None = None
    sessions: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name, value, smallest, largest in (
            ("wait", self.wait, 0.1, 86400.0),
            ("duration", self.duration, 0.01, 3600.0),
            ("users", self.users, 1, 1000),
            ("sessions", self.sessions, 0, 1),
        ):
            if value is not None and not smallest <= value <= largest:
                raise ValueError(
                    f"The queue's {name} must be from {smallest:g} to {largest:g}, not {value:g}."
                )

    @classmethod
    def parse(cls, text: str, seed: int = 0) -> LoadProfile:
        """Read ``120``, or ``wait=120,duration=10,users=5,sessions=0.1,seed=3`` in any order.

        Parameters
        ----------
        text : str
            The wait in seconds, or values by name.
        seed : int
            The seed when the text names none.

        Raises
        ------
        ValueError
            The text cannot be read; the message is one sentence.
        """
        values: dict[str, float] = {}
        for part in text.split(","):
            name, equals, number = part.strip().partition("=")
            if not equals:
                name, number = "wait", name
            whole = name in ("users", "seed")
            try:
                if name not in cls.__dataclass_fields__ or name in values:
                    raise ValueError(name)
                values[name] = int(number) if whole else float(number)
            except ValueError:
                raise ValueError(
                    f"The queue is given as seconds of waiting (120), or as wait=120,duration=10,"
                    f"users=5,sessions=0.1,seed=3 or some of these, not as {text!r}."
                ) from None
        return cls(**{"seed": seed, **values})  # type: ignore[arg-type]


@dataclass
class _User:
    """One simulated user and its state."""

    name: str
    random: Random
    returns: float = math.inf
    job_id: str | None = None
    session_id: str | None = None
    jobs_left: int = 0
    visits: int = 0


class QueueLoad:
    """The simulated users of one backend.

    Parameters
    ----------
    device : Device
        The backend.
    profile : LoadProfile
        How busy it is to be.
    plan : Plan
        What sessions of theirs may do.
    """

    def __init__(self, device: Backend, profile: LoadProfile, plan: Plan | None = None):
        self.device = device
        self.profile = profile
        self.plan = Plan() if plan is None else plan
        duration = profile.duration
        self.mean_duration = min(max(profile.wait / 6, 0.5), 30.0) if duration is None else duration
        # One of them pauses at any time, on average, and the jobs of the others make the wait.
        self.mean_pause = self.mean_duration / device.lanes
        waiting = max(1, round(profile.wait * device.lanes / self.mean_duration))
        users = waiting + 1 if profile.users is None else profile.users
        self._members = [
            _User(f"{device.name}-user-{n}", Random(f"{profile.seed}/{device.name}/{n}"))
            for n in range(users)
        ]
        self.started = False

    @property
    def next_arrival(self) -> float:
        """When the next member comes by itself; infinity while all of them wait for their jobs."""
        return min(member.returns for member in self._members)

    def start(self, lifecycle: Lifecycle, now: float) -> None:
        """Fill the queue, so that a job submitted now waits as long as it should."""
        self.started = True
        now = lifecycle.advance(now)
        waiting = self._members[:-1] or self._members
        lengths = [self._duration(member) for member in waiting]
        scale = self.profile.wait * self.device.lanes / sum(lengths)
        for member, length in zip(waiting, lengths, strict=True):
            self._submit(lifecycle, now, member, length * scale)
        for member in self._members[len(waiting) :]:
            self._leave(member, now)

    def act(self, lifecycle: Lifecycle, now: float) -> None:
        """Let the members do what they do at this moment; `catch_up` calls it at the right ones."""
        for member in self._members:
            if member.job_id is not None:
                job = lifecycle.jobs[member.job_id]
                if job.finished is None:
                    continue
                member.job_id = None
                self._after_job(lifecycle, member, job.finished)
                if member.session_id is None:
                    self._forget(lifecycle, now, job)
            if member.returns <= now:
                member.returns = math.inf
                self._arrive(lifecycle, now, member)

    # ----------------------------------------------------------------------------------------------
    # What a member does

    def _arrive(self, lifecycle: Lifecycle, now: float, member: _User) -> None:
        if member.session_id is None:
            member.visits += 1
            if member.random.random() < self.profile.sessions and self.plan.sessions:
                member.session_id = f"{member.name}-session-{member.visits}"
                member.jobs_left = member.random.randint(*JOBS_IN_A_SESSION)
                lifecycle.open_session(
                    now,
                    member.session_id,
                    self.device.name,
                    "dedicated",
                    "",
                    self.plan,
                    user=member.name,
                    load=True,
                )
        try:
            self._submit(lifecycle, now, member, self._duration(member))
        except Refusal:  # its session is over
            self._end_session(lifecycle, member, now)
            self._leave(member, now)

    def _after_job(self, lifecycle: Lifecycle, member: _User, finished: float) -> None:
        member.jobs_left -= 1
        if member.session_id is None:
            self._leave(member, finished)
        elif member.jobs_left > 0:
            think = member.random.expovariate(1 / self.mean_duration)
            member.returns = finished + min(think, 0.8 * self.plan.interactive_ttl)
        else:
            self._end_session(lifecycle, member, finished)
            self._leave(member, finished)

    def _submit(self, lifecycle: Lifecycle, now: float, member: _User, length: float) -> None:
        number = member.random.getrandbits(64)
        job = lifecycle.submit(
            now,
            EmulatedJob(
                id=f"{member.name}-job-{number:016x}",
                program_id="sampler",
                backend=self.device.name,
                instance="",
                created=now,
                session_id=member.session_id,
                load=length,
                user=member.name,
            ),
        )
        member.job_id = job.id

    def _end_session(self, lifecycle: Lifecycle, member: _User, now: float) -> None:
        assert member.session_id is not None
        lifecycle.close_session(now, member.session_id)
        if lifecycle.sessions[member.session_id].state == "closed":
            lifecycle.forget_session(member.session_id)
        member.session_id = None

    def _leave(self, member: _User, now: float) -> None:
        member.returns = now + member.random.expovariate(1 / self.mean_pause)

    def _duration(self, member: _User) -> float:
        # Jobs differ, but not by orders of magnitude: from half to one and a half of the mean.
        return self.mean_duration * member.random.uniform(0.5, 1.5)

    def _forget(self, lifecycle: Lifecycle, now: float, job: EmulatedJob) -> None:
        if job.id in lifecycle.jobs:
            lifecycle.delete_job(now, job.id)


def catch_up(lifecycle: Lifecycle, loads: Iterable[QueueLoad], now: float) -> float:
    """Advance rules and simulated users to a time, each arrival and deadline at its own time.

    To be called with ``now`` before every event, where `Lifecycle.advance` would do without
    them, and again whenever `next_event` comes.

    Returns
    -------
    float
        The time it is, as `Lifecycle.advance` does.
    """
    loads = [load for load in loads if load.started]
    while (at := next_event(lifecycle, loads)) is not None and at <= now:
        at = lifecycle.advance(at)
        for load in loads:
            load.act(lifecycle, at)
    now = lifecycle.advance(now)
    for load in loads:
        load.act(lifecycle, now)
    return now


def next_event(lifecycle: Lifecycle, loads: Iterable[QueueLoad]) -> float | None:
    """Time of the next arrival or deadline, None when there is none."""
    times = [load.next_arrival for load in loads if load.started]
    deadline = lifecycle.next_deadline()
    first = min([*times, math.inf if deadline is None else deadline])
    return None if first == math.inf else first
