"""What the notes on disk recall of sessions that this kernel does not have.

Nobody is asked: whether such a session is still open is for its service to say.
"""

from __future__ import annotations

from collections.abc import Collection

from .opened import Note, notes


def id_of(name: str) -> str | None:
    """The id of the session that was opened last under a name, in whichever kernel."""
    named = [note for note in notes().values() if name and note.name == name]
    return max(named, key=_opened).session_id if named else None


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


def _opened(note: Note) -> float:
    return note.opened_at
