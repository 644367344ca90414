"""Closes the sessions of this kernel when the interpreter ends, or is told to end."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NoReturn

from ..errors import ServiceError
from ..registry.entries import forget, record_end
from ..watchdog.owner import WATCHDOG
from .binding import BINDING
from .crash_policy import apply_on_crash
from .end_signals import TIMEOUT, EndSignals
from .last_close import ANSWER_TIMEOUT, RETRY_TIMEOUT, SHORTEST_PAUSE, close_now, wait_for
from .live import LiveSession
from .registration import ends_with_kernel, register

_exit = os._exit

LEAVE_MAGIC = "qsession_leave"
"""Line magic of `leave_open`, by which the page reaches it in any kernel that has a session."""


def close_at_exit() -> None:
    """Close sessions that are not to outlive the interpreter when it ends, or is told to end."""
    if "IPython" in sys.modules:
        from IPython.core.getipython import get_ipython

        shell: Any = get_ipython()
        if shell is not None:
            shell.register_magic_function(leave_open, "line", LEAVE_MAGIC)
            if _before_cell not in shell.events.callbacks["pre_run_cell"]:
                shell.events.register("pre_run_cell", _before_cell)
    atexit.unregister(close_all_at_exit)
    atexit.register(close_all_at_exit)
    # what stops containers, batch jobs and idle servers, and what a closed terminal sends
    _SIGNALS.listen()
    os._exit = _exit_after_closing


def _before_cell(_info: Any = None) -> None:
    # a terminal's prompt takes the wakeup file descriptor for itself
    if BINDING.sessions():
        _SIGNALS.listen()


def _exit_after_closing(status: int) -> NoReturn:
    """End the process at once, as ``os._exit`` does, but for its sessions.

    By it marimo ends its kernels, and ipykernel one whose Jupyter server is gone.
    """
    if any(not live.inherited for live in BINDING.sessions()):
        closing = threading.Thread(target=close_all_at_exit, name="qsession-closing", daemon=True)
        # at the interpreter's end no thread can be started, and its own hook has closed them
        with contextlib.suppress(RuntimeError):
            closing.start()
            closing.join(TIMEOUT)
    _exit(status)


def leave_open(session_id: str) -> bool:
    """Leave a session open when this kernel ends, whatever was asked for when it was opened.

    Parameters
    ----------
    session_id : str
        The session.

    Returns
    -------
    bool
        Whether this kernel has it, and it takes jobs; it would not have been closed otherwise.
    """
    live = BINDING.with_id(session_id)
    if live is None:
        return False
    given = live.options.given | {"on_exit"}
    live.options = replace(live.options, on_exit="leave", on_crash="leave", given=given)
    apply_on_crash(live)
    register(live, bound=BINDING.bound is live)
    return True


def close_all_at_exit() -> None:
    """Close the sessions of this kernel that are not to outlive it; say which could not be closed.

    All of them are asked to close before anything else is done, for whoever ends a kernel may not
    wait for long. Those that the service did not close for a reason that passes are asked again.
    """
    if threading.current_thread() is threading.main_thread():
        # Jupyter sends it after half the time that it gives a kernel, and this is what it is for
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    deadline, pause = time.monotonic() + RETRY_TIMEOUT, SHORTEST_PAUSE
    waiting = []
    for live in BINDING.sessions():
        # a forked child has its parent's in memory, and they are not its own
        if live.inherited or live.deferral is not None:
            continue
        if ends_with_kernel(live):
            waiting.append(live)
        else:
            WATCHDOG.drop(live.monitor.session_id)
    while waiting:
        waiting, rest = _close(waiting, deadline - time.monotonic(), pause)
        if waiting:
            time.sleep(rest)
        pause *= 2


def _close(lives: list[LiveSession], left: float, pause: float) -> tuple[list[LiveSession], float]:
    """Ask each to close, with seconds left for all; which to ask again, after how many seconds."""
    closed, again = [], []
    for live in lives:
        session_id = live.monitor.session_id
        try:
            tell = close_now(live, max(1.0, min(ANSWER_TIMEOUT, left)))
            closed.append((session_id, live.usable, tell))
        except ServiceError as error:
            if (wait := wait_for(live, error, left, pause)) < left:
                again.append(live)
                pause = wait
            else:
                _say_open(live, error)
        except Exception as error:
            _say_open(live, error)
    _record(closed)
    return again, pause


def _say_open(live: LiveSession, error: Exception) -> None:
    session_id = live.monitor.session_id
    with contextlib.suppress(OSError, ValueError):
        print(
            f"The {live.word} {session_id} on {live.target.backend.name} could not be closed at "
            f"the kernel's end ({error}) and may go on costing: qsession close {session_id} in a "
            "terminal ends it.",
            file=sys.stderr,
        )


def _record(closed: list[tuple[str, bool, Callable[[], None]]]) -> None:
    for session_id, ends_here, tell in closed:
        if ends_here:
            record_end(session_id, "exit", {})
        # one that could not be closed stays watched, and is tried again when this process is gone
        WATCHDOG.drop(session_id)
        with contextlib.suppress(Exception):
            tell()
        forget(session_id)


_SIGNALS = EndSignals(close_all_at_exit)
