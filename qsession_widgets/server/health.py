"""Health of a service: whether it answers, since when not, and the back-off until the next request.

What a service says of one workload, that there is none for instance, says nothing of the service.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from ..client.rest import Answer
from ..errors import ServiceError, UserError
from ..explanations import advice_for
from ..model import ServiceInfo
from ..monitoring.service_clock import ServiceClock

BACKOFF: dict[str, float] = {"local": 4.0, "joined": 30.0, "ibm": 60.0}
"""The most seconds for which a service that fails is left alone."""

LONGEST_REST = 300.0
"""The most seconds that a service can ask for."""

SLOW = "The service is slow to answer: what is shown is what it said last."


class _Watched(Protocol):
    info: ServiceInfo
    clock: ServiceClock


class Health:
    """One service's.

    Parameters
    ----------
    service : object
        Has the service's ``info`` and ``clock``.
    slow_after : float
        Seconds without an answer after which it is called slow.

    Attributes
    ----------
    answered_at : float or None
        When it answered last, on its clock.
    absent : str or None
        Why it must not be asked at all, in a sentence.
    failing : bool
        Whether something failed in the turn that is going on, or in the last one.
    refused : bool
        Whether it did not accept the credentials then.
    recovered : bool
        Whether it answered then after it had not.
    """

    def __init__(self, service: _Watched, slow_after: float):
        self.answered_at: float | None = None
        self.absent: str | None = None
        self.refused = self.recovered = False
        self._service = service
        self._slow_after = slow_after
        self._failure: ServiceError | UserError | None = None
        self._failures = 0
        self._waiting_since: float | None = None
        self._slow_now = self._slow_before = False
        self._rest_until = 0.0
        self._said: str | None = None
        self._problem_since: float | None = None

    @property
    def failing(self) -> bool:
        """True if something failed."""
        return self._failure is not None

    @property
    def problem(self) -> str | None:
        """The problem with reaching the service, in words; None while it answers."""
        if self.absent is not None or self._said is not None:
            return self.absent or self._said
        waiting = self._waiting_since
        silent = waiting is not None and time.monotonic() - waiting > self._slow_after
        return SLOW if silent or self._slow_now or self._slow_before else None

    def problem_since(self) -> float | None:
        """Since when there is one, on the service's clock."""
        if self.problem is None:
            self._problem_since = None
        elif self._problem_since is None:
            self._problem_since = self._service.clock.now()
        return self._problem_since

    def rest(self) -> float:
        """Seconds for which it is to be left alone."""
        return max(0.0, self._rest_until - time.monotonic())

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Around the questions of one turn."""
        self._failure, self._slow_now = None, False
        self._waiting_since = time.monotonic()
        try:
            yield
        finally:
            self._waiting_since = None
            self._conclude()

    def record(self, result: Answer | ServiceError) -> None:
        """Take in an answer, or that there was none."""
        waiting = self._waiting_since
        if waiting is not None:
            self._waiting_since = time.monotonic()
            self._slow_now |= self._waiting_since - waiting > self._slow_after
        if isinstance(result, ServiceError):
            if result.status in (None, 401, 403, 408, 429) or (result.status or 0) >= 500:
                self._failure = result
            return
        clock = self._service.clock
        if result.date is not None:
            clock.observe(result.date, result.sent, result.received)
        self.answered_at = clock.now()

    def fail(self, error: ServiceError | UserError) -> None:
        """Take in that a turn could not be finished."""
        self._failure = self._failure or error

    def _conclude(self) -> None:
        failure = self._failure
        self._slow_before = self._slow_now
        self.recovered = failure is None and self._said is not None
        self.refused = isinstance(failure, ServiceError) and failure.status == 401
        if failure is None:
            self._said, self._failures = None, 0
            return
        self._said = _sentence(failure)
        self._failures += 1
        rest = min(0.5 * 2.0 ** min(self._failures, 10), BACKOFF[self._service.info.where])
        if isinstance(failure, ServiceError) and failure.retry_after is not None:
            rest = max(rest, min(failure.retry_after, LONGEST_REST))
        self._rest_until = time.monotonic() + rest


def _sentence(error: ServiceError | UserError) -> str:
    if isinstance(error, UserError):
        return str(error).split("\n", 1)[0]
    if error.status is None:
        return error.message
    advice = advice_for(error.code, error.status)
    if advice is not None:
        return f"{advice.what}. {advice.do}"
    return f"The service answers with an error ({error.status}): it is asked again soon."
