"""Which session a ``%session`` line means: by name, by id, the one bound, or the last one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..errors import UserError, nearest
from ..sessions.binding import BINDING

if TYPE_CHECKING:
    from ..finding.places import Found, Spot, Where
    from ..sessions.live import LiveSession
    from ..watching.monitor import Monitor

SHORTEST_ID = 16
"""Characters; what is shorter is no id of the service's, and nobody is asked for it."""


def bound() -> LiveSession:
    """The session that primitives without a mode belong to.

    Raises
    ------
    UserError
        None is bound; the sentence says which ones are open.
    """
    if BINDING.bound is not None:
        return BINDING.bound
    others = BINDING.sessions()
    if others:
        ways = " or ".join(known.called for known in others)
        raise UserError(
            f"No session is bound; still open here: {ways}. Say which one is meant, as in "
            f"%session close {others[0].called}."
        )
    if BINDING.job_mode is not None:
        raise UserError(
            f"Job mode on {BINDING.job_mode.backend.name} is bound, where there is no session: "
            "%session unbind ends it."
        )
    raise UserError(f"No session is bound: open one with %%session above a cell.{_left_behind()}")


def bound_or_last() -> LiveSession:
    """The bound session, or else the one that was bound last.

    Raises
    ------
    UserError
        There was none.
    """
    live = BINDING.bound or BINDING.last
    if live is None:
        raise UserError(
            f"There is no session yet: open one with %%session above a cell.{_left_behind()}"
        )
    return live


def to_end(action: str) -> LiveSession:
    """The session that a close or a cancel without a name means."""
    last = BINDING.last
    if action == "cancel" and BINDING.bound is None and last is not None and last.closing:
        return last
    return bound()


def watched(which: str = "") -> Monitor:
    """What knows a session, of this kernel or wherever it is; asked once more just now.

    Parameters
    ----------
    which : str
        Name or id, of one that has ended, too; or a job's id. Empty: what is bound, job mode
        included, or else the last one.

    Raises
    ------
    UserError
        There is none, or its service does not answer.
    """
    if not which:
        job_mode = BINDING.job_mode
        monitor = bound_or_last().monitor if job_mode is None else job_mode.watch
    elif (live := BINDING.had(which)) is not None:
        monitor = live.monitor
    else:
        from ..finding.places import find

        wanted = id_of(which)
        if len(wanted) < SHORTEST_ID:
            raise UserError(no_name(which))
        return find(wanted, everywhere(wanted=wanted)).complete()
    monitor.poll()
    return monitor


def found_to_end(which: str) -> Found:
    """A session that this kernel does not have, to be closed or cancelled.

    Raises
    ------
    UserError
        There is none; or it is only a name, and another notebook's.
    """
    from ..finding.places import find
    from ..notes.recall import noted_as, opener

    notebook = os.environ.get("JPY_SESSION_NAME", "")
    named = noted_as(which)
    mine = [note for note in named if notebook and note.notebook == notebook]
    if named and not mine:
        raise UserError(
            f"The session named {which!r} was opened by {opener(named[0])}, not here: %session "
            f"close {named[0].session_id} ends it all the same."
        )
    wanted = mine[0].session_id if mine else which
    if len(wanted) < SHORTEST_ID:
        raise UserError(no_name(which))
    return find(wanted, everywhere(wanted=wanted))


def id_of(which: str) -> str:
    """The id that a name of this kernel's or of another's stands for; what is none as it is."""
    from ..notes.recall import id_of as recalled

    live = BINDING.named(which)
    return (recalled(which) or which) if live is None else live.monitor.session_id


def no_name(name: str) -> str:
    """What to say to a name that no open session has."""
    names = [known.name for known in BINDING.sessions() if known.name]
    close = nearest(name, names)
    if close:
        there = f"did you mean {close}?"
    elif names:
        there = f"open here: {', '.join(names)}."
    else:
        there = "none that is open here has a name."
    return f"No open session has the name or id {name!r}: {there} %session list shows them all."


def everywhere(where: Where = "all", **which: Any) -> Iterator[Spot]:
    """Where sessions of mine may be, see `qsession_widgets.finding.places.places`."""
    from ..finding.places import places

    return places(where, known=BINDING.services(), **which)


def _left_behind() -> str:
    """Where to look for what this notebook has opened and its kernel does not have, if anything."""
    from ..notes.recall import left_behind

    known = [live.monitor.session_id for live in BINDING.sessions()]
    if not left_behind(os.environ.get("JPY_SESSION_NAME", ""), known):
        return ""
    return (
        " This notebook may have left one open before: %session list shows it, and %session attach "
        "ID takes it up."
    )
