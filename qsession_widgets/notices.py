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

IDLE_SECONDS = 1.0
"""How long a kernel waits for the next cell: whoever runs a notebook from a script drops what comes
between two cells."""


class Notices:
    """Sentences that wait for a good moment.

    Attributes
    ----------
    as_text : bool
        Whether what happens to a session is to be told here, line by line, because no page of
        Jupyter's shows it.
    """

    def __init__(self) -> None:
        self._waiting: deque[str] = deque(maxlen=1000)
        self._lock = threading.Lock()
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
        # first: what another thread says between these two lines waits for the next cell
        self._running = False
        self.show()

    def say(self, sentence: str) -> None:
        """Print a sentence, now or later; from any thread."""
        with self._lock:
            self._waiting.append(sentence)
        if self._running:
            self.show()
        elif self._in_kernel:
            timer = threading.Timer(IDLE_SECONDS, self.show)
            timer.daemon = True
            timer.start()

    def show(self) -> None:
        """Print what is waiting."""
        # printed behind the lock, so that two threads do not change the order
        with self._lock:
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


NOTICES = Notices()
"""The kernel's notices."""
