"""What the notes on disk recall of sessions that this kernel does not have.

Nobody is asked: whether such a session is still open is for its service to say.
"""

from __future__ import annotations

import os

from .orphans import Note, notes


def id_of(name: str) -> str | None:
    """The id of the session that was opened last under a name, in whichever kernel."""
    named = [note for note in notes().values() if name and note.name == name]
    return max(named, key=_opened).session_id if named else None


def left_by_earlier_kernels(notebook: str) -> list[Note]:
    """The notes of earlier kernels of a notebook, newest first; who ends in order leaves none."""
    mine = [note for note in notes().values() if notebook and note.notebook == notebook]
    return sorted((note for note in mine if note.process != os.getpid()), key=_opened, reverse=True)


def _opened(note: Note) -> float:
    return note.opened_at
