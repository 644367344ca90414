"""Close all my open sessions at once, and none that is somebody else's."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from ..errors import UserError
from .listing import Listing
from .places import Found


@dataclass(frozen=True)
class Closed:
    """What became of one session.

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
    mine: Callable[[Found], bool],
    close: Callable[[Found], str],
    command: str,
) -> Iterator[Closed]:
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
        yield Closed(session_id, row.snapshot.backend, said, failed)


def holders_of(holders: Collection[str]) -> Callable[[Found], bool]:
    """Whether a session is one of these holders'."""
    return lambda found: found.place.holder in holders
