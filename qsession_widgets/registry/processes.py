"""Kernels that are gone, and those that still have a session, by what they wrote down."""

from __future__ import annotations

import socket
from dataclasses import fields, replace

from ..platform_support import process_runs, process_start
from .entries import change
from .schema import Holder, RegistryEntry

HEAD_START = 30.0
"""Seconds by which a process may be younger than its entry: a clock may have been set."""


def is_orphan(entry: RegistryEntry) -> bool:
    """Check that every kernel of an entry is known to be gone: processes of this machine."""
    return entry.host in ("", socket.gethostname()) and not holders(entry)


def is_gone(host: str, process: int, at: float, start: str = "") -> bool:
    """Check that a process is known to be gone.

    Parameters
    ----------
    host : str
        The machine that it ran on; empty when unknown.
    process : int
        Its id.
    at : float
        When it was there, in seconds since the epoch; 0 when unknown.
    start : str
        Its start, which no clock that is set changes; see
        `qsession_widgets.platform_support.process_start`. Empty when unknown.
    """
    if host not in ("", socket.gethostname()):
        return False
    if start and (now := process_start(process)):
        return now != start
    return not process_runs(process, at and at + HEAD_START)


def holders(entry: RegistryEntry) -> tuple[int, ...]:
    """Ids of the processes that have a session and are not known to be gone."""
    kernels = [entry, *map(entry.of, entry.others)]
    return tuple(
        one.process
        for one in kernels
        if not is_gone(one.host, one.process, one.opened_at, one.start)
    )


def living(entry: RegistryEntry) -> list[RegistryEntry]:
    """The entry as that of each kernel that has its session, the first owner first.

    Kernels that are gone are left out, unless all are: then the first owner is there alone.
    """
    kernels = [entry, *(entry.of(one) for one in entry.others)]
    return [one for one in kernels if not is_orphan(replace(one, others=()))] or [entry]


def transfer(session_id: str, process: int, *, closes: bool) -> bool:
    """Leave a session to the other kernels that have it, at the end of one of them.

    Parameters
    ----------
    session_id : str
        The session.
    process : int
        The kernel that ends.
    closes : bool
        Whether it would close the session: then the last of the others does.

    Returns
    -------
    bool
        False where no other kernel has it that is not known to be gone; nothing changes then.
    """
    transferred = []

    def made(entry: RegistryEntry) -> RegistryEntry:
        kernels = [entry, *map(entry.of, entry.others)]
        there = [
            one
            for one in kernels
            if one.process != process
            and not is_gone(one.host, one.process, one.opened_at, one.start)
        ]
        if not there:
            return entry
        transferred.append(True)
        first, *others = there
        last_closes = entry.last_closes or closes
        return replace(first, others=tuple(map(_holder, others)), last_closes=last_closes)

    change(session_id, made)
    return bool(transferred)


def _holder(entry: RegistryEntry) -> Holder:
    own = {
        one.name: getattr(entry, one.name) for one in fields(Holder) if one.name != "attached_at"
    }
    return Holder(attached_at=entry.opened_at, **own)
