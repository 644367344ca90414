"""Job mode, which is bound where a plan has no sessions: each job goes through the queue alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NoReturn

from ..errors import UserError
from ..resume.place import Place
from .job_group import JobGroup
from .labels import Labels

if TYPE_CHECKING:
    from ..client.selection import Target
    from ..monitoring.monitor import Monitor
    from ..monitoring.waits import OtherInstances
    from ..options.open_options import OpenOptions
    from ..views.panel import SessionPanel


@dataclass(frozen=True, repr=False)
class JobMode(JobGroup):
    """A backend that primitives without a mode run on, in no session.

    The notebook has it under the name of the session, so that a cell which labels jobs, logs
    values or exports them runs on any plan; as ``mode`` of a primitive it means the backend.

    Attributes
    ----------
    target : Target
        The service and the backend.
    options : OpenOptions
        The options it was requested with.
    monitor : Monitor
        Polls the jobs that are sent from here.
    elsewhere : OtherInstances
        Where else a session may be that the jobs wait for.
    labels : Labels
        The user's labels for jobs.
    """

    target: Target
    options: OpenOptions
    monitor: Monitor
    elsewhere: OtherInstances
    labels: Labels = field(default_factory=Labels)

    def __repr__(self) -> str:
        return f"<Job mode on {self.target.backend.name}>"

    @property
    def session_id(self) -> None:
        """None: there is no session."""

    def close(self) -> NoReturn:
        """Say that there is no session to close.

        Raises
        ------
        UserError
            Always.
        """
        raise UserError(code="no_session_in_job_mode")

    cancel = close

    @property
    def _monitor(self) -> Monitor:
        return self.monitor

    @property
    def _labels(self) -> Labels:
        return self.labels

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
