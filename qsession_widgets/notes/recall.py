"""What the notes on disk recall of sessions that this kernel does not have.

Nobody is asked: whether such a session is still open is for its service to say.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import PurePath

from .opened import Note, notes


def noted_as(name: str) -> list[Note]:
    """Notes on the sessions of a name, in whichever kernel; those opened last come first."""
    found = [note for note in notes().values() if name and note.name == name]
    return sorted(found, key=lambda note: -note.opened_at)


def id_of(name: str) -> str | None:
    """The id of the session that was opened last under a name, in whichever kernel."""
    return next((note.session_id for note in noted_as(name)), None)


def opener(note: Note) -> str:
    """Who opened a session, in words: a notebook by its file's name."""
    return PurePath(note.notebook).name or "another program"


def left_behind(notebook: str, known: Collection[str]) -> bool:
    """Whether a notebook has opened sessions that were not ended from it.

    Parameters
    ----------
    notebook : str
        Its path; empty when unknown.
    known : collection of str
        Ids of those that its kernel has.
    """
    mine = [note for note in notes().values() if notebook and note.notebook == notebook]
    return any(note.session_id not in known for note in mine)
