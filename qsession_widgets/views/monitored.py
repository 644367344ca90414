"""The protocols by which views use a session: it has a monitor, which has snapshots."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ..model import EndReason, EndResult, SessionSnapshot


class MonitorLike(Protocol):
    """The members of a session's monitor that views use."""

    @property
    def snapshot(self) -> SessionSnapshot:
        """The newest snapshot."""

    def shown(self, snapshot: SessionSnapshot) -> SessionSnapshot:
        """A snapshot with what is known here before a poll tells it; see `Monitor.shown`."""

    def now(self) -> float:
        """The service's clock, estimated."""

    def subscribe(self, listener: Callable[[SessionSnapshot], None], /) -> Callable[[], None]:
        """Call ``listener`` with each new snapshot, on any thread; the result unsubscribes it."""

    def settle(self) -> None:
        """Ask for exact times of jobs for a bounded while; see `SessionPoller.settle`."""

    def command(self, action: str, job_id: str | None = None, *, by: EndReason = ...) -> EndResult:
        """Do ``close``, ``cancel`` or ``cancel_job`` and say in one sentence what came of it.

        Raises
        ------
        UserError
            When the service refused or could not be reached, in one sentence.
        """


class Monitored(Protocol):
    """A session of the client library's that has a monitor, which is no public member of it."""

    @property
    def _monitor(self) -> MonitorLike:
        """The monitor that polls it."""
