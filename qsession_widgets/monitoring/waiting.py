"""Waiting until a session has come to some point, without asking the service more for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..errors import UserError
from ..formatting import format_duration
from ..messages.labels import headline
from ..messages.outcomes import settling
from ..model import SessionSnapshot, noun
from .poller import SETTLE_SECONDS

if TYPE_CHECKING:
    from .monitor import Monitor

LOOK_AGAIN = 0.5
"""The most seconds between two looks: not every fact is news to a view, and so published."""

SILENCE = 5.0
"""Seconds from which on a wait without an answer says so: a question may take as long."""


def wait_for(
    monitor: Monitor, condition: Callable[[SessionSnapshot], object] | None, timeout: float
) -> SessionSnapshot:
    """Do what ``Session.wait_for`` promises, for the session that a monitor watches."""
    wanted = condition or monitor.finished
    if not callable(wanted):
        raise UserError(
            "wait_for takes a function of a snapshot, as in session.wait_for(lambda s: s.state == "
            f"'closed'), not {condition!r}."
        )
    given: object = timeout
    number = isinstance(given, (int, float)) and not isinstance(given, bool)
    if not number or not timeout >= 0:
        raise UserError(
            f"timeout is a number of seconds, 0 or more, as in timeout=60, not {timeout!r}."
        )
    until = time.monotonic() + timeout
    changed = threading.Event()
    unsubscribe = monitor.subscribe(lambda _snapshot: changed.set())
    try:
        monitor.wake()
        while True:
            snapshot = monitor.snapshot
            if wanted(snapshot):
                return snapshot
            left = until - time.monotonic()
            if left <= 0:
                problem = snapshot.problem or _silence(monitor, timeout)
                raise UserError(_gave_up(snapshot, timeout, problem, closing=condition is None))
            changed.wait(min(LOOK_AGAIN, left))
            changed.clear()
            if not monitor.polls:
                monitor.poll()
    finally:
        unsubscribe()


def _silence(monitor: Monitor, timeout: float) -> str | None:
    """That no question was answered since the wait began, with one; None where one was."""
    snapshot = monitor.snapshot
    silent = (monitor.now() - snapshot.answered_at) / (snapshot.service.speed or 1.0)
    if timeout < SILENCE or silent <= timeout or monitor.finished():
        return None
    return f"The service has not answered for {format_duration(silent)}."


def _gave_up(
    snapshot: SessionSnapshot, timeout: float, problem: str | None, *, closing: bool
) -> str:
    word = noun(snapshot)
    state = headline(snapshot)
    waited = f"This did not happen within {format_duration(timeout)}"
    pending = len(snapshot.pending())
    jobs = f"{pending} job{'' if pending == 1 else 's'} pending"
    if problem is not None:
        return (
            f"{waited}, as far as is known. {problem.rstrip('.')}. What it said last: the "
            f"{word} is {state.lower()}, {jobs}. Wait longer with timeout=."
        )
    if closing and snapshot.state != "closed" and snapshot.accepting_jobs:
        return f"{waited}: the {word} is still open ({state}). Close it first: %session close."
    return f"{waited}: the {word} is {state.lower()}, {jobs}. Wait longer with timeout=."


def say_settling(jobs: int) -> None:
    """Print the number of jobs whose times are waited for; see `SessionPoller.settle`."""
    print(settling(jobs, SETTLE_SECONDS))
