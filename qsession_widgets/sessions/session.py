"""The client library's sessions and batches, which tell of every submit and can show themselves.

They can be passed as ``mode`` like the originals, because they are them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import qiskit_ibm_runtime
from qiskit_ibm_runtime.exceptions import IBMError, IBMRuntimeError

from ..errors import UserError, explain, still_open
from ..snapshot import SessionSnapshot
from ..watching.waiting import wait_for

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from ..views.panel import SessionPanel
    from .live import LiveSession


class SubmitError(UserError, IBMRuntimeError):  # type: ignore[misc]
    """A job was not accepted. The client library's error is its context."""


class EndError(UserError, IBMRuntimeError):  # type: ignore[misc]
    """A session could not be closed or cancelled. The client library's error is its context."""


class _Watched:
    """What our sessions and batches have beyond the client's."""

    _live: LiveSession | None = None
    session_id: str | None

    def _run(
        self,
        program_id: str,
        inputs: dict[str, Any],
        options: dict[str, Any] | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        live = self._live
        primitive, pubs = primitive_of(program_id, inputs)
        if live is None:
            return self._send(primitive, program_id, inputs, options, *args, **kwargs)
        live.before_submit()
        with live.send():
            options = live.with_tags(options)
            job = self._send(primitive, program_id, inputs, options, *args, **kwargs)
            live.submits += 1
            live.monitor.submitted(job.job_id(), primitive, pubs)
        return job

    def _send(self, primitive: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return super()._run(*args, **kwargs)  # type: ignore[misc]
        except IBMError as error:
            sentence = explain(error, doing=f"submit the {primitive} job", service=self._kind)
            if self._live is not None:
                sentence = self._live.refused(sentence, error)
            raise SubmitError(sentence) from None

    def close(self) -> None:
        """Accept no more jobs; queued and running ones still finish.

        Raises
        ------
        EndError
            The service refused or did not answer.
        """
        self._end("close")

    def cancel(self) -> None:
        """Accept no more jobs and cancel queued ones; a running one finishes.

        Raises
        ------
        EndError
            The service refused or did not answer.
        """
        self._end("cancel")

    def _end(self, action: str) -> None:
        try:
            getattr(super(), action)()
        except IBMError as error:
            word = "batch" if isinstance(self, Batch) else "session"
            text = explain(error, doing=f"{action} the {word}", service=self._kind)
            raise EndError(f"{text}{still_open(error, str(self.session_id))}") from None
        finally:
            if self._live is not None:
                self._live.monitor.wake()

    @property
    def _kind(self) -> str:
        return "ibm" if self._live is None else self._live.chosen.info.kind

    @property
    def snapshot(self) -> SessionSnapshot:
        """What is known of the session now: state, countdowns, jobs."""
        return self._watched().monitor.snapshot

    def wait_for(
        self,
        condition: Callable[[SessionSnapshot], object] | None = None,
        *,
        timeout: float = 60.0,
    ) -> SessionSnapshot:
        """Wait until something is so, and return what was known then.

        Parameters
        ----------
        condition : callable, optional
            Takes a snapshot, and says whether this is what is waited for. Without one: until the
            session is closed and its usage and the times of its jobs are final.
        timeout : float
            The most seconds to wait, on this machine's clock.

        Returns
        -------
        SessionSnapshot
            The first one that met the condition.

        Raises
        ------
        UserError
            It did not happen in that time; the sentence says what the session was doing. Or the
            condition is no function.
        """
        return wait_for(self._watched().monitor, condition, timeout)

    def panel(self) -> SessionPanel:
        """A new panel that shows this session."""
        return self._watched().panel()

    def timeline(self) -> Figure:
        """The session's jobs on a timeline, as a plotly figure."""
        from ..views.timeline import timeline

        return timeline(self.snapshot, now=self._watched().monitor.now())

    def to_dataframe(self) -> Any:
        """The session's jobs as a pandas table: a row a job, times in seconds.

        Raises
        ------
        UserError
            pandas is not installed.
        """
        from ..views.timeline import to_dataframe

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


def primitive_of(program_id: str, inputs: dict[str, Any]) -> tuple[str, int | None]:
    """Which primitive a program's inputs come from, and how many PUBs they hold if they tell.

    The client-side primitives send a program ``executor`` that says which of them made it.
    """
    if "pubs" in inputs:
        return program_id, len(inputs["pubs"])
    program = inputs.get("quantum_program")
    role = program.get("semantic_role") if isinstance(program, dict) else None
    return (re.sub(r"[-_]v\d+$", "", str(role)) if role else program_id), None
