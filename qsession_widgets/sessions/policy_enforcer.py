"""A thread that ends a session when the rules of `qsession_widgets.sessions.policies` say so.

It wakes when something changed, or when the next limit is due.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from .. import fork_safety
from ..errors import UserError
from ..messages import outcomes
from ..model import EndReason, EndResult, SessionSnapshot, noun
from .policies import Policies, PolicyVerdict, judge

if TYPE_CHECKING:
    from collections.abc import Hashable

logger = logging.getLogger(__name__)

RETRY = 5.0
"""Seconds after which an end that failed is tried again."""
TIMEOUT = 60.0
"""The most seconds between two looks while usage goes on."""


class _Watches(Protocol):
    @property
    def snapshot(self) -> SessionSnapshot: ...
    def now(self) -> float: ...
    def subscribe(self, callback: Callable[[SessionSnapshot], object], /) -> Callable[[], None]: ...
    def command(
        self,
        action: str,
        job_id: str | None = None,
        *,
        by: EndReason = ...,
        spent: float | None = ...,
    ) -> EndResult: ...


class PolicyEnforcer:
    """Enforces the policies of one session, on a thread of its own.

    Parameters
    ----------
    rules : Policies
        The rules; at least one.
    monitor : Monitor
        Watches the session and ends it.
    say : callable
        Takes what happened, one of `qsession_widgets.model.events.KINDS`, and a sentence for the
        user; on the guard's thread.
    sending : callable
        Whether a job is being sent.

    Attributes
    ----------
    ended_why : str
        Why it has ended the session, as a clause; empty while it has not.
    """

    def __init__(
        self,
        rules: Policies,
        monitor: _Watches,
        say: Callable[[str, str], object],
        sending: Callable[[], bool] = lambda: False,
    ):
        self.rules = rules
        self.ended_why = ""
        self._monitor = monitor
        self._say = say
        self._sending = sending
        self._said: set[Hashable] = set()
        self._changed = fork_safety.event()
        self._stopped = fork_safety.event()
        self._unsubscribe = monitor.subscribe(lambda _snapshot: self._changed.set())
        self._thread = threading.Thread(target=self._watch, name="qsession-guard", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop enforcing them."""
        self._unsubscribe()
        self._stopped.set()
        self._changed.set()

    def refusal(self, executions: int | None = None) -> str | None:
        """The reason why a job of so many executions must not be sent now; None when it may be."""
        snapshot, now = self._monitor.snapshot, self._monitor.now()
        return judge(self.rules, snapshot, now, executions=executions).refuse

    def _watch(self) -> None:
        wait: float | None = 0.0
        while not self._stopped.is_set():
            self._changed.wait(wait)
            self._changed.clear()
            if self._stopped.is_set():
                return
            try:
                wait = self._look()
            except Exception:
                # whatever it was, the session must not go on unguarded
                logger.exception("A guard failed to look at its session")
                wait = RETRY

    def _look(self) -> float | None:
        """Do what the rules say; real seconds until the next look, None for the next change."""
        snapshot = self._monitor.snapshot
        if snapshot.state == "closed":
            self.stop()
            return 0.0
        verdict = judge(self.rules, snapshot, self._monitor.now(), sending=self._sending())
        if verdict.warn is not None and "warn" not in self._said:
            self._said.add("warn")
            self._say("guard_warned", verdict.warn)
        if verdict.end is not None and verdict.how not in self._said:
            return self._end(verdict)
        if verdict.again_in is None:
            return None
        return min(TIMEOUT, verdict.again_in / (snapshot.service.speed or 1.0) + 0.01)

    def _end(self, verdict: PolicyVerdict) -> float | None:
        why, how = verdict.end or "", verdict.how
        # before the end is seen, for a job that is sent then is refused with it
        self.ended_why = why
        try:
            result = self._monitor.command(how, by=verdict.by, spent=verdict.spent)
        except UserError as error:
            self.ended_why = ""
            if "failed" not in self._said:
                self._said.add("failed")
                self._say(
                    "guard_failed",
                    f"This {noun(self._monitor.snapshot)} was to be ended because {why}. {error}",
                )
            return RETRY
        self._said.add(how)
        said = outcomes.ended(result, noun(self._monitor.snapshot))
        self._say("guard_closed", f"{said} It was ended because {why}.")
        return None
