"""History of ended sessions: what each used and cost, kept for two weeks with its registry entry.

A session's kernel records it, and so does the Jupyter server for every session whose end it sees.
An entry of the history is a snapshot without jobs, with the price that counted then, so that it is
read by the same arithmetic as an open session. The files are their owner's alone.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..files import private_folder, write_atomically
from ..model import SessionSnapshot, usage
from . import entries, journal
from .entries import notes, remove_ended, retired, write_ended
from .schema import RegistryEntry


def record(
    snapshot: SessionSnapshot, opener: RegistryEntry | None = None, *, by_kernel: bool = False
) -> None:
    """Record a session that has ended.

    Final figures are replaced only by final ones with the same price, or by its kernel's: that may
    have a price of its user's own, which the Jupyter server does not know. Nothing happens where
    the registry cannot be written, or where the history was deleted after the session's end.

    Parameters
    ----------
    snapshot : SessionSnapshot
        The session; it is closed.
    opener : RegistryEntry, optional
        What its kernel wrote down, for where that was removed.
    by_kernel : bool
        Whether the session's own kernel records it.
    """
    ended = _ended(snapshot)
    if ended["at"] <= _deleted_at():
        return

    def made(known: RegistryEntry | None) -> RegistryEntry | None:
        entry = known or opener or _plain(snapshot)
        before = entry.ended
        if before.get("final"):
            same = by_kernel or _price(before) == _price(ended)
            if not (ended["final"] and same):
                return None
        # on a service whose clock runs faster, later looks at it would date it back
        found = ended | {"at": before["at"]} if _readable(before) else ended
        return None if before == found else replace(entry, ended=found)

    write_ended(snapshot.session_id, made)


def history() -> dict[str, RegistryEntry]:
    """Entries of ended sessions whose usage is known, by id, the latest first."""
    known = [entry for entry in (retired() | notes()).values() if _readable(entry.ended)]
    known.sort(key=lambda entry: -float(entry.ended["at"]))
    return {entry.session_id: entry for entry in known}


def version() -> tuple[int, ...]:
    """A value that changes when the history does."""
    return tuple(
        place.stat().st_mtime_ns
        for place in (entries.folder(), entries.folder() / "retired")
        if place.is_dir()
    )


def delete_history() -> int:
    """Delete all that is kept of ended sessions, their names too; of how many."""
    with suppress(OSError):
        private_folder(_mark().parent)
        write_atomically(_mark(), str(time.time()))
    removed = remove_ended()
    journal.remove(but=notes())
    return removed


def _ended(snapshot: SessionSnapshot) -> dict[str, Any]:
    closed_at = snapshot.closed_at or snapshot.answered_at
    passed = (snapshot.answered_at - closed_at) / max(1.0, snapshot.service.speed)
    facts: Mapping[str, Any] = snapshot.facts()
    fields = {**facts, "jobs": [], "others": [], "unknown": [], "blocker": None}
    # of a final figure the periods say nothing more, and there can be hundreds
    if snapshot.usage_final:
        fields["active_periods"] = []
    spent = usage(snapshot, closed_at)
    free = snapshot.service.plan == "open" or (spent.known and spent.total == 0)
    qpu = sum(job.qpu_seconds or 0.0 for job in snapshot.jobs if not job.stray)
    return {
        # by this machine's clock, which tells what is today
        "at": round(snapshot.answered_at - snapshot.clock_offset - passed, 3),
        "final": snapshot.usage_final,
        # nothing where usage is free or there was none; None where its price is not known
        "cost": 0.0 if spent.cost is None and free else spent.cost,
        "snapshot": {**fields, "earlier_qpu": round(qpu, 3)},
    }


def _price(ended: Mapping[str, Any]) -> Any:
    return ended["snapshot"]["service"]["price_per_second"]


def _readable(ended: Mapping[str, Any]) -> bool:
    """True if it is in the form that `record` writes; another version may write another one."""
    known = ended.get("at"), ended.get("cost", 0.0) or 0.0
    return all(isinstance(one, (int, float)) for one in known) and "service" in ended.get(
        "snapshot", ()
    )


def _plain(snapshot: SessionSnapshot) -> RegistryEntry:
    """An entry for a session that no kernel of this machine has recorded."""
    return RegistryEntry(
        snapshot.session_id,
        url="",
        notebook=snapshot.notebook,
        process=0,
        name=snapshot.name,
        backend=snapshot.backend,
        opened_at=snapshot.opened_at or 0.0,
    )


def _mark() -> Path:
    return entries.folder() / "history-deleted"


def _deleted_at() -> float:
    try:
        return float(_mark().read_text())
    except (OSError, ValueError):
        return 0.0
