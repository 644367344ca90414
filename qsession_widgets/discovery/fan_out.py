"""Ask several services the same question at once, each with a timeout.

Endpoints may have to be requested first: an account knows which instances it reaches. `fan_out`
does both, each request on a thread of its own, and yields replies as they come.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

from ..errors import UserError
from .endpoints import Endpoint, EndpointSource

T = TypeVar("T")

TIMEOUT = 20.0
"""Seconds after which an account, or one of its instances, is not waited for any more."""

STARTING = 90.0
"""Seconds after which an emulator is not waited for any more that has to be started first."""

SILENT = (
    "{} did not answer in time: what is open there is not known. Try again in a minute; --instance "
    "and --account look at one place only."
)

Order = tuple[int, ...]


@dataclass(frozen=True)
class Reply(Generic[T]):
    """The answer of one service.

    Attributes
    ----------
    order : tuple of int
        Sorts the replies as the sources were given, whichever came first.
    endpoint : Endpoint or None
        The service; None where no endpoint could be reached.
    answer : Any
        The answer, or why there is none, as a `UserError`.
    """

    order: Order
    endpoint: Endpoint | None
    answer: T | UserError


@dataclass(frozen=True)
class _UnderWay:
    order: Order
    endpoint: Endpoint | None
    silent: str
    deadline: float


def fan_out(
    sources: Iterable[EndpointSource],
    question: Callable[[Endpoint], T],
    timeout: float | None = None,
) -> Iterator[Reply[T]]:
    """Ask every endpoint of some sources a question; each endpoint is asked once.

    Parameters
    ----------
    sources : iterable of EndpointSource
        The sources.
    question : callable
        Asks one endpoint, on a thread of its own. A `UserError` that it raises becomes the answer.
    timeout : float, optional
        Seconds to wait, `TIMEOUT` when not given: for each source to say which endpoints there are,
        and for each endpoint to answer.

    Yields
    ------
    Reply
        As they come.
    """
    timeout = TIMEOUT if timeout is None else timeout
    arrived: SimpleQueue[tuple[int, Any]] = SimpleQueue()
    under_way: dict[int, _UnderWay] = {}
    seen: set[tuple[tuple[str, str], str]] = set()
    begun = 0

    def begin(
        order: Order, endpoint: Endpoint | None, silent: str, call: Callable[[], Any]
    ) -> None:
        nonlocal begun
        begun += 1
        number = begun
        under_way[number] = _UnderWay(order, endpoint, silent, time.monotonic() + timeout)

        def work() -> None:
            try:
                outcome: Any = call()
            except BaseException as error:
                outcome = error
            arrived.put((number, outcome))

        # a daemon: the end of the process does not wait for it
        threading.Thread(target=work, name="qsession-asking", daemon=True).start()

    for index, source in enumerate(sources):
        # the time that imports take must not count as the service's
        source.prepare()
        begin(
            (index,), None, source.silent or SILENT.format(_upper_first(source.words)), source.reach
        )
    while under_way:
        number, outcome = _next(arrived, under_way)
        one = under_way.pop(number, None)
        if one is None:
            # it was given up
            continue
        if isinstance(outcome, BaseException) and not isinstance(outcome, UserError):
            raise outcome
        if one.endpoint is not None or isinstance(outcome, UserError):
            yield Reply(one.order, one.endpoint, outcome)
            continue
        for index, endpoint in enumerate(outcome):
            order = (*one.order, index)
            if isinstance(endpoint, UserError):
                yield Reply(order, None, endpoint)
            elif (endpoint.key, endpoint.owner_key) not in seen:
                seen.add((endpoint.key, endpoint.owner_key))
                silent = SILENT.format(_upper_first(endpoint.info.label))
                begin(order, endpoint, silent, partial(question, endpoint))


def nearest_first(
    sources: Iterable[EndpointSource], question: Callable[[Endpoint], T]
) -> Iterator[Iterator[Reply[T]]]:
    """Ask the endpoints of some sources in turns, those that are near before those that are far.

    Parameters
    ----------
    sources : iterable of EndpointSource
        The sources.
    question : callable
        As of `fan_out`.

    Yields
    ------
    iterator of Reply
        Those of one turn. Nothing is asked for the next one before it is taken.
    """
    ordered = sorted(sources, key=lambda source: source.turn)
    for turn, near in itertools.groupby(ordered, key=lambda source: source.turn):
        yield fan_out(list(near), question, STARTING if turn == 2 else None)


def _next(
    arrived: SimpleQueue[tuple[int, Any]], under_way: dict[int, _UnderWay]
) -> tuple[int, Any]:
    """The next outcome; of what took too long, a sentence that says so."""
    number = min(under_way, key=lambda known: under_way[known].deadline)
    late = under_way[number]
    try:
        return arrived.get(timeout=max(0.0, late.deadline - time.monotonic()))
    except Empty:
        return number, UserError(late.silent)


def _upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]
