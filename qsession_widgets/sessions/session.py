"""Subclasses of the client library's Session and Batch that report submits and have views.

They can be passed as ``mode`` like the originals.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, NoReturn, SupportsIndex

import qiskit_ibm_runtime
from qiskit_ibm_runtime.exceptions import IBMError, IBMRuntimeError

from ..client.private_api import set_active, set_session
from ..deferred_output import NOTICES
from ..errors import OutcomeUnknown, UserError
from ..explanations import explain, still_open
from ..messages.outcomes import left_to_parent
from ..monitoring.end_reason import recorded
from ..resume.runs import RUNS
from . import job_facts
from .job_group import JobGroup
from .labels import Labels

if TYPE_CHECKING:
    from typing_extensions import Self

    from ..monitoring.monitor import Monitor
    from ..views.panel import SessionPanel
    from .session_owner import SessionOwner


class SubmitError(UserError, IBMRuntimeError):  # type: ignore[misc]
    """A job was not accepted. The client library's error is its context."""


class EndError(UserError, IBMRuntimeError):  # type: ignore[misc]
    """A session could not be closed or cancelled. The client library's error is its context."""


class _Watched(JobGroup):
    """Members that sessions and batches have beyond the client library's."""

    _live: SessionOwner | None = None

    def _run(
        self,
        program_id: str,
        inputs: dict[str, Any],
        options: dict[str, Any] | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        live = self._live
        unopened = live is not None and live.deferral is not None
        primitive = job_facts.primitive_of(program_id, inputs)
        if live is None:
            return self._send(primitive, program_id, inputs, options, *args, **kwargs)
        known = job_facts.submitted(program_id, inputs) | {"label": live.labels.current()}
        with live.send():
            if RUNS.taken is None:
                live.before_submit(known["executions"])
            options = live.with_tags(options)
            if RUNS.taken is not None:
                # an ended session has jobs that were paid for; new ones are refused on their way
                set_active(self, True)
            try:
                job = self._send(primitive, program_id, inputs, options, *args, **kwargs)
            finally:
                if not live.monitor.snapshot.accepting_jobs:
                    set_active(self, False)
            live.submits += 1
            self._last_job = job.job_id()
            reused = RUNS.reused.get(job.job_id())
            if reused is not None:
                set_session(job, reused.get("session_id"))
            elif unopened:
                set_session(job, live.monitor.session_id)
            live.monitor.submitted(job.job_id(), primitive, reused=reused, **known)
            if reused is None:
                live.routed.submitted(job.job_id(), inputs)
        return job

    def _send(self, primitive: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return super()._run(*args, **kwargs)  # type: ignore[misc]
        except OutcomeUnknown as error:
            # of a deferred session it is the opening whose answer was lost
            if self._live is not None and self._live.deferral is None:
                error.more = f"{self._live.accepted_all_the_same()} {error.more}"
                self._live.monitor.wake()
            raise
        except SubmitError:
            raise
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
        if self._live is not None:
            over = self._live.monitor.snapshot.state == "closed"
            self._live.drop()
            if self._live.deferral is not None:
                if not over:
                    NOTICES.emit(self._live.not_opened())
                return
        if self._live is not None and self._live.inherited:
            # it may be the end of a with block that the parent is still in
            NOTICES.emit(left_to_parent(self._live.word, str(self.session_id), action))
            return
        try:
            with self._recorded(action):
                getattr(super(), action)()
            if self._live is not None:
                # what is asked of it next knows of the end already
                self._live.monitor.poll()
        except OutcomeUnknown:
            raise
        except IBMError as error:
            word = "batch" if isinstance(self, Batch) else "session"
            text = explain(error, doing=f"{action} the {word}", service=self._kind)
            raise EndError(f"{text}{still_open(error, str(self.session_id))}") from None
        finally:
            if self._live is not None:
                self._live.monitor.wake()

    @property
    def session_id(self) -> str | None:
        """The service's id; asking for it opens a deferred session.

        None where that ended before it was opened.
        """
        if self._live is not None:
            self._live.open()
            if self._live.deferral is not None:
                return None
        found: str | None = super().session_id  # type: ignore[misc]
        return found

    def details(self) -> dict[str, Any] | None:
        """The service's fields of it, as of the client library; opens a deferred session."""
        found: dict[str, Any] | None = None
        if self.session_id is not None:
            found = super().details()  # type: ignore[misc]
        return found

    def usage(self) -> float | None:
        """Usage in seconds, as of the client library; 0 for a session that is not open yet."""
        if self._live is not None and self._live.deferral is not None:
            return 0.0
        found: float | None = super().usage()  # type: ignore[misc]
        return found

    def _recorded(self, action: str) -> AbstractContextManager[None]:
        live = self._live
        if live is None or live.monitor.snapshot.state == "closed":
            return nullcontext()
        return recorded(live.monitor.poller, action, "notebook")

    @property
    def _kind(self) -> str:
        return "ibm" if self._live is None else self._live.service_kind

    def on(self, event: str, callback: Callable[[dict[str, Any]], object]) -> Callable[[], None]:
        """Call a function for each event of a kind, as ``on("job_done", print)`` does.

        Parameters
        ----------
        event : str
            One of the events that ``--events`` writes, such as ``job_done``, ``guard_warned`` or
            ``closed``; ``*`` for all of them.
        callback : callable
            Takes the event as a dict with the fields of ``--events``, its sentence under ``text``.
            In a notebook it is called on the kernel's event loop, hence when the running cell is
            over or awaits; without an event loop, at once on another thread. It may end the
            session. What it raises is told once and changes nothing else.

        Returns
        -------
        callable
            Takes the callback off again, without arguments.

        Raises
        ------
        UserError
            There is no such event, or the callback is no function.
        """
        return self._watched().callbacks.add(event, callback)

    def panel(self) -> SessionPanel:
        """A new panel that shows this session."""
        return self._watched().panel()

    @property
    def _monitor(self) -> Monitor:
        return self._watched().monitor

    @property
    def _labels(self) -> Labels:
        return self._watched().labels

    def _watched(self) -> SessionOwner:
        if self._live is None:
            raise UserError("This session is not watched: open it with %%session or open_session.")
        return self._live

    def __copy__(self) -> Self:
        # a handle on one thing at the service: a copy means that same thing
        return self

    def __deepcopy__(self, _memo: dict[int, Any]) -> Self:
        return self

    def __reduce_ex__(self, _protocol: SupportsIndex) -> NoReturn:
        name = type(self).__name__
        raise NotPicklable(
            f"A {name.lower()} cannot be sent to another process: send session.session_id, and "
            f"take it up there with {name}.from_id(session_id, service)."
        )

    def __repr__(self) -> str:
        name = type(self).__name__
        if self._live is None:
            return f"<{name}>"
        snapshot = self._live.monitor.snapshot
        state = snapshot.state if self._live.deferral is None else "not opened"
        return f"<{name} on {snapshot.backend}, {state}>"


class NotPicklable(UserError, TypeError):
    """A session was to be sent to another process."""


class Session(_Watched, qiskit_ibm_runtime.Session):  # type: ignore[misc]
    """A Qiskit Runtime session with a panel, a timeline and snapshots."""


class Batch(_Watched, qiskit_ibm_runtime.Batch):  # type: ignore[misc]
    """A Qiskit Runtime batch with a panel, a timeline and snapshots."""
