"""Values of series: read from results that the user's code reads, or logged by it."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Mapping
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import fork_safety
from ..errors import UserError
from ..model import READ_SERIES, SeriesPoint
from .job_facts import told_by

if TYPE_CHECKING:
    from ..monitoring.monitor import Monitor

UNKNOWN: tuple[object, ...] = (None, (), "executor")
"""Fields of a job that its result may tell: the client-side primitives all run one program."""

logger = logging.getLogger(__name__)


class ResultReader:
    """Records what each result that the user's code reads tells of its job, once per job.

    Parameters
    ----------
    monitors : callable
        Returns the monitors whose jobs are recorded.
    """

    def __init__(self, monitors: Callable[[], Iterable[Monitor]]):
        self._monitors = monitors
        self._read: set[tuple[str, str]] = set()
        self._lock = fork_safety.lock()

    def __call__(self, job_id: str, result: object) -> None:
        """Record the first value of a result, or its most frequent outcomes."""
        try:
            self._record(job_id, result)
        except Exception:
            # the user's code has its result, whatever else goes wrong
            logger.exception("The value of job %s could not be recorded", job_id)

    def _record(self, job_id: str, result: object) -> None:
        for monitor in self._monitors():
            # a job whose result is read is mostly one of the newest
            jobs = reversed(monitor.snapshot.jobs)
            if (job := next((job for job in jobs if job.id == job_id), None)) is not None:
                break
        else:
            return
        with self._lock:
            # a session that takes up a job shows its value, too
            if (monitor.session_id, job_id) in self._read:
                return
            self._read.add((monitor.session_id, job_id))
        # what the submit told is not told better
        told = {
            name: value
            for name, value in told_by(result).items()
            if value and getattr(job, name) in UNKNOWN
        }
        points = []
        known = (p.job_id == job_id and p.series == READ_SERIES for p in monitor.snapshot.points)
        # an earlier kernel may have read it
        if (found := first_value(result)) is not None and not any(known):
            value, error = found
            points = [SeriesPoint(READ_SERIES, value, monitor.now(), error, job_id=job_id)]
        monitor.result_read(job_id, told, points)


def first_value(result: object) -> tuple[float, float | None] | None:
    """The first expectation value of an estimator result, and its standard error if it has one.

    Returns
    -------
    tuple of (float, float or None), or None
        Of several PUBs or an array of values the first; None where there is no finite value.
    """
    from qiskit.primitives import PrimitiveResult

    if not isinstance(result, PrimitiveResult) or not len(result):
        return None
    data = result[0].data
    value = _first(getattr(data, "evs", None))
    return None if value is None else (value, _first(getattr(data, "stds", None)))


def _first(values: object) -> float | None:
    # a register of a sampler's circuit may have any name, too
    if not isinstance(values, Real | np.ndarray):
        return None
    array = np.asarray(values)
    if array.dtype.kind not in "fiu" or not array.size:
        return None
    first = float(array.flat[0])
    return first if math.isfinite(first) else None


EXAMPLE = "session.log(energy=-1.13), or session.log(step=3, energy=(-1.13, 0.02), gradient=0.4)"


def logged_points(
    unnamed: tuple[object, ...],
    step: object,
    series: Mapping[str, object],
    *,
    time: float,
    job_id: str | None,
) -> list[SeriesPoint]:
    """The points that a call of ``session.log`` describes.

    Raises
    ------
    UserError
        A value without a name, no value at all, or one that is no finite number.
    """
    if unnamed:
        raise UserError(f"session.log takes values by name only, as in {EXAMPLE}.")
    if not series:
        raise UserError(f"session.log needs a series and its value, as in {EXAMPLE}.")
    number = None if step is None else _number("step", step)
    points = []
    for name, given in series.items():
        value, error = given if isinstance(given, tuple) and len(given) == 2 else (given, None)
        found = _number(name, value)
        deviation = None if error is None else _number(f"the error of {name}", error)
        if deviation is not None and deviation < 0:
            raise UserError(f"session.log: the error of {name} is 0 or more, not {deviation:g}.")
        points.append(SeriesPoint(name, found, time, deviation, number, job_id))
    return points


def _number(name: str, given: Any) -> float:
    if isinstance(given, np.ndarray) and given.size == 1:
        given = given.reshape(())[()]
    if not isinstance(given, Real) or isinstance(given, bool):
        allowed = "a number" if name == "step" or " " in name else "a number, or (value, error)"
        raise UserError(f"session.log: {name} is {allowed}, not {_shown(given)}.")
    if not math.isfinite(given):
        raise UserError(
            f"session.log: {name} is {given}, and only finite numbers are recorded: leave it out "
            "of this call."
        )
    return float(given)


def _shown(given: object) -> str:
    if isinstance(given, np.ndarray):
        return f"an array of shape {given.shape}"
    text = repr(given)
    return text if len(text) <= 40 else f"a {type(given).__name__}"
