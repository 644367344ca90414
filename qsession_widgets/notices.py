"""Sentences for the user that come from other threads than the user's.

What a thread prints lands under whichever cell happens to be the last one, or in the middle of a
terminal's input line. So a sentence waits until a cell ends or the next one begins; only a kernel,
whose output has a place at any time, shows it at once.
"""

from __future__ import annotations

import sys
import threading
from collections import deque


class Notices:
    """Sentences that wait for a good moment."""

    def __init__(self) -> None:
        self._waiting: deque[str] = deque(maxlen=100)
        self._lock = threading.Lock()
        self.at_once = False

    def say(self, sentence: str) -> None:
        """Show a sentence, now or later; from any thread."""
        with self._lock:
            self._waiting.append(sentence)
        if self.at_once:
            self.show()

    def show(self) -> None:
        """Print what is waiting."""
        with self._lock:
            sentences, self._waiting = list(self._waiting), deque(maxlen=100)
        for sentence in sentences:
            print(sentence, file=sys.stderr)


NOTICES = Notices()
"""The kernel's notices."""
