"""Fault injection: errors, delays and lost answers for the next requests, to test clients."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from itertools import count
from typing import Any, Literal, get_args

Body = Literal[
    "malformed", "truncated", "list", "null", "empty", "html", "object", "nulls", "deep", "number"
]
BODIES: tuple[Body, ...] = get_args(Body)
"""Bodies that make no sense to a client, each complete as far as HTTP is concerned."""

HTML = b"<html><body><h1>Please sign in</h1></body></html>"


@dataclass(frozen=True)
class Fault:
    """One fault and the requests it hits.

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
        Real seconds the answer is late; with ``after`` the request takes effect before them.
    status : int or None
        The HTTP status that is answered, mostly of an error.
    code : int or None
        IBM's code of that error.
    message : str
        What it says.
    drop : bool
        Whether the connection is closed without an answer.
    half : bool
        Whether the connection is closed in the middle of the answer's body.
    after : bool
        Whether the request takes effect before its answer is late, lost or replaced by an error.
    body : str or None
        The body that stands in the answer's place: beside ``status``, that of the error; without
        it the request takes effect, and its own status is answered, 200 for one without a body.
        One of ``malformed``, ``truncated``, ``list``, ``null``, ``empty``, ``html``; ``object``, an
        empty one; ``nulls``, the answer with null for each of its values; ``deep``, with lists
        nested too deeply to be read; ``number``, with one of too many digits as its id.
    retry_after : int or None
        Seconds of the ``Retry-After`` header of an error.
    late : float or None
        Beside ``drop`` or ``status``: real seconds after which the request takes effect all the
        same, when nobody waits for its answer any more.
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
    body: Body | None = None
    retry_after: int | None = None
    late: float | None = None

    def spoil(self, whole: bytes) -> bytes:
        """The body that stands in the place of a whole one."""
        bodies: dict[Body | None, bytes] = {
            "malformed": b'{"id":',
            "truncated": whole[: len(whole) // 2],
            "list": b"[]",
            "null": b"null",
            "empty": b"",
            "html": HTML,
            "object": b"{}",
            "nulls": b"" if self.body != "nulls" else _nulled(whole),
            "deep": b'{"id":' + b"[" * 100_000,
            "number": b'{"id":' + b"9" * 5000 + b"}",
        }
        return bodies.get(self.body, whole)

    def hits(self, method: str, path: str) -> bool:
        """True if the fault matches a request."""
        return self.method in ("*", method) and fnmatchcase(path, self.path)


def _nulled(whole: bytes) -> bytes:
    return json.dumps(_nulls(json.loads(whole or b"{}"))).encode()


def _nulls(value: Any) -> Any:
    """A value of JSON with null for all that is in it but lists and objects."""
    if isinstance(value, dict):
        return {key: _nulls(part) for key, part in value.items()}
    return [_nulls(part) for part in value] if isinstance(value, list) else None


@dataclass
class Faults:
    """The faults that wait for matching requests.

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
