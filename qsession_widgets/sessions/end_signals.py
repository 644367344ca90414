"""Signals that end the process: something is done first, also while C code runs.

A signal handler written in Python runs when the main thread is back in the interpreter, which may
take hours where a library computes. So a thread reads the signals from a wakeup file descriptor,
and acts as soon as that code releases the GIL.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable
from typing import Any

from ..platform_support import (
    END_SIGNALS,
    call_in_main_thread,
    end_by_signal,
    ends_by_default,
)

_signal = signal.signal

TIMEOUT = 10.0
"""Seconds that what is done before the end may take."""

ASKED = 0
"""Written into the wakeup file descriptor by the handler itself; no signal has this number."""


class EndSignals:
    """Calls a function before a signal ends this process, which it then does as without us.

    A signal that is ignored, or that somebody else handles, is left alone.

    Parameters
    ----------
    before_end : callable
        Called once, on a thread of its own.
    """

    def __init__(self, before_end: Callable[[], object]):
        self._before_end = before_end
        self._done = threading.Event()
        self._asked = 0
        self._next = -1
        self._listens = False
        self._ends: tuple[socket.socket, socket.socket] | None = None
        self._writes: socket.socket | None = None
        self._nowhere = -1
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=self._before_fork,
                after_in_parent=self._after_fork,
                after_in_child=self._in_child,
            )

    def listen(self) -> None:
        """Handle the signals that nobody handles; again, where others have taken the descriptor.

        asyncio and what is built on it set the process's only wakeup file descriptor for
        themselves, and clear it. What is set is passed on to. Python allows this in the main thread
        only: another one asks that for it. Signals are also handled as soon as whoever handles them
        now leaves them to their default, as the server of marimo does at its end.
        """
        self._listens = True
        signal.signal = self._signal
        if threading.current_thread() is not threading.main_thread():
            call_in_main_thread(self._listen)
            return
        self._listen()

    def _signal(self, signalnum: int, handler: Any) -> Any:
        # the names are those of the function in whose place it stands
        before = _signal(signalnum, handler)
        if self._listens and handler is signal.SIG_DFL and signalnum in END_SIGNALS:
            self._listen()
        return before

    def _listen(self) -> None:
        for number in END_SIGNALS:
            if ends_by_default(number):
                _signal(number, self._handle)
        if self._ends is None:
            self._start()
        assert self._ends is not None
        # on Windows the event loop needs it, and no signal ends a process there
        if os.name == "posix":
            mine = self._ends[1].fileno()
            before = signal.set_wakeup_fd(mine, warn_on_full_buffer=False)
            if before != mine:
                self._next = before

    def _start(self) -> None:
        self._ends = reads, writes = socket.socketpair()
        writes.setblocking(False)
        # the same end under a second descriptor: the first one leads elsewhere during a fork
        self._writes = writes.dup()
        self._nowhere = os.open(os.devnull, os.O_WRONLY)
        threading.Thread(
            target=self._follow, args=(reads,), name="qsession-signals", daemon=True
        ).start()

    def _handle(self, number: int, _frame: Any) -> None:
        # a second one ends it at once
        _signal(number, signal.SIG_DFL)
        self._asked = number
        assert self._writes is not None
        with contextlib.suppress(OSError):
            self._writes.send(bytes([ASKED]))
        # on a thread: what is interrupted here may hold a lock that is needed before the end
        self._done.wait(TIMEOUT)
        os.kill(os.getpid(), number)

    def _follow(self, reads: socket.socket) -> None:
        while numbers := reads.recv(4096):
            others = numbers.replace(bytes([ASKED]), b"")
            if self._next >= 0 and others:
                with contextlib.suppress(OSError):
                    os.write(self._next, others)
            for number in numbers:
                if number == ASKED:
                    self._end(self._asked)
                elif number in END_SIGNALS and signal.getsignal(number) == self._handle:
                    self._end(number)

    def _end(self, number: int) -> None:
        acts = threading.Thread(target=self._before_end, name="qsession-closing", daemon=True)
        acts.start()
        acts.join(TIMEOUT)
        self._done.set()
        end_by_signal(number)

    # ---------------------------------------------------------------------------------------------
    # Forks: a signal to a child must not be read by its parent

    def _before_fork(self) -> None:
        if self._ends is not None:
            os.dup2(self._nowhere, self._ends[1].fileno(), inheritable=False)

    def _after_fork(self) -> None:
        if self._ends is not None and self._writes is not None:
            os.dup2(self._writes.fileno(), self._ends[1].fileno(), inheritable=False)

    def _in_child(self) -> None:
        # until it opens a session of its own
        self._listens = False
        if self._ends is None or self._writes is None:
            return
        for number in END_SIGNALS:
            if signal.getsignal(number) == self._handle:
                _signal(number, signal.SIG_DFL)
        mine = self._ends[1].fileno()
        before = signal.set_wakeup_fd(-1)
        if before not in (-1, mine):
            signal.set_wakeup_fd(before)
        for end in (*self._ends, self._writes):
            end.close()
        os.close(self._nowhere)
        self._ends = self._writes = None
        self._next = self._nowhere = -1
        self._done = threading.Event()
