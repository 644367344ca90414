"""Which notebook opened which session: a note on disk for each, so that the next kernel knows.

A kernel that ends cleanly takes its notes away with its sessions. One that is killed leaves them,
and the next kernel of the same notebook finds the session that is still open. The notes stand in
Jupyter's runtime directory; they hold no key.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .client import ServiceClient, base_url
from .errors import ServiceError

if TYPE_CHECKING:
    from .live import LiveSession
    from .service import Chosen


@dataclass(frozen=True)
class Note:
    """Who opened a session.

    Attributes
    ----------
    session_id : str
        The session.
    url : str
        Where its service is.
    notebook : str
        Path of the notebook; empty when unknown.
    process : int
        The kernel.
    name, backend : str
        The user's name for it, and the backend.
    """

    session_id: str
    url: str
    notebook: str
    process: int
    name: str = ""
    backend: str = ""


def folder() -> Path:
    """Where the notes are."""
    from jupyter_core.paths import jupyter_runtime_dir

    return Path(jupyter_runtime_dir()) / "qsession-sessions"


def remember(live: LiveSession) -> None:
    """Write down that this kernel opened a session, where something can be written."""
    snapshot = live.monitor.snapshot
    note = Note(
        session_id=snapshot.session_id,
        url=base_url(live.chosen.service),
        notebook=snapshot.notebook,
        process=os.getpid(),
        name=live.name,
        backend=snapshot.backend,
    )
    with contextlib.suppress(OSError):
        folder().mkdir(parents=True, exist_ok=True, mode=0o700)
        part = _file(note.session_id).with_suffix(f".{os.getpid()}")
        part.write_text(json.dumps(asdict(note)), encoding="utf-8")
        part.replace(_file(note.session_id))


def forget(session_id: str) -> None:
    """Take the note on a session away."""
    with contextlib.suppress(OSError):
        _file(session_id).unlink()


def notes() -> dict[str, Note]:
    """All notes by session id; those that cannot be read are passed over."""
    found = {}
    with contextlib.suppress(OSError):
        for path in sorted(folder().glob("*.json")):
            with contextlib.suppress(OSError, ValueError, TypeError):
                note = Note(**json.loads(path.read_text(encoding="utf-8")))
                found[note.session_id] = note
    return found


def leftovers(chosen: Chosen, notebook: str) -> list[Note]:
    """Sessions that earlier kernels of a notebook opened and that are still open.

    Notes on those that have ended are taken away.
    """
    url = base_url(chosen.service)
    mine = [
        note
        for note in notes().values()
        if notebook
        and note.notebook == notebook
        and note.url == url
        and note.process != os.getpid()
    ]
    if not mine:
        return []
    line = ServiceClient(chosen.service)
    try:
        return [note for note in mine if _still_open(line, note)]
    finally:
        line.shut()


def leftover_sentence(note: Note) -> str:
    """What to say about a session an earlier kernel left open."""
    return (
        f"An earlier kernel of this notebook left a session open on {note.backend}: "
        f"%session attach {note.session_id} goes on in it, "
        f"%session close {note.session_id} ends it."
    )


def _still_open(line: ServiceClient, note: Note) -> bool:
    try:
        raw = line.session(note.session_id).data
    except ServiceError as error:
        if error.status == 404:
            forget(note.session_id)
        return False
    if raw.get("state") != "closed" and raw.get("accepting_jobs", True):
        return True
    forget(note.session_id)
    return False


def _file(session_id: str) -> Path:
    return folder() / (re.sub(r"[^A-Za-z0-9_-]", "_", session_id) + ".json")
