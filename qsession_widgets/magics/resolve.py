"""Resolves what a ``%session`` line names to a session: a name, an id, or nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..errors import UserError
from ..explanations import nearest
from ..monitoring.waiting import say_settling
from ..registry.lookup import left_behind, noted_as, opener
from ..sessions.binding import BINDING

if TYPE_CHECKING:
    from ..discovery.endpoints import EndpointSource
    from ..discovery.search import FoundSession
    from ..monitoring.monitor import Monitor
    from ..monitoring.poller import SessionPoller
    from ..sessions.live import LiveSession


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
            f"Job mode on {BINDING.job_mode.target.backend.name} is bound, where there is no "
            "session: %session unbind ends it."
        )
    raise UserError(
        f"No session is bound: open one with %%session above a cell.{left_behind_hint()}"
    )


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
            f"There is no session yet: open one with %%session above a cell.{left_behind_hint()}"
        )
    return live


def to_end(action: str) -> LiveSession:
    """The session that a close or a cancel without a name means."""
    last = BINDING.last
    if action == "cancel" and BINDING.bound is None and last is not None and last.closing:
        return last
    return bound()


def watched(which: str = "") -> Monitor | SessionPoller:
    """The monitor or poller of a session, of this kernel or elsewhere, with its jobs' exact times.

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
        monitor = bound_or_last().monitor if job_mode is None else job_mode.monitor
    elif (live := BINDING.had(which)) is not None:
        monitor = live.monitor
    else:
        from ..discovery.kept_jobs import kept_jobs, read_jobs
        from ..discovery.search import find, may_be_id
        from ..sessions.manager import MANAGER

        if (group := kept_jobs(which)) is not None:
            had = BINDING.group(group.session_id)
            jobs = read_jobs(group, everywhere())[1] if had is None else had.monitor
            jobs.settle(waits=say_settling)
            return jobs
        wanted = MANAGER.resolve(which)
        if not may_be_id(wanted):
            # a name with a typing error: nobody is asked for it
            raise UserError(no_name(which))
        return find(wanted, everywhere(wanted=wanted)).complete(say_settling)
    monitor.settle(waits=say_settling)
    return monitor


def found_to_end(which: str) -> FoundSession:
    """A session that this kernel does not have open, to be closed or cancelled.

    Raises
    ------
    UserError
        There is none; or it is only a name, and another notebook's.
    """
    from ..discovery.search import find, may_be_id

    notebook = os.environ.get("JPY_SESSION_NAME", "")
    if (ended := BINDING.had(which)) is not None:
        which = ended.monitor.session_id
    named = noted_as(which)
    mine = [note for note in named if notebook and note.notebook == notebook]
    if named and not mine:
        raise UserError(
            f"The session named {which!r} was opened by {opener(named[0])}, not here: %session "
            f"close {named[0].session_id} ends it all the same."
        )
    wanted = mine[0].session_id if mine else which
    if not may_be_id(wanted):
        raise UserError(no_name(which))
    return find(wanted, everywhere(wanted=wanted))


def no_name(name: str) -> str:
    """A sentence about a name that no open session has."""
    names = [known.name for known in BINDING.sessions() if known.name]
    close = nearest(name, names)
    if close:
        there = f"did you mean {close}?"
    elif names:
        there = f"open here: {', '.join(names)}."
    else:
        there = "none that is open here has a name."
    return f"No open session has the name or id {name!r}: {there} %session list shows them all."


def everywhere(where: str = "all", **which: Any) -> Iterator[EndpointSource]:
    """The places of my sessions; see `qsession_widgets.discovery.sources.endpoint_sources`."""
    from ..discovery.sources import endpoint_sources

    return endpoint_sources(where, known=BINDING.services(), **which)


def left_behind_hint() -> str:
    """A hint at a session that is open and not bound, of this kernel or an earlier one, if any."""
    here = BINDING.sessions()
    for live in here:
        return (
            f" The {live.word} {live.called} on {live.target.backend.name} is open here and not "
            f"bound: %session use {live.called} binds it."
        )
    left = left_behind(os.environ.get("JPY_SESSION_NAME", ""), ())
    if left is None:
        return ""
    return (
        " This notebook may have left one open before: %session list shows it, and %session attach "
        f"{left} takes it up."
    )
