"""Subclasses of the client library's Session and Batch that report submits and have views.

They can be passed as ``mode`` like the originals.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, SupportsIndex

import qiskit_ibm_runtime
from qiskit_ibm_runtime.exceptions import IBMError, IBMRuntimeError

from ..client.rest import set_active
from ..deferred_output import NOTICES
from ..errors import OutcomeUnknown, UserError
from ..explanations import explain, still_open
from ..model import SessionSnapshot
from ..monitoring.end_reason import recorded
from ..monitoring.waiting import say_settling, wait_for
from ..resume.runs import RUNS
from . import job_facts
from .labels import Labels, checked
from .objective import logged_points

if TYPE_CHECKING:
    from plotly.graph_objects import Figure
    from typing_extensions import Self

    from ..monitoring.event_callbacks import EventCallbacks
    from ..monitoring.monitor import Monitor
    from ..views.forecast import SessionForecast
    from ..views.panel import SessionPanel


class SessionOwner(Protocol):
    """The part of the kernel that has opened or attached a session, and monitors it."""

    submits: int
    callbacks: EventCallbacks
    labels: Labels

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

    def before_submit(self) -> None:
        """Refuse a job before it is sent."""

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


class SubmitError(UserError, IBMRuntimeError):  # type: ignore[misc]
    """A job was not accepted. The client library's error is its context."""


class EndError(UserError, IBMRuntimeError):  # type: ignore[misc]
    """A session could not be closed or cancelled. The client library's error is its context."""


class _Watched:
    """Members that sessions and batches have beyond the client library's."""

    _live: SessionOwner | None = None
    session_id: str | None
    _last_job: str | None = None
    """Id of the job that was sent last; a snapshot orders jobs by times of two clocks."""

    def _run(
        self,
        program_id: str,
        inputs: dict[str, Any],
        options: dict[str, Any] | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        live = self._live
        primitive = job_facts.primitive_of(program_id, inputs)
        if live is None:
            return self._send(primitive, program_id, inputs, options, *args, **kwargs)
        with live.send():
            if RUNS.taken is None:
                live.before_submit()
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
            known = job_facts.submitted(program_id, inputs) | {"label": live.labels.current()}
            live.monitor.submitted(job.job_id(), primitive, reused=reused, **known)
        return job

    def _send(self, primitive: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return super()._run(*args, **kwargs)  # type: ignore[misc]
        except OutcomeUnknown as error:
            if self._live is not None:
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
        if self._live is not None and self._live.inherited:
            # it may be the end of a with block that the parent is still in
            NOTICES.emit(
                f"This {self._live.word} belongs to the process that this one was forked from, and "
                f"was left as it is: {type(self).__name__}.from_id({self.session_id!r}, "
                f"service).{action}() ends it from here."
            )
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

    def _recorded(self, action: str) -> AbstractContextManager[None]:
        live = self._live
        if live is None or live.monitor.snapshot.state == "closed":
            return nullcontext()
        return recorded(live.monitor.poller, action, "notebook")

    @property
    def _kind(self) -> str:
        return "ibm" if self._live is None else self._live.service_kind

    @property
    def snapshot(self) -> SessionSnapshot:
        """The newest snapshot of the session: state, countdowns, jobs."""
        return self._monitor.snapshot

    def wait_for(
        self,
        condition: Callable[[SessionSnapshot], object] | None = None,
        *,
        timeout: float = 60.0,
    ) -> SessionSnapshot:
        """Wait until a condition holds, and return the snapshot that met it.

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
            condition is no function, or the timeout no number of seconds from 0 on.
        """
        return wait_for(self._monitor, condition, timeout)

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

    def timeline(self) -> Figure:
        """The session's jobs on a timeline, as a plotly figure."""
        from ..views.timeline import timeline

        return timeline(self.snapshot, now=self._monitor.now())

    def log(self, *unnamed: object, step: float | None = None, **series: Any) -> None:
        """Record values of series, as ``log(step=3, energy=-1.13)`` does, with time and latest job.

        The value of an estimator result is recorded by itself when ``job.result()`` reads it, in
        the series ``expectation value``; of several PUBs or an array, the first. Values are kept in
        this kernel: panel, `metrics`, exports and receipt show them.

        Parameters
        ----------
        step : float, optional
            The number of the step that the values belong to.
        **series : float or tuple of (float, float)
            A value for each series, by its name: a finite number, or a pair of a value and its
            standard error.

        Raises
        ------
        UserError
            No series, a value without a name, or one that is no finite number. Nothing is recorded
            then.
        """
        monitor = self._monitor
        jobs = reversed(monitor.snapshot.jobs)
        latest = self._last_job or next((job.id for job in jobs if not job.stray), None)
        monitor.add_points(logged_points(unnamed, step, series, time=monitor.now(), job_id=latest))

    def label(self, name: str) -> AbstractContextManager[None]:
        """Give a label to the jobs that a ``with`` block sends to this session, to group them.

        ``with session.label("R=0.75"):`` groups jobs in the panel, in tables, exports and the
        receipt, which has jobs, QPU time and cost of each label. Of nested blocks the inner one
        counts; ``@session.label("R=0.75")`` above a function labels the jobs of its calls. A label
        holds in its own thread or task and in the tasks that are started inside. Jobs of a thread
        that was started inside, such as a pool's, get it while no other label is in force.

        Parameters
        ----------
        name : str
            The label: 1 to 60 characters.

        Returns
        -------
        context manager
            Also a decorator.

        Raises
        ------
        UserError
            The label is no text, empty, or too long.
        """
        return self._watched().labels.hold(checked(name))

    def metrics(self) -> Any:
        """The values of every series as a pandas table, a row a value; after the end, too.

        Returns
        -------
        pandas.DataFrame
            Columns ``time`` (UTC, by the service's clock), ``job_id``, ``series``, ``value``,
            ``error`` (standard error; NaN when unknown) and ``step`` (NaN without one).

        Raises
        ------
        UserError
            pandas is not installed.
        """
        from ..views.objective import metrics_table

        return metrics_table(self.snapshot)

    def forecast(
        self, *, plan: str | None = None, queue_wait: float | str | None = None
    ) -> SessionForecast:
        """Forecast the work so far on IBM: as a session, as a batch, and in job mode.

        Parameters
        ----------
        plan : str, optional
            ``payg``, ``flex``, ``premium`` or ``open``; the session's own when not given.
        queue_wait : float or str, optional
            Wait in the normal queue, in seconds or as ``"2m"``; the one that its first job had when
            not given.

        Returns
        -------
        SessionForecast
            Shows itself as text or a table; ``found`` has the ranges of seconds, usage in seconds
            and US dollars, with what was assumed, and ``to_come`` what is left of ``--expect``.

        Raises
        ------
        UserError
            There is no such plan, the wait is no duration, or no job has ended yet.
        """
        from ..views.forecast import forecast_of

        monitor = self._monitor
        return forecast_of(monitor.snapshot, monitor.now(), plan=plan, queue_wait=queue_wait)

    def to_dataframe(self) -> Any:
        """The session's jobs as a pandas table: a row a job, times in seconds.

        Where no job is pending, exact times are asked for first, for 15 s at most; the column
        ``exact`` is False for times that are only as polling saw them.

        Raises
        ------
        UserError
            pandas is not installed.
        """
        from ..views.timeline import to_dataframe

        self._monitor.settle(waits=say_settling)
        return to_dataframe(self.snapshot)

    @property
    def _monitor(self) -> Monitor:
        # views find it by this name; see `qsession_widgets.views.monitored`
        return self._watched().monitor

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
        return f"<{name} on {snapshot.backend}, {snapshot.state}>"


class NotPicklable(UserError, TypeError):
    """A session was to be sent to another process."""


class Session(_Watched, qiskit_ibm_runtime.Session):  # type: ignore[misc]
    """A Qiskit Runtime session with a panel, a timeline and snapshots."""


class Batch(_Watched, qiskit_ibm_runtime.Batch):  # type: ignore[misc]
    """A Qiskit Runtime batch with a panel, a timeline and snapshots."""
