"""Sessions that may have been opened by a kernel that died before the service's answer came."""

from __future__ import annotations

import time

from ..client.opening_outcome import Opening
from ..client.rest import ServiceClient
from ..client.unknown_outcome import ON_ITS_WAY
from ..registry import openings
from ..registry.entries import notes


def lost_openings(
    client: ServiceClient, where: tuple[str, str], speed: float, notebook: str | None = None
) -> list[tuple[openings.PendingOpening, list[str]]]:
    """Requests in which kernels died, each with the ids of the sessions that it may have opened.

    They were opened within the request's bounds, with its backend, mode and maximum time, have no
    jobs, and are known to no kernel. Nothing is done to them.

    Parameters
    ----------
    client : ServiceClient
        The service is asked with it.
    where : tuple of (str, str)
        The service's address and instance. The client library's object for it would tell them,
        too; but a list does not wait for its import.
    speed : float
        Seconds of the service's clock in one of this machine's.
    notebook : str, optional
        Only what kernels of this notebook have sent.

    Raises
    ------
    ServiceError
        The service refused or does not answer.
    """
    mine = [
        one
        for one in openings.orphaned()
        if (one.url, one.instance) == where and notebook in (None, one.notebook)
    ]
    known = notes() if mine else {}
    late = ON_ITS_WAY * (speed or 1.0)
    found = []
    for one in mine:
        opening = Opening(
            client,
            one.backend,
            one.mode,
            one.max_time,
            lambda session_id: session_id in known or openings.is_made(session_id),
            earlier=(one.begun, one.before),
        )
        if ids := opening.candidates(one.begun + late):
            found.append((one, ids))
        elif one.at < time.time() - ON_ITS_WAY:
            openings.settle(one.key)
    return found
