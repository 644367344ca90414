"""Sessions of the user's that keep a job of another one waiting.

A session has its backend for itself while it is active. A job of a second session on the same
backend waits until the first one is deactivated by its interactive timeout, or ends, and the first
is billed for all that time. Sessions of this kernel are known; those of another notebook, a script
or a terminal are asked for before a job that would have to wait, hence not before each job. A job
in no session waits for each of them, also for one in another instance of the account, which a
notebook on this machine has noted: the plan of job mode has none of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ..client.connected_service import describe_instance
from ..client.private_api import account_instances, api_url, same_account
from ..client.rest import ServiceClient
from ..errors import ServiceError, UserError
from ..formatting import format_duration
from ..messages import notices
from ..model import interactive_timeout
from ..monitoring.response_checks import readable
from ..monitoring.waits import find_blocker, in_turn
from ..registry.entries import notes
from ..resume.runs import RUNS
from .callsite import whereabouts
from .patches import Submit

if TYPE_CHECKING:
    from qiskit_ibm_runtime import QiskitRuntimeService

    from .job_mode import JobMode
    from .live import LiveSession


LOOK_SECONDS = 5.0
"""Seconds to wait for the service's word on other sessions, before a job is sent all the same."""
LOOK_AGAIN = 30.0
"""Seconds before it is asked again, before a job in no session on the same backend."""


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
    """

    def __init__(
        self,
        sessions: Callable[[], Iterable[LiveSession]],
        job_mode: Callable[[], JobMode | None],
        say: Callable[[str], object],
    ):
        self._sessions = sessions
        self._job_mode = job_mode
        self._say = say
        self._told: set[tuple[str, str]] = set()
        self._asked: set[str] = set()
        self._asked_alone: dict[tuple[str | None, str], float] = {}

    def check(self, submit: Submit) -> None:
        """Say which session a job will wait for; once for each two sessions.

        Raises
        ------
        WaitRefused
            One of the two was opened with ``--strict``.
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
            strict = live.options.strict or (own is not None and own.options.strict)
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
        elif waiting not in self._asked:
            # of a with block of the user's
            self._asked.add(waiting)
            for live in sessions:
                if same_account(submit.service, live.target.connected.service):
                    self._look(live, waiting, submit.backend, strict=False)
                    return

    def check_alone(self, submit: Submit) -> None:
        """Say which session a job in no session will wait for, where the service knows one.

        It is asked before the first job on a backend, and again after `LOOK_AGAIN`.

        Raises
        ------
        WaitRefused
            The job runs in job mode, which was bound with ``--strict``.
        """
        job_mode = self._job_mode()
        near: list[LiveSession | JobMode] = [*self._sessions()]
        if job_mode is not None:
            near.insert(0, job_mode)
        beside = [one for one in near if same_account(submit.service, one.target.connected.service)]
        place = (submit.instance, submit.backend)
        now = time.monotonic()
        if not beside or now - self._asked_alone.get(place, -LOOK_AGAIN) < LOOK_AGAIN:
            return
        strict = job_mode is not None and beside[0] is job_mode and job_mode.options.strict
        self._look(beside[0], "", submit.backend, strict=strict, alone=submit)
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
            backend = own.target.backend.name
            self._look(own, own.monitor.session_id, backend, strict=own.options.strict)

    def _look(
        self,
        near: LiveSession | JobMode,
        waiting: str,
        backend: str,
        *,
        strict: bool,
        alone: Submit | None = None,
    ) -> None:
        # as one of sessions, for it is a session that is billed meanwhile, whatever waits
        snapshot = replace(near.monitor.snapshot, backend=backend, mode="dedicated")
        now = near.monitor.now()
        if not in_turn(snapshot):
            return
        for line, service, instance in _lines(near, backend, alone):
            line.timeout = LOOK_SECONDS
            try:
                with readable():
                    blocker = find_blocker(line, waiting, backend, near.target.info, now)
            except ServiceError:
                continue
            finally:
                line.close()
            if blocker is None:
                continue
            if service is not None:
                snapshot = replace(snapshot, service=describe_instance(service, instance))
            sentence = notices.waits_for(blocker, snapshot, now)
            if strict:
                raise WaitRefused(
                    f"{whereabouts()}: this job was not sent (--strict), because it {sentence}"
                )
            if self._is_new(blocker.session_id, waiting):
                self._say(f"{whereabouts()}: this job {sentence}")
            return

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


def _lines(
    near: LiveSession | JobMode, backend: str, alone: Submit | None
) -> Iterator[tuple[ServiceClient, QiskitRuntimeService | None, str]]:
    """Lines on which to ask for sessions, with the instance where its price may be another."""
    if alone is None:
        yield near.target.client.clone(), None, ""
        return
    service = alone.service
    own = alone.instance or ""
    yield ServiceClient(service, alone.instance), None, ""
    url = api_url(service, alone.instance)
    noted = {
        note.instance for note in notes().values() if note.backend == backend and note.url == url
    }
    if noted - {own, ""}:
        for crn in sorted(noted & {str(item["crn"]) for item in account_instances(service)}):
            if crn != own:
                yield ServiceClient(service, crn), service, crn


def _is_shared(live: LiveSession) -> bool:
    """Check for the emulator's ideal simulator, which runs jobs of several sessions at once."""
    processor = getattr(live.target.backend.configuration(), "processor_type", None) or {}
    return live.service_kind == "local" and processor.get("family") == "Aer"


def waits_for(live: LiveSession) -> str:
    """End of a sentence: the session a job waits for, how long, its price, and how to end it."""
    snapshot = live.monitor.snapshot
    pending = len(snapshot.pending())
    doing = "idle" if not pending else f"with {pending} job{'' if pending == 1 else 's'} to run"
    of = f" of {snapshot.notebook.rpartition('/')[2]}" if snapshot.notebook else ""
    left = interactive_timeout(snapshot, live.monitor.now())
    ends = ""
    if left is not None:
        after = "" if not pending else " once they are done"
        ends = f" It lets others run {format_duration(left.remaining)} from now{after}, and bills"
        ends += " until then."
    close = f"%session close {live.called} ends it"
    return (
        f"waits for your session {live.called}{of}, which is active on "
        f"{live.target.backend.name}, {doing}.{ends} {live.price_sentence()} {close}; a job built "
        "without mode= runs in the bound session at once."
    )
