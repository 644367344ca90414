"""Starts the watchdog process, and tells it which sessions to close when this process has died."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from .. import fork_safety
from ..client.accounts import VARIABLES
from ..platform_support import DetachedProcess, process_start

if TYPE_CHECKING:
    from ..client.rest import ServiceClient

DELAY = 20.0
"""Seconds for which a session stays open after its process has died: another kernel may take it
up meanwhile."""
LOOK = 2.0
"""Seconds between two looks at this process; a pipe that ends makes one at once."""
RETRY_TIMEOUT: dict[str, float] = {"ibm": 600.0, "local": 60.0}
"""Seconds for which a close that fails is tried again; an emulator that is gone costs nothing."""


class Watchdog:
    """The watchdog process of this process; it runs while there is a session to watch.

    A forked child has none, and does not hold the pipe to its parent's.
    """

    def __init__(self) -> None:
        self._lock = fork_safety.lock()
        self._child: DetachedProcess | None = None
        self._ended: list[DetachedProcess] = []
        self._watched: dict[str, dict[str, Any]] = {}
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._in_child)

    @property
    def process(self) -> int | None:
        """Id of the watchdog process; None while there is none."""
        return None if self._child is None else self._child.pid

    def watch(self, session_id: str, client: ServiceClient, kind: str) -> bool:
        """Have a session closed when this process dies.

        Parameters
        ----------
        session_id : str
            The session.
        client : ServiceClient
            A client of its service.
        kind : str
            ``ibm`` or ``local``.

        Returns
        -------
        bool
            False where it is watched already.

        Raises
        ------
        OSError
            No process can be started.
        """
        # requests is imported with it: not before a session is opened
        from ..client.handover import packed

        with self._lock:
            if session_id in self._watched:
                return False
            watch = {
                "session_id": session_id,
                "delay": DELAY,
                "retry_timeout": RETRY_TIMEOUT[kind],
                "service": packed(client),
            }
            self._watched[session_id] = watch
            try:
                self._tell({"watch": watch})
            except OSError:
                del self._watched[session_id]
                raise
        return True

    def drop(self, session_id: str) -> None:
        """Watch a session no more; without any left, the watchdog process ends."""
        with self._lock:
            if self._watched.pop(session_id, None) is None:
                return
            with contextlib.suppress(OSError):
                self._tell({"drop": session_id})
            if not self._watched:
                self._let_go()

    def _tell(self, line: dict[str, Any]) -> None:
        """Write a line to the process; where it has ended, start one and tell it everything."""
        if self._child is not None and self._child.poll() is None:
            with contextlib.suppress(BrokenPipeError):
                _write(self._child, line)
                return
        if self._watched:
            self._start()

    def _start(self) -> None:
        self._let_go()
        self._child = child = _spawn(list(self._watched.values()))
        process = os.getpid()
        _write(child, {"process": process, "start": process_start(process), "look": LOOK})
        for watch in self._watched.values():
            _write(child, {"watch": watch})

    def _let_go(self) -> None:
        # those that ended are zombies until their parent asks
        self._ended = [child for child in self._ended if child.poll() is None]
        child, self._child = self._child, None
        if child is not None:
            self._ended.append(child)
            with contextlib.suppress(OSError):
                _pipe(child).close()

    def _in_child(self) -> None:
        child, self._child, self._watched, self._ended = self._child, None, {}, []
        if child is not None:
            # or it would not end before this child does
            with contextlib.suppress(OSError):
                _pipe(child).close()


def _pipe(child: DetachedProcess) -> IO[bytes]:
    return cast("IO[bytes]", child.stdin)


def _write(child: DetachedProcess, line: dict[str, Any]) -> None:
    _pipe(child).write(json.dumps(line).encode() + b"\n")


def _spawn(watched: list[dict[str, Any]]) -> DetachedProcess:
    root = str(Path(__file__).resolve().parents[2])
    environment = _without_credentials(watched)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [root, environment.get("PYTHONPATH")]))
    return DetachedProcess(
        [sys.executable, "-m", "qsession_widgets.watchdog.process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        env=environment,
        # the notebook's folder may hold modules named like those that are imported there
        cwd=os.path.abspath(os.sep),
    )


def _without_credentials(watched: list[dict[str, Any]]) -> dict[str, str]:
    """The environment without the variables that name the account or hold its key."""
    keys = []
    for service in (watch["service"] for watch in watched):
        keys.append(service["account"]["key"] if "account" in service else _key_of(service))
    return {
        name: value
        for name, value in os.environ.items()
        if name not in VARIABLES and not any(key and key in value for key in keys)
    }


def _key_of(service: dict[str, Any]) -> str:
    return str(service["headers"].get("Authorization", "")).rpartition(" ")[2]


WATCHDOG = Watchdog()
"""This process's watchdog."""
