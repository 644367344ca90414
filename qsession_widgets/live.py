"""A session that is open in this kernel: the client's own object, and the monitor that watches it.

`Session` and `Batch` are the client library's classes with two additions: they tell the monitor of
every submit, and they can show themselves. They can be passed as ``mode`` like the originals,
because they are them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import qiskit_ibm_runtime
from qiskit_ibm_runtime.exceptions import IBMError, IBMRuntimeError

from .client import ServiceClient, set_active
from .errors import UserError, explain
from .monitor import Monitor
from .service import Chosen
from .snapshot import SessionSnapshot

if TYPE_CHECKING:
    from plotly.graph_objects import Figure
    from qiskit_ibm_runtime import IBMBackend

    from .panel import SessionPanel


class SubmitError(UserError, IBMRuntimeError):  # type: ignore[misc]
    """A job was not accepted. The client library's error is its cause."""


class _Watched:
    """What our sessions and batches have beyond the client's."""

    _live: LiveSession | None = None

    def _run(self, program_id: str, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        live = self._live
        if live is not None:
            live.before_submit()
        try:
            job = super()._run(program_id, inputs, *args, **kwargs)  # type: ignore[misc]
        except IBMError as error:
            kind = live.chosen.info.kind if live is not None else "ibm"
            sentence = explain(error, doing=f"submit the {program_id} job", service=kind)
            raise SubmitError(sentence) from error
        if live is not None:
            live.monitor.submitted(job.job_id(), program_id, _count_pubs(inputs))
        return job

    def close(self) -> None:
        """Accept no more jobs; queued and running ones still finish."""
        super().close()  # type: ignore[misc]
        if self._live is not None:
            self._live.monitor.wake()

    def cancel(self) -> None:
        """Accept no more jobs and cancel queued ones; a running one finishes."""
        super().cancel()  # type: ignore[misc]
        if self._live is not None:
            self._live.monitor.wake()

    @property
    def snapshot(self) -> SessionSnapshot:
        """What is known of the session now: state, countdowns, jobs."""
        return self._watched().monitor.snapshot

    def panel(self) -> SessionPanel:
        """A new panel that shows this session."""
        return self._watched().panel()

    def timeline(self) -> Figure:
        """The session's jobs on a timeline, as a plotly figure."""
        from .timeline import timeline

        return timeline(self.snapshot, now=self._watched().monitor.now())

    def to_dataframe(self) -> Any:
        """The session's jobs as a pandas table: a row a job, times in seconds.

        Raises
        ------
        UserError
            pandas is not installed.
        """
        from .timeline import to_dataframe

        return to_dataframe(self.snapshot)

    def _watched(self) -> LiveSession:
        if self._live is None:
            raise UserError("This session is not watched: open it with %%session or open_session.")
        return self._live

    def __repr__(self) -> str:
        name = type(self).__name__
        if self._live is None:
            return f"<{name}>"
        snapshot = self._live.monitor.snapshot
        return f"<{name} on {snapshot.backend}, {snapshot.state}>"


class Session(_Watched, qiskit_ibm_runtime.Session):  # type: ignore[misc]
    """A Qiskit Runtime session that shows itself."""


class Batch(_Watched, qiskit_ibm_runtime.Batch):  # type: ignore[misc]
    """A Qiskit Runtime batch that shows itself."""


class LiveSession:
    """One open session with everything this kernel holds of it.

    Parameters
    ----------
    session : Session or Batch
        The client's object.
    backend : IBMBackend
        Where it runs.
    chosen : Chosen
        The service.
    monitor : Monitor
        Watches it.
    name : str
        The user's name for it.
    request : tuple
        What was asked for when it was opened, to recognise the same request again.
    """

    def __init__(
        self,
        session: Session | Batch,
        backend: IBMBackend,
        chosen: Chosen,
        monitor: Monitor,
        *,
        name: str = "",
        request: tuple[Any, ...] = (),
    ):
        self.session = session
        self.backend = backend
        self.chosen = chosen
        self.monitor = monitor
        self.name = name
        self.request = request
        self._panel: SessionPanel | None = None
        self._unsubscribe = monitor.subscribe(self._follow)
        session._live = self

    @property
    def closed(self) -> bool:
        """Whether it is closed, as far as is known."""
        return self.monitor.snapshot.state == "closed"

    @property
    def usable(self) -> bool:
        """Whether it takes another job."""
        snapshot = self.monitor.snapshot
        return snapshot.state != "closed" and snapshot.accepting_jobs

    def panel(self) -> SessionPanel:
        """A panel for this session; views of one panel share a single model."""
        if self._panel is None or self._panel.comm is None:
            from .panel import SessionPanel

            self._panel = SessionPanel(self.monitor)
        return self._panel

    def before_submit(self) -> None:
        """Refuse a job for a session that has ended elsewhere, before it is sent.

        Raises
        ------
        SubmitError
            The session takes no more jobs.
        """
        if not self.usable:
            raise SubmitError(ended_sentence(self.monitor.snapshot))

    def _follow(self, snapshot: SessionSnapshot) -> None:
        if not snapshot.accepting_jobs:
            set_active(self.session, False)


def open_live(
    chosen: Chosen,
    backend: IBMBackend,
    *,
    mode: str = "dedicated",
    max_time: int | None = None,
    name: str = "",
    notebook: str = "",
    expected_jobs: int | None = None,
    request: tuple[Any, ...] = (),
) -> LiveSession:
    """Open a session or batch on the service, and begin to watch it.

    Parameters
    ----------
    chosen : Chosen
        The service.
    backend : IBMBackend
        The backend.
    mode : {"dedicated", "batch"}
        Session or batch.
    max_time : int, optional
        Maximum time in seconds; the service's longest when not given.
    name, notebook, expected_jobs, request
        Kept for the views.

    Returns
    -------
    LiveSession
        Open and watched.

    Raises
    ------
    UserError
        The service refused; the sentence says why and what to do.
    """
    kind = Batch if mode == "batch" else Session
    word = "batch" if mode == "batch" else "session"
    try:
        session = kind(backend, max_time=max_time)
    except Exception as error:
        doing = f"open a {word} on {backend.name}"
        raise UserError(explain(error, doing=doing, service=chosen.info.kind)) from error
    return _watch(
        session, backend, chosen, name, request, notebook=notebook, expected_jobs=expected_jobs
    )


def attach_live(chosen: Chosen, session_id: str, *, name: str = "") -> LiveSession:
    """Take up a session that was opened elsewhere: by a kernel that is gone, or another notebook.

    Raises
    ------
    UserError
        There is no such session, or it is a batch, or it is closed.
    """
    try:
        session = Session.from_id(session_id, chosen.service)
    except Exception as error:
        doing = f"attach session {session_id}"
        raise UserError(explain(error, doing=doing, service=chosen.info.kind)) from error
    return _watch(session, session._backend, chosen, name, ())


def _watch(
    session: Session | Batch,
    backend: IBMBackend,
    chosen: Chosen,
    name: str,
    request: tuple[Any, ...],
    **fixed: Any,
) -> LiveSession:
    session_id = session.session_id
    if session_id is None:
        raise UserError(
            f"The backend {backend.name} is a simulator of the service's: it has no queue, so "
            "sessions do not exist there. Choose a device."
        )
    try:
        client = ServiceClient(chosen.service, session._instance)
        monitor = Monitor(client, session_id, chosen.info, name=name, **fixed)
    except Exception:
        # it is open and costs money, and nobody would know of it
        session.close()
        raise
    live = LiveSession(session, backend, chosen, monitor, name=name, request=request)
    monitor.start()
    return live


def ended_sentence(snapshot: SessionSnapshot) -> str:
    """Why a session takes no more jobs, and what to do."""
    how = ENDS.get(snapshot.state_reason or "", "it ended")
    return f"This session takes no more jobs: {how}. Open a new one with %%session."


ENDS: dict[str, str] = {
    "session_closed_early": "it was closed",
    "session_cancelled": "it was cancelled",
    "session_max_ttl_reached": "its maximum time is over",
    "session_never_used": "no job came for 30 minutes after it was opened",
}
"""How a session ended, by the service's ``state_reason``, as a clause."""


def _count_pubs(inputs: dict[str, Any]) -> int | None:
    pubs = inputs.get("pubs")
    if pubs is None:
        program = inputs.get("quantum_program") or {}
        pubs = program.get("items") if isinstance(program, dict) else None
    return len(pubs) if pubs is not None else None
