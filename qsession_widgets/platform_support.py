"""Differences between operating systems: processes and the signals that end them."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

END_SIGNALS: tuple[int, ...] = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGQUIT") if hasattr(signal, name)
)
"""Signals that ask a process to end; Windows has SIGTERM only."""

KILL_SIGNAL: int = getattr(signal, "SIGKILL", signal.SIGTERM)
"""The signal that a process cannot catch; on Windows ``os.kill`` ends a process by any signal."""


def ends_by_default(number: int) -> bool:
    """Check that nothing handles a signal: no Python function, no C code, and it is not ignored."""
    if signal.getsignal(number) is not signal.SIG_DFL:
        return False
    get = ctypes.pythonapi.PyOS_getsig
    get.argtypes, get.restype = [ctypes.c_int], ctypes.c_void_p
    return not get(number)


def end_by_signal(number: int) -> None:
    """End this process by a signal, as if nothing handled it; from any thread.

    ``signal.signal`` can be called in the main thread only, and that one may be in a long C call.
    """
    default = ctypes.pythonapi.PyOS_setsig
    default.argtypes, default.restype = [ctypes.c_int, ctypes.c_void_p], ctypes.c_void_p
    default(number, None)
    os.kill(os.getpid(), number)


_CALL = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p)
_called: list[Any] = []
"""Functions that the main thread may not have called yet, and must find."""


def call_in_main_thread(function: Callable[[], object]) -> None:
    """Have a function called in the main thread as soon as that is in the interpreter."""

    def call(_: object) -> int:
        with contextlib.suppress(Exception):
            function()
        return 0

    _called.append(_CALL(call))
    ctypes.pythonapi.Py_AddPendingCall(_called[-1], None)


def process_runs(process: int, since: float = 0.0) -> bool:
    """Check that a process of this machine runs and is not a later one of the same id.

    Parameters
    ----------
    process : int
        Its id, which the system gives to another process after its end.
    since : float
        The process must have started before this moment (seconds since the epoch, by this
        machine's clock); 0 when that is unknown.
    """
    import psutil

    try:
        found = psutil.Process(process)
        if found.status() == psutil.STATUS_ZOMBIE:
            return False
        return not since or found.create_time() <= since
    except (psutil.NoSuchProcess, ValueError):
        return False
    except psutil.AccessDenied:
        # it is another user's, and there
        return True


def process_start(process: int) -> str:
    """The start of a process of this machine, as text that no later one of the same id has.

    Returns
    -------
    str
        Empty when no such process runs; one that is stopped does run. It does not change when the
        clock is set, which the time of day would on Linux.
    """
    with contextlib.suppress(OSError, IndexError):
        with open(f"/proc/{process}/stat", "rb") as file:
            # the name before the last bracket may hold anything
            fields = file.read().rpartition(b")")[2].split()
        return "" if fields[0] in (b"Z", b"X") else fields[19].decode()
    import psutil

    try:
        found = psutil.Process(process)
        if found.status() == psutil.STATUS_ZOMBIE:
            return ""
        return repr(found.create_time())
    except (psutil.Error, ValueError):
        return ""


class DetachedProcess(subprocess.Popen[bytes]):
    """A process that outlives this one, and that no signal to this one's group reaches.

    Parameters
    ----------
    command : sequence of str
        Program and arguments.
    **options
        As of `subprocess.Popen`.
    """

    def __init__(self, command: Sequence[str], **options: Any):
        if os.name == "posix":
            options["start_new_session"] = True
        else:
            options["creationflags"] = _DETACHED
        super().__init__(command, **options)

    def __del__(self) -> None:
        """Do not complain that it is still running."""


_DETACHED = getattr(subprocess, "DETACHED_PROCESS", 0) | getattr(
    subprocess, "CREATE_NEW_PROCESS_GROUP", 0
)


MOST_OPEN_FILES = 65536
"""Open files of a process that are enough for anything here."""


def open_files() -> int:
    """Files and connections that this process may have open."""
    if sys.platform == "win32":
        return MOST_OPEN_FILES
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_OPEN_FILES if soft == resource.RLIM_INFINITY else soft


def allow_many_open_files() -> None:
    """Let this process have as many files and connections open as its user may, within reason."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        # macOS has a limit beside the one that it tells
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
