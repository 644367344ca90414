"""Job mode, which is bound where a plan has no sessions: each job goes through the queue alone."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

from ..client.private_api import account_instance, api_url, backend_instance
from ..deferred_output import NOTICES
from ..errors import UserError
from ..registry.entries import entry_of, write_ended
from ..registry.schema import RegistryEntry
from ..resume.place import Place
from ..resume.runs import RUNS
from .job_group import JobGroup
from .labels import Labels

if TYPE_CHECKING:
    from qiskit_ibm_runtime import IBMBackend

    from ..client.selection import Target
    from ..monitoring.monitor import Monitor
    from ..monitoring.waits import OtherInstances
    from ..options.open_options import OpenOptions
    from ..views.panel import SessionPanel
    from .routed_circuits import RoutedCircuits


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
    read_only : bool
        Whether it is a group of an earlier kernel's jobs, which is only looked at.
    """

    target: Target
    options: OpenOptions
    monitor: Monitor
    elsewhere: OtherInstances
    labels: Labels = field(default_factory=Labels)
    read_only: bool = False

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

    def for_new_jobs(self) -> IBMBackend:
        """The backend, as the ``mode`` of a primitive.

        Raises
        ------
        UserError
            The group is read-only.
        """
        if self.read_only:
            raise UserError(code="jobs_read_only", backend=self.target.backend.name)
        return self.target.backend

    def submitted(self, job_id: str, program: str, inputs: dict[str, Any]) -> None:
        """Take in a job that was sent from here, and keep what the service does not."""
        # numpy is imported with it
        from . import job_facts

        primitive = job_facts.primitive_of(program, inputs)
        known = job_facts.submitted(program, inputs)
        known["label"] = self.labels.current()
        self._register()
        reused = RUNS.reused.get(job_id)
        self.monitor.submitted(job_id, primitive, reused=reused, **known)
        if reused is None:
            self._routed.submitted(job_id, inputs)

    @cached_property
    def _routed(self) -> RoutedCircuits:
        from .routed_circuits import RoutedCircuits

        def tell(_kind: str, text: str, **_data: object) -> None:
            if self.options.say != "never":
                NOTICES.emit(text)

        return RoutedCircuits(self.monitor, tell)

    def _register(self) -> None:
        """Write the registry's entry of the group, where there is none yet."""
        group = self.monitor.poller.journal_id
        if entry_of(group) is not None:
            return
        service, backend = self.target.connected.service, self.target.backend
        instance = backend_instance(backend) or account_instance(service)
        entry = RegistryEntry(
            group,
            url=api_url(service, instance),
            notebook=self.monitor.snapshot.notebook or os.environ.get("JPY_SESSION_NAME", ""),
            process=os.getpid(),
            name=self.options.name,
            backend=backend.name,
            opened_at=time.time(),
            instance=instance or "",
            account=self.target.connected.account or "",
        )
        # there is nothing open that anybody would have to end
        write_ended(group, lambda _known: entry)

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
