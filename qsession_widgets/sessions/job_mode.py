"""Job mode, which is bound where a plan has no sessions: each job goes through the queue alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ..resume.place import Place

if TYPE_CHECKING:
    from ..client.selection import Target
    from ..monitoring.monitor import Monitor
    from ..options.table import OpenOptions
    from ..views.panel import SessionPanel


@dataclass(frozen=True)
class JobMode:
    """A backend that primitives without a mode run on, in no session.

    Attributes
    ----------
    target : Target
        The service and the backend.
    options : OpenOptions
        The options it was requested with.
    monitor : Monitor
        Polls the jobs that are sent from here.
    """

    target: Target
    options: OpenOptions
    monitor: Monitor

    def place(self) -> Place:
        """The place of its jobs, on which their results depend; the service is asked once."""
        return self._place

    @cached_property
    def _place(self) -> Place:
        return Place(self.target)

    def panel(self) -> SessionPanel:
        """A panel that shows its jobs."""
        from ..views.panel import SessionPanel

        return SessionPanel(self.monitor)
