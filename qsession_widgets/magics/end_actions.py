"""``%session close`` and ``%session cancel``: one session, the notebook's, or the user's."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import UserError
from ..messages import outcomes
from ..registry.entries import entry_of, forget, notes
from ..sessions.binding import BINDING
from .resolve import everywhere, found_to_end, to_end

if TYPE_CHECKING:
    from ..discovery.search import FoundSession
    from ..sessions.live import LiveSession


def close_or_cancel(action: str, which: str) -> None:
    """End the bound session, or the one of an id or a name."""
    if not which:
        print(_end_live(to_end(action), action))
    elif (live := BINDING.had(which)) is not None and not live.closed:
        print(_end_live(live, action))
    else:
        print(_end(found_to_end(which), action))


def _end(found: FoundSession, action: str) -> str:

    live = BINDING.had(found.session_id)
    if live is not None and not live.closed:
        return _end_live(live, action)
    said = outcomes.ended(found.end(action), found.word, found.session_id)
    forget(found.session_id)
    return said


def _end_live(live: LiveSession, action: str) -> str:
    from ..sessions.manager import MANAGER

    said = MANAGER.end(live, action)
    queued = [job for job in live.monitor.snapshot.pending() if job.status == "queued"]
    if action == "close" and queued:
        said += f" %session cancel {live.called} also cancels those that are still queued."
    return said


def close_all_named(words: list[str]) -> None:
    """Close this notebook's sessions; with ``--everywhere`` all of the user's, once it is clear."""
    from ..discovery.close_all import close_all, owned_by, remains, stakes
    from ..discovery.listing import list_open
    from ..discovery.sources import usual_owner_keys

    if unknown := [word for word in words if word not in ("--all", "--everywhere", "--yes")]:
        raise UserError(
            f"%session close --all takes --everywhere and --yes, not {' '.join(unknown)}."
        )
    listing = list_open(everywhere())
    left_open = []
    if "--everywhere" not in words:
        own = [row for row in listing.rows if row.snapshot.session_id in _own_sessions()]
        others = len(listing.rows) - len(own)
        left_open = [row for row in own if _openers_live(row.snapshot.session_id)]
        listing = replace(listing, rows=tuple(row for row in own if row not in left_open))
    elif listing.rows and "--yes" not in words:
        print(listing)
        raise UserError(f"{stakes(listing)} %session close --all --everywhere --yes ends them.")
    else:
        others = 0
    mine = owned_by(usual_owner_keys(BINDING.services()))
    failed = False
    for one in close_all(listing, mine, lambda found: _end(found, "close"), "%session close"):
        failed |= one.failed
        print(f"{one.session_id} on {one.backend}: {one.said}")
    for row in left_open:
        print(outcomes.left_to_opener(row.snapshot.session_id, row.snapshot.backend))
    if others:
        none = "" if listing.rows or left_open else "No session of this notebook is open. "
        are = "1 more is" if others == 1 else f"{others} more are"
        print(f"{none}{are} open elsewhere: %session close --all --everywhere lists them.")
    for remark in () if others or left_open else listing.remarks():
        print(remark)
    if left := remains(listing, failed):
        raise UserError(left)


def _openers_live(session_id: str) -> bool:
    """Check that another kernel opened a session, and has it still: it is attached here."""
    from ..registry.processes import holders

    entry = entry_of(session_id)
    return entry is not None and entry.process != os.getpid() and entry.process in holders(entry)


def _own_sessions() -> set[str]:
    """Ids of this kernel's sessions, and of those that earlier kernels of the notebook opened."""
    from ..registry.processes import is_orphan

    own = {live.monitor.session_id for live in BINDING.sessions() if not live.inherited}
    notebook = os.environ.get("JPY_SESSION_NAME", "")
    return own | {
        entry.session_id
        for entry in notes().values()
        if entry.process == os.getpid()
        or (notebook and entry.notebook == notebook and is_orphan(entry))
    }
