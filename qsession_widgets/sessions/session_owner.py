"""The part of the kernel that watches a session, as the user's session object needs it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from ..monitoring.event_callbacks import EventCallbacks
    from ..monitoring.monitor import Monitor
    from ..views.panel import SessionPanel
    from .labels import Labels
    from .routed_circuits import RoutedCircuits


class SessionOwner(Protocol):
    """The part of the kernel that has opened or attached a session, and monitors it."""

    submits: int
    callbacks: EventCallbacks
    labels: Labels
    routed: RoutedCircuits

    @property
    def deferral(self) -> object | None:
        """Its opening, while that is still to come; None once it is open."""

    @property
    def monitor(self) -> Monitor:
        """The monitor that polls the session."""

    @property
    def inherited(self) -> bool:
        """True in a forked child of the process that opened or attached it."""

    @property
    def service_kind(self) -> str:
        """``ibm`` or ``local``."""

    @property
    def word(self) -> str:
        """``session`` or ``batch``."""

    def price_sentence(self) -> str:
        """The price of an open session, as a sentence."""

    def before_submit(self, executions: int | None = None) -> None:
        """Refuse a job before it is sent, by the executions that it asks for among others."""

    def send(self) -> AbstractContextManager[None]:
        """Count a job as being sent."""

    def with_tags(self, options: dict[str, Any] | None) -> dict[str, Any] | None:
        """The client's options for a job, with the session's tags."""

    def refused(self, sentence: str, error: BaseException) -> str:
        """The reason why a job was not accepted."""

    def accepted_all_the_same(self) -> str:
        """The consequence if a job was accepted although its answer was lost."""

    def panel(self) -> SessionPanel:
        """A panel for the session."""

    def open(self) -> None:
        """Open it, where that was put off until now."""

    def drop(self) -> None:
        """Do not open it any more, if it is not open."""

    def not_opened(self) -> str:
        """A sentence about it where it was not opened."""
