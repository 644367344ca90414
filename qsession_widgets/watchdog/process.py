"""The watchdog process: waits until its owner is gone, then closes the sessions it was told of.

It reads JSON lines from its standard input: the owner's ``{"process", "start", "look"}``, then
``{"watch": {"session_id", "delay", "retry_timeout", "service"}}`` and ``{"drop": session_id}``.
Only that pipe carries credentials. The owner is gone when no process of its id and its start runs:
one that is stopped, or that sleeps with its machine, is not.

It imports the HTTP client when there is something to close, and the client library never.
"""

from __future__ import annotations

import contextlib
import json
import queue
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any, BinaryIO

from ..platform_support import process_start

PAUSES = (1.0, 30.0)
"""Shortest and longest pause in seconds before a close that failed is tried again."""


@dataclass(frozen=True)
class Watched:
    """A session to close.

    Attributes
    ----------
    session_id : str
        The session.
    delay : float
        Seconds to leave it open after its owner's end, in which another kernel may take it up.
    retry_timeout : float
        Seconds for which a close that fails is tried again.
    service : dict
        Its service; see `qsession_widgets.client.handover`.
    """

    session_id: str
    delay: float
    retry_timeout: float
    service: dict[str, Any]


class WatchdogProcess:
    """Watches one owner.

    Parameters
    ----------
    pipe : file
        Leads from the owner.
    """

    def __init__(self, pipe: BinaryIO):
        self._lines: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._ended = False
        self._process = 0
        self._start = ""
        self._look: float | None = None
        self._watched: dict[str, Watched] = {}
        threading.Thread(target=self._read, args=(pipe,), daemon=True).start()

    def run(self) -> None:
        """Wait for the owner's end, and close what it has left; return when nothing is left."""
        while self._watched or not self._ended:
            self._take_line()
            if self._owner_is_gone():
                # what it wrote last may still be on its way
                while self._take_line():
                    pass
                self._close_all()
                if self._owner_is_gone():
                    return

    def _owner_is_gone(self) -> bool:
        return bool(self._start) and process_start(self._process) != self._start

    def _read(self, pipe: BinaryIO) -> None:
        for line in pipe:
            # what is written when the owner is killed may be half a line
            with contextlib.suppress(ValueError):
                self._lines.put(json.loads(line))
        self._lines.put(None)

    def _take_line(self) -> bool:
        """Do what the next line says; False when none has come."""
        try:
            line = self._lines.get(timeout=self._look)
        except queue.Empty:
            return False
        if line is None:
            # the pipe of an owner that closes all its files ends, too, and it may live on
            self._ended = True
            return False
        if "process" in line:
            self._process, self._start, self._look = line["process"], line["start"], line["look"]
        if "watch" in line:
            watched = Watched(**line["watch"])
            self._watched[watched.session_id] = watched
        if self._watched.pop(line.get("drop", ""), None) and not self._watched:
            # without waiting for the pipe's end, which a forked child of the owner may hold open
            self._ended = True
        return True

    def _close_all(self) -> None:
        from .closing import close_left_open

        begun, pause = time.monotonic(), PAUSES[0]
        left = dict(self._watched)
        # looked at again after the delay: a system short of memory may not tell of one that lives
        while left and self._owner_is_gone():
            passed = time.monotonic() - begun
            for session_id, watched in list(left.items()):
                if passed < watched.delay:
                    continue
                done = close_left_open(session_id, watched.service)
                if done or passed > watched.delay + watched.retry_timeout:
                    del left[session_id]
            waits = [one.delay - passed for one in left.values() if one.delay > passed]
            time.sleep(min([*waits, pause]))
            if not waits:
                pause = min(2 * pause, PAUSES[1])


def main() -> None:
    """Watch the process at the other end of the standard input."""
    WatchdogProcess(sys.stdin.buffer).run()


if __name__ == "__main__":
    main()
