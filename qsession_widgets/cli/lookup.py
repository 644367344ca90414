"""Find the session that a command line names, and the places to look for it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from ..client.prices import configure
from ..errors import UserError
from ..explanations import as_user_error
from ..options.configuration import configured

if TYPE_CHECKING:
    from ..discovery.endpoints import EndpointSource
    from ..discovery.search import FoundSession
    from ..monitoring.poller import SessionPoller

MOST_NAMED = 5
"""Sessions of one name that are looked at, those opened last."""


def found(options: argparse.Namespace, called: str) -> FoundSession:
    """The session or batch of a name, an id or the beginning of one, or the id of a job in it.

    Raises
    ------
    UserError
        There is none, several may be meant, or they are jobs of job mode.
    """
    from ..discovery.kept_jobs import kept_jobs
    from ..discovery.search import find
    from ..registry.lookup import noted_as, opener

    if kept_jobs(called) is not None:
        raise UserError(code="no_session_in_job_mode")

    def look(wanted: str) -> FoundSession:
        return find(wanted, places(options, wanted=wanted, sleeping=True))

    named = noted_as(called)
    if not named[1:]:
        return look(named[0].session_id if named else called)
    # notes may outlive their sessions: of one name, the open one is meant
    there: list[tuple[str, FoundSession]] = []
    for note in named[:MOST_NAMED]:
        with suppress(UserError):
            there.append((opener(note), look(note.session_id)))
    still_open = [item for item in there if item[1].raw.get("state") != "closed"]
    if len(still_open) > 1:
        which = ", ".join(f"{one.session_id} (opened by {who})" for who, one in still_open)
        raise UserError(f"Several sessions are named {called!r}: say which by its id: {which}.")
    return (still_open or there)[0][1] if there else look(named[0].session_id)


def viewed(
    options: argparse.Namespace, called: str, waits: Callable[[int], object] | None = None
) -> SessionPoller:
    """A poller with exact times of what `found` finds, or of job mode's jobs of that name or id.

    Parameters
    ----------
    options, called
        See `found`, also for errors.
    waits : callable, optional
        Called when that takes a while; see `SessionPoller.settle`.
    """
    from ..discovery.kept_jobs import kept_jobs, read_jobs

    if (group := kept_jobs(called)) is None:
        return found(options, called).complete(waits)
    endpoint, jobs = read_jobs(group, places(options, sleeping=True))
    with as_user_error("show the jobs", endpoint.info.where):
        jobs.complete(waits=waits)
    return jobs


def newest(options: argparse.Namespace) -> FoundSession:
    """The newest session or batch, as `qsession_widgets.discovery.listing.newest`."""
    from ..discovery.listing import newest as newest_of

    return newest_of(places(options, sleeping=True))


def places(
    options: argparse.Namespace, *, wanted: str = "", sleeping: bool = False
) -> Iterator[EndpointSource]:
    """The endpoints to search, as the options and the configuration say.

    With ``sleeping``, the emulator's records are looked at last, when it does not run at present.
    """
    from ..discovery.sources import endpoint_sources, sleeping_emulator

    usual = configured()
    configure(usual.get("price", ""))
    where = options.service or "all"
    which = {"instance": options.instance, "account": options.account}
    yield from endpoint_sources(
        where, usual={name: usual.get(name) for name in which}, wanted=wanted, **which
    )
    if sleeping and where in ("all", "local") and not any(which.values()):
        yield from sleeping_emulator()
