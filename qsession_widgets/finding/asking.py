"""Asks several services the same at once, and waits for none of them longer than so long.

Where a service is may itself have to be asked for: an account says which instances it reaches.
`ask` does both, each on a thread of its own, and hands out what came as it comes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..errors import UserError

if TYPE_CHECKING:
    from .places import Spot
    from .reaching import Place

T = TypeVar("T")

PATIENCE = 20.0
"""Seconds after which an account, or one of its instances, is not waited for any more."""

SILENT = (
    "{} did not answer in time: what is open there is not known. Try again in a minute; --instance "
    "and --account look at one place only."
)

Order = tuple[int, ...]


@dataclass(frozen=True)
class Reply(Generic[T]):
    """What one service answered.

    Attributes
    ----------
    order : tuple of int
        Sorts the replies as the spots were given, whichever came first.
    place : Place or None
        Who answered; None where nobody could be reached.
    answer : Any
        The answer, or why there is none, as a `UserError`.
    """

    order: Order
    place: Place | None
    answer: T | UserError


@dataclass(frozen=True)
class _UnderWay:
    order: Order
    place: Place | None
    silent: str
    deadline: float


def ask(
    spots: Iterable[Spot], question: Callable[[Place], T], patience: float | None = None
) -> Iterator[Reply[T]]:
    """Put a question to every place there is at some spots; each place is asked once.

    Parameters
    ----------
    spots : iterable of Spot
        Where to look.
    question : callable
        Asks one place; on a thread of its own. A `UserError` that it raises is its answer.
    patience : float, optional
        Seconds to wait, `PATIENCE` when not given: for each spot to say which places there are,
        and for each place to answer.

    Yields
    ------
    Reply
        As they come.
    """
    patience = PATIENCE if patience is None else patience
    arrived: SimpleQueue[tuple[int, Any]] = SimpleQueue()
    under_way: dict[int, _UnderWay] = {}
    seen: set[tuple[tuple[str, str], str]] = set()
    begun = 0

    def begin(order: Order, place: Place | None, silent: str, call: Callable[[], Any]) -> None:
        nonlocal begun
        begun += 1
        number = begun
        under_way[number] = _UnderWay(order, place, silent, time.monotonic() + patience)

        def work() -> None:
            try:
                outcome: Any = call()
            except BaseException as error:
                outcome = error
            arrived.put((number, outcome))

        # nobody waits for it at the process's end
        threading.Thread(target=work, name="qsession-asking", daemon=True).start()

    for index, spot in enumerate(spots):
        # what this machine takes its time for is not to count as the service's
        spot.prepare()
        begin((index,), None, spot.silent or SILENT.format(_upper_first(spot.words)), spot.reach)
    while under_way:
        number, outcome = _next(arrived, under_way)
        one = under_way.pop(number, None)
        if one is None:
            # it was given up
            continue
        if isinstance(outcome, BaseException) and not isinstance(outcome, UserError):
            raise outcome
        if one.place is not None or isinstance(outcome, UserError):
            yield Reply(one.order, one.place, outcome)
            continue
        for index, place in enumerate(outcome):
            order = (*one.order, index)
            if isinstance(place, UserError):
                yield Reply(order, None, place)
            elif (place.key, place.holder) not in seen:
                seen.add((place.key, place.holder))
                silent = SILENT.format(_upper_first(place.info.label))
                begin(order, place, silent, partial(question, place))


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
