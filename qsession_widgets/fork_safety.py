"""Locks and events that a forked child finds free, and a count of the forks behind this process.

A child has the memory of its parent and only the thread that forked. A lock that another thread
held at that moment would never be released in it, and a socket would be read by both.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import Any, TypeVar

_renewed: weakref.WeakSet[Any] = weakref.WeakSet()
_generation = 0
_T = TypeVar("_T")


def lock() -> threading.Lock:
    """A lock that is free in a forked child, whatever it was in the parent."""
    return _kept(threading.Lock())


def reentrant_lock() -> Any:
    """A reentrant lock that is free in a forked child; see `lock`."""
    return _kept(threading.RLock())


def event() -> threading.Event:
    """An event that can be set and waited for in a forked child; see `lock`."""
    return _kept(threading.Event())


def generation() -> int:
    """The number of forks between this process and the one that imported this module.

    What shares a connection with the parent remembers the number at which it was made.
    """
    return _generation


def _kept(item: _T) -> _T:
    _renewed.add(item)
    return item


def _renew() -> None:
    global _generation
    _generation += 1
    for item in list(_renewed):
        # as Python's own modules renew theirs
        item._at_fork_reinit()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
