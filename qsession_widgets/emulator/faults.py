"""Faults on demand: what goes wrong with the next requests, for testing how a client takes it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from itertools import count


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong.

    Attributes
    ----------
    method, path : str
        Which requests it hits; ``*`` stands for anything, in the path also for a part of it. Paths
        are those of the service, without what comes before: ``/jobs``, ``/sessions/*``,
        ``/identity/token``.
    times : int or None
        How many requests it hits; all of them when None.
    probability : float
        Of the requests that match, the share it hits.
    delay : float
        Real seconds the answer is late.
    status : int or None
        The HTTP status of an error that is answered.
    code : int or None
        IBM's code of that error.
    message : str
        What it says.
    drop : bool
        Whether the connection is closed without an answer.
    half : bool
        Whether the connection is closed in the middle of the answer's body.
    after : bool
        Whether the request takes effect before its answer is lost or replaced.
    """

    method: str = "*"
    path: str = "*"
    times: int | None = 1
    probability: float = 1.0
    delay: float = 0.0
    status: int | None = None
    code: int | None = None
    message: str = "This fault was asked for."
    drop: bool = False
    half: bool = False
    after: bool = False

    def hits(self, method: str, path: str) -> bool:
        """Whether it is about such a request."""
        return self.method in ("*", method) and fnmatchcase(path, self.path)


@dataclass
class Faults:
    """The faults that are waiting for requests.

    Attributes
    ----------
    seed : int or None
        Where the choice of those with a probability begins.
    """

    seed: int | None = None
    _waiting: dict[int, Fault] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.reseed(self.seed)

    def reseed(self, seed: int | None) -> None:
        """Begin the choice of those with a probability again."""
        self.seed = seed
        self._random = random.Random(seed)

    def add(self, fault: Fault) -> int:
        """Let a fault wait for its requests; returns its number."""
        number = next(self._numbers)
        self._waiting[number] = fault
        return number

    def waiting(self) -> dict[int, Fault]:
        """Those that are left, by number."""
        return dict(self._waiting)

    def remove(self, number: int) -> bool:
        """Forget one; returns whether it was there."""
        return self._waiting.pop(number, None) is not None

    def clear(self) -> None:
        """Forget them all."""
        self._waiting.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that hits a request, the oldest when several do."""
        for number, fault in self._waiting.items():
            if not fault.hits(method, path) or self._random.random() >= fault.probability:
                continue
            if fault.times is not None:
                if fault.times <= 1:
                    del self._waiting[number]
                else:
                    self._waiting[number] = replace(fault, times=fault.times - 1)
            return fault
        return None
