"""Closes a session that a process has left open at its death, unless a kernel has it that lives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..client.end_outcome import end_session
from ..client.handover import unpacked
from ..client.unknown_outcome import settle
from ..errors import OutcomeUnknown, ServiceError
from ..registry.entries import add_event, record_end
from ..registry.processes import transfer

TIMEOUT = 15.0
"""Seconds to wait for one answer of the service."""

CLOSED = "Closed after the process that had opened it died without closing it."


def close_left_open(session_id: str, service: Mapping[str, Any]) -> bool:
    """Close a session, as its kernel would have done.

    Parameters
    ----------
    session_id : str
        The session.
    service : mapping
        Its service; see `qsession_widgets.client.handover`.

    Returns
    -------
    bool
        Whether there is nothing more to do: it is closed, takes no more jobs, is not there, or
        another kernel has it. False where the service did not say.
    """
    # the owner is gone, and is none of those that are left
    if transfer(session_id, process=0, closes=True):
        return True
    client = unpacked(service)
    client.timeout = TIMEOUT
    change = end_session(client, "close", session_id)
    try:
        if change.look() is not None:
            return True
        record_end(session_id, "crash", {})
        try:
            settle(change)
        except ServiceError:
            record_end(session_id, "", {})
            raise
    except ServiceError as error:
        return error.status == 404
    except OutcomeUnknown:
        return False
    finally:
        client.close()
    add_event(session_id, "guard_closed", CLOSED)
    return True
