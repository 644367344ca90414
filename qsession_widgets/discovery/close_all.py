"""Close all my open sessions at once, and none that is somebody else's."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from ..client.job_outcome import is_pending
from ..errors import UserError
from ..explanations import as_user_error
from ..formatting import format_money
from ..model import usage
from .listing import Listing
from .search import FoundSession


@dataclass(frozen=True)
class CloseResult:
    """The result for one session.

    Attributes
    ----------
    session_id, backend : str
        Which one.
    said : str
        A sentence.
    failed : bool
        Whether it was to be closed and may still be open.
    """

    session_id: str
    backend: str
    said: str
    failed: bool = False


def close_all(
    listing: Listing,
    mine: Callable[[FoundSession], bool],
    close: Callable[[FoundSession], str],
    command: str,
) -> Iterator[CloseResult]:
    """Close what is listed, one after the other; a failure does not spare the others.

    Parameters
    ----------
    listing : Listing
        What is open.
    mine : callable
        Whether a session may be closed without having been named.
    close : callable
        Closes one and says what came of it.
    command : str
        What closes a single one, as it is typed before its id.
    """
    for row in listing.rows:
        session_id, failed = row.snapshot.session_id, False
        if not mine(row.found):
            said = f"left open, for it is another account's: {command} {session_id}."
        else:
            try:
                said = close(row.found)
            except UserError as error:
                said, failed = str(error), True
        yield CloseResult(session_id, row.snapshot.backend, said, failed)


def remains(listing: Listing, failed: bool) -> str:
    """A sentence about what may still be open after all was closed; empty where nothing is.

    Parameters
    ----------
    listing : Listing
        What was to be closed.
    failed : bool
        Whether something of it could not be closed.
    """
    if failed:
        also = " asked or" if listing.problems else ""
        return f"Not all of them could be{also} closed: some may still be open."
    return "Not every service could be asked: some may still be open." if listing.problems else ""


def stakes(listing: Listing) -> str:
    """A sentence about everything that is listed: number, pending jobs, cost, owners.

    Raises
    ------
    UserError
        A service does not say which jobs are pending.
    """
    pending, owners = 0, dict.fromkeys(row.opened_by for row in listing.rows)
    for row in listing.rows:
        endpoint = row.found.endpoint
        client = endpoint.connect()
        try:
            with as_user_error("count the jobs", endpoint.info.where):
                jobs = client.jobs(row.snapshot.session_id).data["jobs"]
        finally:
            client.close()
        pending += sum(is_pending(job) for job in jobs)
    costs = [usage(row.snapshot, row.now).cost for row in listing.rows]
    cost = f"≈ {format_money(sum(filter(None, costs)))}"
    if listing.price_problem and None in costs:
        cost = "an unknown cost"
    count = len(listing.rows)
    what = "1 session or batch" if count == 1 else f"{count} sessions or batches"
    named = ", ".join(owner or "another program" for owner in owners)
    return (
        f"This ends {what}, with {pending} pending "
        f"job{'' if pending == 1 else 's'} and {cost} so far, opened by: {named}."
    )


def owned_by(holders: Collection[str]) -> Callable[[FoundSession], bool]:
    """True if a session is one of these holders'."""
    return lambda found: found.endpoint.owner_key in holders
