"""Sentences for the user that come from other threads than the user's.

What a thread prints lands under whichever cell it was started in, or in the middle of a terminal's
input line. So a sentence is printed at once while a cell runs, as that cell's output; between cells
it waits for the next one to begin, and a kernel, whose output has a place at any time, waits a
second at the most. They go to standard output: nothing that is told here is an error.

A program that executes a notebook (nbclient, and so nbconvert, papermill, Quarto and myst-nb) would
save a line of each moment as an output of its own. It gets one output for the lines of a cell,
which is updated; a line about something earlier than the last ones goes before them.
"""

from __future__ import annotations

import contextvars
import sys
import threading
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from . import fork_safety

MOST_WAITING = 1000
IDLE_SECONDS = 1.0
"""Seconds to wait for the next cell: a script that runs a notebook drops output that comes
between two cells."""
UPDATE_SHARE = 0.1
"""The part of an output's lines that may wait for its next update, which sends all of them."""


Line = tuple["float | None", str]
"""A sentence, and the time of what it tells where it has one."""


def _insert(lines: list[Line], line: Line) -> None:
    """Add a line, before those at the end that tell of something later."""
    at, place = line[0], len(lines)
    while at is not None and place and (lines[place - 1][0] or at) > at:
        place -= 1
    lines.insert(place, line)


class DeferredOutput:
    """Sentences that wait for a good moment.

    Attributes
    ----------
    as_text : bool
        Whether what happens to a session is to be told here, line by line, because no page of
        Jupyter's shows it.
    """

    def __init__(self) -> None:
        self._waiting: list[Line] = []
        self._lock = fork_safety.reentrant_lock()
        self._shell: Any = None
        self._parent: Any = None
        self._running = True
        self._output: _UpdatedOutput | None = None
        self._restore: Callable[[], None] = lambda: None
        self.as_text = False

    def attach(self, shell: Any, *, as_text: bool) -> None:
        """Follow the cells of a shell; until then everything is printed at once."""
        self._shell = shell
        self.as_text = as_text
        if self._in_kernel:
            self._restore = _call_before(shell.display_pub, "clear_output", self._cleared)
        self._follow_cell()

    def detach(self) -> None:
        """Follow no shell any more, and print what is waiting."""
        self._restore()
        self._output = None
        self._shell = self._parent = None
        self._running = True
        self.as_text = False
        self.show()

    def cell_begins(self) -> None:
        """A cell is about to run: print what is waiting above what it will print."""
        self._follow_cell()
        self._running = True
        self.show()

    def cell_ends(self) -> None:
        """A cell is over; call it again after whatever else is printed for it."""
        # behind the lock: a thread that saw the cell run prints before the cell is over
        with self._lock:
            self._running = False
            self._show(at_once=True)

    def emit(self, sentence: str, at: float | None = None) -> None:
        """Print a sentence, now or later; from any thread.

        Parameters
        ----------
        sentence : str
            The sentence.
        at : float, optional
            Time of what it tells. It goes before later ones that have a time and can still be
            moved, such as those that wait with it.
        """
        with self._lock:
            _insert(self._waiting, (at, sentence))
            del self._waiting[:-MOST_WAITING]
            if self._running:
                self._show()
                return
        # what comes between two cells is dropped by the programs that get one output for a cell
        if self._in_kernel and self._output is None:
            timer = threading.Timer(IDLE_SECONDS, self.show)
            timer.daemon = True
            timer.start()

    def show(self) -> None:
        """Print what is waiting."""
        with self._lock:
            self._show(at_once=True)

    def _show(self, *, at_once: bool = False) -> None:
        # printed behind the lock, so that two threads do not change the order
        if not self._waiting:
            return
        output = self._output if self._output is not None and self._output.usable else None
        enough = min(UPDATE_SHARE * len(output.lines), MOST_WAITING) if output else 0
        if len(self._waiting) < enough and not at_once:
            return
        lines, self._waiting = self._waiting, []
        if output is not None:
            output.add(lines, self._parent)
            return
        set_parent = getattr(sys.stdout, "set_parent", None)
        if set_parent is not None and self._parent:
            set_parent(self._parent)
        _print("\n".join(text for _, text in lines))

    def _follow_cell(self) -> None:
        parent = self._shell.get_parent() if self._in_kernel else None
        if parent is self._parent:
            # a cell that runs another one keeps its output
            return
        self._parent, self._output = parent, None
        if self.executed_by_program:
            self._output = _UpdatedOutput(self._shell)

    def _cleared(self) -> None:
        """The user has cleared the cell's outputs: what follows is told in a new one."""
        with self._lock:
            if self._output is not None:
                self._output = _UpdatedOutput(self._shell)

    @property
    def _in_kernel(self) -> bool:
        return getattr(self._shell, "kernel", None) is not None

    @property
    def executed_by_program(self) -> bool:
        """True if a program executes the notebook's cells, which has nobody to ask for input.

        Consoles have, and cannot update an output.
        """
        content = (self._parent or {}).get("content", {})
        return self.as_text and content.get("allow_stdin") is False


class _UpdatedOutput:
    """One output of a cell, to which lines are added.

    Parameters
    ----------
    shell : InteractiveShell
        A kernel's shell.
    """

    def __init__(self, shell: Any) -> None:
        self._publisher = shell.display_pub
        self._shell = shell
        self._display_id = uuid4().hex
        self._forks = fork_safety.generation()
        self.lines: list[Line] = []

    @property
    def usable(self) -> bool:
        """True if it can be updated from here: not in a forked child, nor inside ``%%capture``."""
        same = self._shell.display_pub is self._publisher
        return same and fork_safety.generation() == self._forks

    def add(self, lines: list[Line], parent: Any) -> None:
        """Show more lines, as output of the cell that was asked for by ``parent``."""
        # in a context of its own: a thread is not to stay with this cell
        contextvars.copy_context().run(self._publish, lines, parent)

    def _publish(self, lines: list[Line], parent: Any) -> None:
        self._publisher.set_parent(parent)
        update = bool(self.lines)
        for line in lines:
            _insert(self.lines, line)
        self._publisher.publish(
            {"text/plain": "\n".join(text for _, text in self.lines)},
            transient={"display_id": self._display_id},
            update=update,
        )


def _call_before(owner: Any, name: str, first: Callable[[], None]) -> Callable[[], None]:
    """Have ``first`` called before a method of an object; the result takes that back."""
    method = getattr(owner, name)

    def both(*arguments: Any, **named: Any) -> Any:
        first()
        return method(*arguments, **named)

    setattr(owner, name, both)
    return lambda: delattr(owner, name)


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
