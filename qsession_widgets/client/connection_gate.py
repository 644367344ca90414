"""Connections of the client library that may be made at the same time.

The library reads where to from the environment, and an emulator is reached by changing that for the
whole process. An account's key and tokens are not to go to somebody else's service meanwhile, and
an account that does not answer is not to hold up this machine's emulator.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from .. import fork_safety
from ..errors import UserError

SECONDS = 60.0
"""Seconds to wait for another connection that is being made."""

_changing = fork_safety.lock()
_counting = fork_safety.lock()
_reading: dict[int, int] = {}
"""The number of accounts being connected to, by the number of forks; a child begins with none."""


@contextmanager
def reading_environment() -> Iterator[None]:
    """Connect an account, to where the environment says; several at once.

    Raises
    ------
    UserError
        The environment leads elsewhere for too long.
    """
    with _held(time.monotonic() + SECONDS):
        generation = _count(1)
    try:
        yield
    finally:
        _count(-1, generation)


@contextmanager
def changing_environment(*, alone: bool) -> Iterator[None]:
    """Let the environment lead elsewhere.

    Parameters
    ----------
    alone : bool
        Whether no account may be connected to meanwhile: it leads to somebody else's service.

    Raises
    ------
    UserError
        Another connection takes too long.
    """
    until = time.monotonic() + SECONDS
    with _held(until):
        while alone and _reading.get(fork_safety.generation()):
            if time.monotonic() > until:
                raise _busy()
            time.sleep(0.02)
        yield


@contextmanager
def _held(until: float) -> Iterator[None]:
    if not _changing.acquire(timeout=max(0.0, until - time.monotonic())):
        raise _busy()
    try:
        yield
    finally:
        _changing.release()


def _count(change: int, generation: int | None = None) -> int:
    generation = fork_safety.generation() if generation is None else generation
    with _counting:
        _reading[generation] = _reading.get(generation, 0) + change
    return generation


def _busy() -> UserError:
    return UserError("Another service is being connected to, and does not answer: try again.")
