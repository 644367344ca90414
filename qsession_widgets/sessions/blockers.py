"""Sessions of the user's that keep a job of another one waiting.

A session has its backend for itself while it is active. A job of a second session on the same
backend waits until the first one is deactivated by its interactive timeout, or ends, and the first
is billed for all that time. Sessions of this kernel are known; those of another notebook, an
earlier kernel, a script or a terminal are asked for before a job that would have to wait, hence not
before each job, and also where nothing is bound in this kernel. A job in no session waits for each
of them, also for one in another instance; see `qsession_widgets.monitoring.waits`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..client.connected_service import describe_instance, on_this_machine
from ..client.private_api import account_instance, api_url, backend_instance, same_account
from ..client.rest import Answer, ServiceClient
from ..errors import ServiceError, UserError
from ..messages import notices
from ..model import Blocker, ServiceInfo
from ..monitoring.response_checks import readable
from ..monitoring.service_clock import ServiceClock
from ..monitoring.waits import (
    LOOK_SECONDS,
    OtherInstances,
    blocker_of,
    find_blocker,
    in_turn,
    unpriced,
)
from ..resume.runs import RUNS
from .callsite import whereabouts
from .patches import Submit

if TYPE_CHECKING:
    from .job_mode import JobMode
    from .live import LiveSession


LOOK_AGAIN = 30.0
"""Seconds after which it is asked again: since the last look, before a job in no session on the
same backend; since the last job, before one of a session that is not watched here, which IBM
deactivates no sooner."""


class WaitRefused(UserError, RuntimeError):
    """A job that would wait for another session was not sent, because a session is strict."""


class Blockers:
    """Names the session that a job will wait for, before the job is sent.

    Parameters
    ----------
    sessions : callable
        Returns the sessions of this kernel that are not over.
    job_mode : callable
        Returns the bound job mode, or None.
    say : callable
        Takes what is said, as sentences.
    strict : callable
        Whether jobs of what is not bound in this kernel are refused where they would wait.
    """

    def __init__(
        self,
        sessions: Callable[[], Iterable[LiveSession]],
        job_mode: Callable[[], JobMode | None],
        say: Callable[[str], object],
        strict: Callable[[], bool] = lambda: False,
    ):
        self._sessions = sessions
        self._job_mode = job_mode
        self._say = say
        self._strict = strict
        self._told: set[tuple[str, str]] = set()
        self._sent: dict[str, float] = {}
        self._asked_alone: dict[tuple[str | None, str], float] = {}

    def check(self, submit: Submit) -> None:
        """Say which session a job will wait for; once for each two sessions.

        Raises
        ------
        WaitRefused
            One of the two was opened with ``--strict``, or that is configured for what waits.
        """
        sessions = list(self._sessions())
        waiting = submit.session_id or ""
        own = next((one for one in sessions if one.monitor.session_id == waiting), None)
        word = "session" if own is None else own.word
        what = f"this job of another {word}" if waiting else "this job in no session"
        for live in sessions:
            if live is own or not self._blocks(live, submit):
                continue
            sentence = waits_for(live)
            strict = self._strict() if own is None else own.options.strict
            strict = strict or live.options.strict
            if strict:
                raise WaitRefused(
                    f"{whereabouts()}: this job was not sent (--strict), because it {sentence}"
                )
            if self._is_new(live.monitor.session_id, waiting):
                self._say(f"{whereabouts()}: {what} {sentence}")
            return
        if not waiting:
            # what a run that is taken up has paid for is not sent: see `Binding._before_new`
            if RUNS.taken is None or self._job_mode() is None:
                self.check_alone(submit)
        elif own is not None:
            if RUNS.taken is None and own.deferral is None:
                self.check_elsewhere(own)
        else:
            # of the client library's own
            if time.monotonic() - self._sent.get(waiting, -LOOK_AGAIN) >= LOOK_AGAIN:
                near = next((one for one in sessions if _is_beside(one, submit)), None)
                self._look(near, submit, strict=self._strict())
            # a refusal has raised, and is looked up again
            self._sent[waiting] = time.monotonic()

    def check_alone(self, submit: Submit) -> None:
        """Say which session a job in no session will wait for, where the service knows one.

        It is asked before the first job on a backend, and again after `LOOK_AGAIN`.

        Raises
        ------
        WaitRefused
            The job runs in job mode, which was bound with ``--strict``, or that is configured.
        """
        job_mode = self._job_mode()
        near: list[LiveSession | JobMode] = [*self._sessions()]
        if job_mode is not None:
            near.insert(0, job_mode)
        beside = next((one for one in near if _is_beside(one, submit)), None)
        place = (submit.instance, submit.backend)
        now = time.monotonic()
        if now - self._asked_alone.get(place, -LOOK_AGAIN) < LOOK_AGAIN:
            return
        alone = None if job_mode is None or beside is not job_mode else job_mode
        strict = self._strict() or (alone is not None and alone.options.strict)
        self._look(beside, submit, strict=strict)
        if alone is not None:
            # for its poller, which asks while the job waits
            alone.elsewhere.connect()
        # a refusal has raised, and is looked up again
        self._asked_alone[place] = now

    def check_elsewhere(self, own: LiveSession) -> None:
        """Say which session of another process a job will wait for, where the service knows one.

        It is asked before the first job of a session, and before the first one after a pause in
        which the session was deactivated; what it does not answer keeps no job from running.

        Raises
        ------
        WaitRefused
            The session was opened with ``--strict``.
        """
        snapshot = own.monitor.snapshot
        begins = snapshot.state == "open" and all(job.reused for job in snapshot.jobs)
        if begins or (snapshot.state == "inactive" and not snapshot.pending()):
            backend = own.target.backend
            service, session_id = own.target.connected.service, own.monitor.session_id
            instance = backend_instance(backend)
            submit = Submit(service, "", backend.name, session_id, {}, instance)
            self._look(own, submit, strict=own.options.strict)

    def _look(self, near: LiveSession | JobMode | None, submit: Submit, *, strict: bool) -> None:
        waiting = submit.session_id or ""
        with _lookup(submit, near) as lookup:
            blocker = lookup.find(waiting)
            if blocker is None:
                return
            sentence = notices.waits_for(blocker, lookup.now(), charged=lookup.info.charged)
        if strict:
            raise WaitRefused(
                f"{whereabouts()}: this job was not sent (--strict), because it {sentence}"
            )
        if self._is_new(blocker.session_id, waiting):
            self._say(f"{whereabouts()}: this job {sentence}")

    def _is_new(self, blocker: str, waiting: str) -> bool:
        pair = (blocker, waiting)
        if pair in self._told:
            return False
        self._told.add(pair)
        return True

    def _blocks(self, live: LiveSession, submit: Submit) -> bool:
        if (
            live.monitor.snapshot.mode == "batch"
            or live.closed
            or live.target.backend.name != submit.backend
            or live.monitor.session_id == submit.session_id
            or _is_shared(live)
            or not same_account(submit.service, live.target.connected.service)
        ):
            return False
        state = live.monitor.snapshot.state
        if state == "active" or (state == "open" and live.submits):
            # it may have become active or been deactivated since it was asked, or be idle by now
            live.monitor.poller.poll(jobs_first=True)
        return live.monitor.snapshot.state == "active"


@dataclass(frozen=True)
class _Lookup:
    """The service that is asked for sessions, its clock, and the lines to its instances."""

    submit: Submit
    info: ServiceInfo
    now: Callable[[], float]
    line: ServiceClient
    elsewhere: OtherInstances | None

    def find(self, waiting: str) -> Blocker | None:
        """The session that a job will wait for; None also where the service does not say."""
        submit = self.submit
        if not in_turn(self.info, submit.backend):
            return None
        infos = {self.line: self.info}
        if self.elsewhere is not None:
            self.elsewhere.connect()
            infos |= dict.fromkeys(self.elsewhere.lines(), unpriced(self.info))
        for line, info in infos.items():
            try:
                with readable():
                    blocker = find_blocker(line, waiting, submit.backend, info, self.now)
            except ServiceError:
                continue
            if blocker is not None and blocker.price_per_second is None and line is self.line:
                instance = submit.instance or account_instance(submit.service) or ""
                price = describe_instance(submit.service, instance).price_per_second
                return replace(blocker, price_per_second=price)
            if blocker is not None:
                return blocker
        return None


@contextmanager
def _lookup(submit: Submit, near: LiveSession | JobMode | None) -> Iterator[_Lookup]:
    """The service that a job goes to, as what this kernel has there knows it."""
    service, instance = submit.service, submit.instance
    line = ServiceClient(service, instance)
    line.timeout = LOOK_SECONDS
    elsewhere = None if submit.session_id else OtherInstances(service, instance, submit.backend)
    if near is not None and backend_instance(near.target.backend) == instance:
        info, now = near.target.info, near.monitor.now
    else:
        # its name and price are asked for once a session is found
        clock = ServiceClock()

        def observe(answer: Answer | ServiceError) -> None:
            if isinstance(answer, Answer) and answer.date is not None:
                clock.observe(answer.date, answer.sent, answer.received)

        line.on_response, now = observe, clock.now
        info = ServiceInfo("local", "", charged=not on_this_machine(api_url(service, instance)))
    try:
        yield _Lookup(submit, info, now, line, elsewhere)
    finally:
        line.close()
        if elsewhere is not None:
            elsewhere.close()


def _is_beside(one: LiveSession | JobMode, submit: Submit) -> bool:
    return same_account(submit.service, one.target.connected.service)


def _is_shared(live: LiveSession) -> bool:
    """Check for the emulator's ideal simulator, which runs jobs of several sessions at once."""
    processor = getattr(live.target.backend.configuration(), "processor_type", None) or {}
    return live.service_kind == "local" and processor.get("family") == "Aer"


def waits_for(live: LiveSession) -> str:
    """End of a sentence: the session a job waits for, what that costs, and how to end it."""
    snapshot, now = live.monitor.snapshot, live.monitor.now()
    blocker = blocker_of(snapshot, len(snapshot.pending()), now)
    blocker = replace(blocker, name=live.name, notebook=snapshot.notebook)
    sentence = notices.waits_for(blocker, now, charged=snapshot.service.charged)
    return f"{sentence} {notices.RUNS_AT_ONCE}"
