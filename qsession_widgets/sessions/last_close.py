"""Closes a session while the interpreter ends, when no thread can be started any more."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..client.emulators import running_emulators
from ..client.end_outcome import end_session
from ..errors import ServiceError
from ..explanations import is_conflict, is_unknown, never_sent
from ..platform_support import process_runs

if TYPE_CHECKING:
    from .live import LiveSession

ANSWER_TIMEOUT = 4.0
"""Seconds to wait for an answer while the interpreter ends; Jupyter kills a kernel after five."""
RETRY_TIMEOUT = 8.0
"""Seconds within which a close that failed is asked for again; one that is sent then may take the
rest of the ten that a signal waits for."""
SHORTEST_PAUSE = 0.25
"""Seconds before that, doubled each time."""


def close_now(live: LiveSession, timeout: float = ANSWER_TIMEOUT) -> Callable[[], None]:
    """Close a session while the interpreter shuts down, when no thread can be started any more.

    Parameters
    ----------
    live : LiveSession
        The session.
    timeout : float
        Seconds to wait for an answer.

    Returns
    -------
    callable
        Writes the outcome to the events file, if there is one; asks the service once more.

    Raises
    ------
    ServiceError
        The service refused, or did not answer soon, or its answer was lost and the close had no
        effect; see `wait_for`.
    """
    live.monitor.stop()
    client = live.target.client.clone()
    client.timeout = timeout
    # what a poll that is under way finds would be told twice
    live.reporter.stop()
    change = end_session(client, "close", live.monitor.session_id)
    begun = time.monotonic()
    try:
        change.send()
    except ServiceError as error:
        if error.status == 404:
            # the service does not have it, so that nothing is left to close
            return lambda: None
        late = time.monotonic() - begun > timeout / 2
        doubtful = is_unknown(error) or is_conflict(error)
        if late or not doubtful or change.look() is None:
            raise

    def tell() -> None:
        state = client.session(live.monitor.session_id).data.get("state")
        over = state == "closed"
        text = "closed at the end of the kernel"
        text += "" if over else "; jobs it has finish first"
        live.reporter.emit("closed" if over else "closing", text, aloud=False, reason="exit")

    return tell


def wait_for(live: LiveSession, error: ServiceError, left: float, pause: float) -> float:
    """Seconds after which a close that failed is asked for again; infinite where it is not.

    Parameters
    ----------
    live : LiveSession
        The session.
    error : ServiceError
        Why it failed.
    left : float
        Seconds that the process may still take.
    pause : float
        The least to wait.
    """
    passes = error.status == 429 or is_unknown(error) or (never_sent(error) and _may_be_back(live))
    if error.kind == "timeout" or not passes:
        return math.inf
    # longer than the process may wait: it is asked all the same, for that costs nothing
    after = error.retry_after if error.retry_after and error.retry_after < left else 0.0
    return max(pause, after)


def _may_be_back(live: LiveSession) -> bool:
    """Check that what refuses connections may soon be back, as no emulator is that has ended."""
    if live.target.info.where != "local":
        return True
    return any(process_runs(one.pid) for one in running_emulators())
