"""Sentences for the user that come from other threads than the user's.

What a thread prints lands under whichever cell it was started in, or in the middle of a terminal's
input line. So a sentence is printed at once while a cell runs, as that cell's output; between cells
it waits for the next one to begin, and a kernel, whose output has a place at any time, waits a
second at the most. They go to standard output: nothing that is told here is an error.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from typing import Any

from . import fork_safety

IDLE_SECONDS = 1.0
"""Seconds to wait for the next cell: a script that runs a notebook drops output that comes
between two cells."""


class DeferredOutput:
    """Sentences that wait for a good moment.

    Attributes
    ----------
    as_text : bool
        Whether what happens to a session is to be told here, line by line, because no page of
        Jupyter's shows it.
    """

    def __init__(self) -> None:
        self._waiting: deque[str] = deque(maxlen=1000)
        self._lock = fork_safety.reentrant_lock()
        self._shell: Any = None
        self._parent: Any = None
        self._running = True
        self.as_text = False

    def attach(self, shell: Any, *, as_text: bool) -> None:
        """Follow the cells of a shell; until then everything is printed at once."""
        self._shell = shell
        self.as_text = as_text

    def detach(self) -> None:
        """Follow no shell any more, and print what is waiting."""
        self._shell = self._parent = None
        self._running = True
        self.as_text = False
        self.show()

    def cell_begins(self) -> None:
        """A cell is about to run: print what is waiting above what it will print."""
        self._parent = self._shell.get_parent() if self._in_kernel else None
        self._running = True
        self.show()

    def cell_ends(self) -> None:
        """A cell is over; call it again after whatever else is printed for it."""
        # behind the lock: a thread that saw the cell run prints before the cell is over
        with self._lock:
            self._running = False
            self._show()

    def emit(self, sentence: str) -> None:
        """Print a sentence, now or later; from any thread."""
        with self._lock:
            self._waiting.append(sentence)
            if self._running:
                self._show()
                return
        if self._in_kernel:
            timer = threading.Timer(IDLE_SECONDS, self.show)
            timer.daemon = True
            timer.start()

    def show(self) -> None:
        """Print what is waiting."""
        with self._lock:
            self._show()

    def _show(self) -> None:
        # printed behind the lock, so that two threads do not change the order
        sentences, self._waiting = list(self._waiting), deque(maxlen=1000)
        if not sentences:
            return
        set_parent = getattr(sys.stdout, "set_parent", None)
        if set_parent is not None and self._parent:
            set_parent(self._parent)
        _print("\n".join(sentences))

    @property
    def _in_kernel(self) -> bool:
        return getattr(self._shell, "kernel", None) is not None


def _print(text: str) -> None:
    """Print, whatever became of standard output: what is told must not stop what is being done."""
    try:
        try:
            print(text, flush=True)
        except UnicodeEncodeError:
            encoding = sys.stdout.encoding
            print(text.encode(encoding, "replace").decode(encoding), flush=True)
    except (OSError, ValueError):
        # a pipe that nobody reads any more, or a file that is closed
        return


NOTICES = DeferredOutput()
"""The kernel's notices."""
