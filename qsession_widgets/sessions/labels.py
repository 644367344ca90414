"""Labels of jobs: which one a job gets that is sent now."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from .. import fork_safety
from ..errors import UserError

MOST_CHARACTERS = 60
"""Characters of a label, at most."""

EXAMPLE = 'with session.label("R=0.75"):'


class Labels:
    """The labels of one session that are in force at a moment.

    A label holds in the context that has set it: the thread, or the task and what it starts. A
    thread that is started inside has no such context; while only one label is in force, its jobs
    get that one.
    """

    def __init__(self) -> None:
        self._own: ContextVar[str | None] = ContextVar("label", default=None)
        self._lock = fork_safety.lock()
        # label and thread of each block that is entered and not left
        self._open: list[tuple[str, int]] = []

    @contextmanager
    def hold(self, label: str) -> Iterator[None]:
        """Let jobs have a label for the length of a block."""
        entry = (label, threading.get_ident())
        before = self._own.get()
        with self._lock:
            self._open.append(entry)
        self._own.set(label)
        try:
            yield
        finally:
            # not by its token: a generator may be ended in another context
            self._own.set(before)
            with self._lock:
                self._open.remove(entry)

    def current(self) -> str:
        """The label of a job that is sent by this code; empty for none."""
        if (own := self._own.get()) is not None:
            return own
        with self._lock:
            labels = {label for label, _ in self._open}
            threads = {thread for _, thread in self._open}
        if len(labels) == 1 and threading.get_ident() not in threads:
            return labels.pop()
        return ""


def checked(label: object) -> str:
    """A label as it is kept.

    Raises
    ------
    UserError
        It is no text, empty, or too long.
    """
    if not isinstance(label, str):
        raise UserError(f"A label is a text, as in {EXAMPLE}; {label!r} is none.")
    text = " ".join("".join(c if c.isprintable() else " " for c in label).split())
    if not text or len(text) > MOST_CHARACTERS:
        raise UserError(
            f"A label has 1 to {MOST_CHARACTERS} characters, as in {EXAMPLE}; this one has "
            f"{len(text)}."
        )
    return text
