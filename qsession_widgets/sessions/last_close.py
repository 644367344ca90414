"""Closes a session while the interpreter ends, when no thread can be started any more."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..client.unknown_outcome import end_session
from ..errors import ServiceError
from ..explanations import is_unknown

if TYPE_CHECKING:
    from .live import LiveSession

EXIT_PATIENCE = 4.0
"""Seconds to wait for an answer while the interpreter ends; Jupyter kills a kernel after five."""


def close_now(live: LiveSession) -> Callable[[], None]:
    """Close a session while the interpreter shuts down, when no thread can be started any more.

    Returns
    -------
    callable
        Writes the outcome to the events file, if there is one; asks the service once more.

    Raises
    ------
    ServiceError
        The service refused, or did not answer soon.
    """
    live.monitor.stop()
    client = live.target.client.clone()
    client.timeout = EXIT_PATIENCE
    # what a poll that is under way finds would be told twice
    live.reporter.stop()
    change = end_session(client, "close", live.monitor.session_id)
    begun = time.monotonic()
    try:
        change.send()
    except ServiceError as error:
        late = time.monotonic() - begun > EXIT_PATIENCE / 2
        if late or not is_unknown(error) or (change.look() or change.send()) is None:
            raise

    def tell() -> None:
        state = client.session(live.monitor.session_id).data.get("state")
        over = state == "closed"
        text = "closed at the end of the kernel"
        text += "" if over else "; jobs it has finish first"
        live.reporter.emit("closed" if over else "closing", text, aloud=False, reason="exit")

    return tell
