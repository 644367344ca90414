"""The binding of primitives that are built without a ``mode`` to a session.

One session is bound at a time, for the whole kernel: it does not matter in which cell, task or
thread a primitive is built. What the user passes as ``mode``, and the user's own ``with
Session(...)``, always win. Others may be open beside it, by name.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Literal

from .. import fork_safety
from ..client.private_api import backend_instance
from ..deferred_output import NOTICES
from ..delay_units import refuse_lost_units
from ..monitoring.end_reason import recorded
from ..registry.entries import notes, tell_bound
from ..resume.asking import Asking
from ..resume.runs import RUNS
from .blockers import Blockers
from .callsite import whereabouts
from .client_import import CLIENT, once_imported
from .patches import DelayUnitLost, ModePatch, ResultPatch, Submit, SubmitPatch
from .stray_jobs import StrayJobs

if TYPE_CHECKING:
    from ..client.connected_service import ConnectedService
    from ..model import UnknownRequest
    from ..monitoring.monitor import Monitor
    from .job_mode import JobMode
    from .live import LiveSession
    from .outcome_patch import OutcomePatch


MOST_ENDED = 5
"""Sessions that are remembered after their end, for a look back: 2 MB each, with their service."""

SHORTEST_BEGINNING = 4
"""Characters of an id that are enough to mean it."""


class Binding:
    """The bound session, and the other sessions of this kernel.

    Attributes
    ----------
    bound : LiveSession or None
        The session that primitives without a mode join.
    last : LiveSession or None
        The session bound last, which views still show after it has ended.
    job_mode : JobMode or None
        The backend that primitives without a mode run on by themselves, where a plan has no
        sessions.
    """

    def __init__(self) -> None:
        self.bound: LiveSession | None = None
        self.last: LiveSession | None = None
        self.job_mode: JobMode | None = None
        self._known: list[LiveSession] = []
        self._groups: list[JobMode] = []
        self._aside: LiveSession | None = None
        self._lock = fork_safety.lock()
        self._mode_patch = ModePatch(self._current, self._block_begins, self._inherited)
        self._stray_jobs = StrayJobs(lambda: self.bound, lambda: self.job_mode)
        self._strict: Callable[[], bool] = lambda: False
        self._blockers = Blockers(
            lambda: list(self._known), lambda: self.job_mode, NOTICES.emit, lambda: self._strict()
        )
        self._awaited: Callable[[], object] = lambda: None
        self._submit_patch = SubmitPatch(self._before_submit)
        self._outcome_patch: OutcomePatch | None = None
        self._result_patch: ResultPatch | None = None
        self._blocks_told: set[tuple[str, str]] = set()

    def _before_submit(self, submit: Submit) -> Callable[[str], None] | None:
        sent = None
        if self._known or self.job_mode is not None:
            refuse_lost_units(submit.inputs, DelayUnitLost)
            sent = self._stray_jobs(submit)
        self._blockers.check(submit)
        return sent

    def watch(self, strict: Callable[[], bool]) -> None:
        """Name what a job of the user's will wait for, also before anything is bound here.

        Parameters
        ----------
        strict : callable
            Whether such a job is refused.
        """
        self._strict = strict
        self._awaited = once_imported(CLIENT, self._submit_patch.install)

    def bind(self, live: LiveSession) -> None:
        """Make this the session of primitives without a mode."""
        with self._lock:
            self.bound = self.last = live
            self.job_mode = None
            self._keep(live)
            self._mode_patch.install()
            self._submit_patch.install()
            self._watch_outcomes()
            self._read_results()
        # in this order each entry is written at most once
        # the client library is imported with it, and is there by now
        from .registration import register

        if live.deferral is None:
            register(live, bound=True)
        tell_bound(live.monitor.session_id)

    def keep(self, live: LiveSession) -> None:
        """Know a session without binding it: results of its jobs are noted as they are read."""
        with self._lock:
            self._keep(live)
            self._read_results()

    def keep_group(self, group: JobMode) -> None:
        """Know an earlier kernel's group of jobs, as `keep` does with a session."""
        with self._lock:
            self._groups = [*self._groups[1 - MOST_ENDED :], group]
            # as a mode it is refused in words
            self._mode_patch.install()
            self._read_results()

    def group(self, group_id: str) -> JobMode | None:
        """The group of jobs of an id, if this kernel has it."""
        for group in (self.job_mode, *self._groups):
            if group is not None and group.monitor.poller.journal_id == group_id:
                return group
        return None

    def _keep(self, live: LiveSession) -> None:
        if live not in self._known:
            over = [known for known in self._known if known.closed][:-MOST_ENDED]
            self._known = [known for known in self._known if known not in over] + [live]

    def bind_job_mode(self, job_mode: JobMode) -> None:
        """Bind job mode: primitives without a mode run on a backend, in no session."""
        with self._lock:
            left, self.bound = self.bound, None
            self.job_mode = job_mode
            self._mode_patch.install()
            self._submit_patch.install()
            self._watch_outcomes()
            self._read_results()
        tell_bound(None)
        if left is not None and left.usable:
            NOTICES.emit(
                f"The {left.word} on {left.target.backend.name} is no longer bound and "
                f"{left.left_open(bound=False)}"
            )

    def unbind(self) -> None:
        """Unbind: primitives without a mode belong to nothing again."""
        with self._lock:
            self.bound = self.job_mode = None
        tell_bound(None)

    def forget(self, live: LiveSession) -> None:
        """Forget an unreachable session without closing it."""
        with self._lock:
            self._known = [known for known in self._known if known is not live]
            if self.bound is live:
                self.bound = None

    def sessions(self) -> list[LiveSession]:
        """Every session of this kernel that takes jobs, as far as is known; oldest first."""
        return [live for live in self._known if live.usable]

    def had(self, which: str) -> LiveSession | None:
        """The session of a name or an id, one that is closing or has ended among them.

        Of several with one name, that which is open goes first, then the newest. Of an id, the
        first four characters are enough where no other session here begins so.
        """
        found = [
            live for live in self._known if which and which in (live.name, live.monitor.session_id)
        ] or self._begun(which)
        return max(enumerate(found), key=_liveliest)[1] if found else None

    def _begun(self, which: str) -> list[LiveSession]:
        """The only session whose id begins so; none where several do."""
        found = [live for live in self._known if live.monitor.session_id.startswith(which)]
        return found if len(which) >= SHORTEST_BEGINNING and len(found) == 1 else []

    def services(self) -> list[ConnectedService]:
        """The services that are connected: of what is bound first, each of them once."""
        open_here = [live for live in self._known if not live.closed]
        of = [self.bound, self.job_mode, self.last, *open_here]
        connected = [item.target.connected for item in of if item is not None]
        return list({id(service): service for service in connected}.values())

    def named(self, name: str) -> LiveSession | None:
        """The open session of a name."""
        return next((live for live in self.sessions() if live.name == name), None)

    def with_id(self, session_id: str) -> LiveSession | None:
        """The open session of an id."""
        return next(
            (live for live in self.sessions() if live.monitor.session_id == session_id), None
        )

    def set_aside(self) -> None:
        """Unbind, and leave the client library as it was. Rules of open sessions go on."""
        self._aside = self.bound
        self.unbind()
        for live in self._known:
            # nothing would be handed back any more
            live.drop()
        self._awaited()
        self._mode_patch.remove()
        self._submit_patch.remove()
        if self._outcome_patch is not None:
            self._outcome_patch.remove()
        if self._result_patch is not None:
            self._result_patch.remove()

    def watch_outcomes(self) -> None:
        """Let no request of the client library's have an outcome that is told wrong."""
        self._watch_outcomes()

    def _read_results(self) -> None:
        # numpy is imported with it: not before it is needed
        from .objective import ResultReader

        self._result_patch = self._result_patch or ResultPatch(ResultReader(self._monitors))
        self._result_patch.install()

    def _watch_outcomes(self) -> None:
        # the client library is imported with it, which takes two seconds: not before it is needed
        from .outcome_patch import OutcomePatch

        self._outcome_patch = self._outcome_patch or OutcomePatch(
            self._claims, self._unknown, self._recorded, self._ask, self._before_new
        )
        self._outcome_patch.install()

    def _before_new(self, session_id: str | None, backend: str) -> str | None:
        """Refuse a new job of a session, or open one for it, where others are handed back.

        Returns
        -------
        str or None
            The id of its session.
        """
        for live in self._known if session_id else ():
            if live.monitor.session_id == session_id:
                if RUNS.taken is not None or live.deferral is not None:
                    live.before_submit()
                    self._blockers.check_elsewhere(live)
                return live.monitor.session_id
        mode = None if session_id or RUNS.taken is None else self.job_mode
        if mode is not None and mode.target.backend.name == backend:
            instance = backend_instance(mode.target.backend)
            service = mode.target.connected.service
            self._blockers.check_alone(Submit(service, "", backend, None, {}, instance))
        return session_id

    def _ask(self, program: str, given: dict[str, Any]) -> Asking | None:
        """The asking of a submit in a session of this kernel, or in job mode; else None."""
        session_id, backend = given.get("session_id"), given.get("backend_name")
        owner: LiveSession | JobMode | None = self.job_mode
        if session_id:
            owner = next((one for one in self._known if one.monitor.session_id == session_id), None)
        if owner is None or owner.target.backend.name != backend:
            return None
        return RUNS.ask(program, given, owner.place)

    def after_fork(self) -> None:
        """Leave what is done for the sessions to the parent, in a forked child."""
        for live in self._known:
            live.after_fork()

    def take_up(self) -> LiveSession | None:
        """Bind again what was set aside, if it is still open; which one that is."""
        live, self._aside = self._aside, None
        if live is None or not live.usable:
            return None
        self.bind(live)
        return live

    def _monitors(self) -> list[Monitor]:
        """Monitors of every session of this kernel, newest first, and of jobs without one."""
        of = [*reversed(self._known), self.job_mode, *self._groups]
        return [item.monitor for item in of if item is not None]

    def _claims(self, session_id: str) -> bool:
        """True if a session is known to this kernel, or there is another's note on it."""
        return session_id in notes() or any(
            live.monitor.session_id == session_id for live in self._known
        )

    def _unknown(self, session_id: str, request: UnknownRequest) -> Callable[[], object]:
        """Show a request whose outcome is not known where its session is shown."""
        for live in self._known:
            if live.monitor.session_id == session_id:
                return live.monitor.add_unknown(request)
        return lambda: None

    def _recorded(
        self, session_id: str, action: Literal["close", "cancel"]
    ) -> AbstractContextManager[None]:
        """Write down that a session is ended from here, by the client library's own call."""
        live = self.with_id(session_id)
        if live is None or live.inherited:
            return nullcontext()
        return recorded(live.monitor.poller, action, "notebook")

    def _block_begins(self, session: Any) -> None:
        """Report a second session that a ``with`` block of the user's opens, once per place."""
        live = self.bound
        if live is None or any(session is known.session for known in self.sessions()):
            return
        if session.session_id is None or self.with_id(session.session_id) is not None:
            # local testing mode, or a simulator: no session of the service's; or the same again
            return
        at = whereabouts()
        if live.usable and (live.monitor.session_id, at) not in self._blocks_told:
            self._blocks_told.add((live.monitor.session_id, at))
            NOTICES.emit(
                f"{at}: this with block runs in a session of its own, a second one beside the "
                f"{live.word} bound on {live.target.backend.name}; leave the block out to use that "
                "one."
            )

    def _inherited(self, session: Any) -> bool:
        """True in a forked child of the process that has opened or attached a session."""
        return any(
            live.inherited and live.monitor.session_id == session.session_id for live in self._known
        )

    def _current(self) -> Any | None:
        live = self.bound
        if live is None:
            return None if self.job_mode is None else self.job_mode.target.backend
        # a session that has ended is still handed out: the primitive's run then says in a sentence
        # what became of it, where job mode would bill by accident
        return live.session


def _liveliest(numbered: tuple[int, LiveSession]) -> tuple[bool, bool, int]:
    number, live = numbered
    return live.usable, not live.closed, number


BINDING = Binding()
"""The kernel's binding."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=BINDING.after_fork)
