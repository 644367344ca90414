"""Members that a session, a batch and job mode have alike: views of their jobs, labels, values."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..model import SessionSnapshot
from ..monitoring.waiting import say_settling, wait_for
from .labels import Labels, checked

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from ..monitoring.monitor import Monitor
    from ..views.forecast import SessionForecast
    from ..views.receipt import Receipt


class JobGroup:
    """A group of jobs that a monitor follows."""

    _last_job: str | None = None
    """Id of the job that was sent last; a snapshot orders jobs by times of two clocks."""

    @property
    @abstractmethod
    def _monitor(self) -> Monitor:
        """Its monitor; views find it by this name, see `qsession_widgets.views.monitored`."""

    @property
    @abstractmethod
    def _labels(self) -> Labels:
        """The labels of the jobs that are sent from here."""

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
        # numpy is imported with it
        from .objective import logged_points

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
        return self._labels.hold(checked(name))

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

    def receipt(self) -> Receipt:
        """Work and cost in a table, which shows itself as text or HTML; ``print`` gives the text.

        Where no job is pending, exact times are asked for first, for 15 s at most.
        """
        from ..views.receipt import Receipt

        self._monitor.settle(waits=say_settling)
        return Receipt(self.snapshot, self._monitor.now())

    def export(self, path: str | Path) -> list[Path]:
        """Write it into a file, as ``%session export PATH`` does.

        Parameters
        ----------
        path : str or Path
            Ends in ``.json``, ``.csv``, ``.html``, ``.svg``, ``.pdf`` or ``.png``; a file that is
            there is replaced. PDF and PNG need matplotlib.

        Returns
        -------
        list of Path
            The files that were written; of a CSV with values of series, two.

        Raises
        ------
        UserError
            Another ending, or the file cannot be written.
        """
        from ..views.export import export

        self._monitor.settle(waits=say_settling)
        return export(self.snapshot, self._monitor.now(), path)
