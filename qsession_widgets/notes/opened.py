"""Which notebook opened which session: a note on disk for each, so that others know.

A kernel that ends cleanly takes its notes away with its sessions. One that is killed leaves them,
and the next kernel of the same notebook finds the session that is still open. The Jupyter server
reads them too, whether the kernel is busy, idle or gone. The notes stand in Jupyter's runtime
directory; they hold no key.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

Kind = Literal["stray", "budget", "guard"]

NOTED: Mapping[str, Kind] = {
    "stray": "stray",
    "guard_warned": "budget",
    "guard_closed": "guard",
    "guard_failed": "guard",
}
"""Which of `qsession_widgets.snapshot.events.KINDS` a note keeps, and what it calls them."""

MOST_EVENTS = 20
"""Events that a note keeps."""

LONGEST = 14 * 86400.0
"""Seconds after which no session is open any more, nor of interest."""

MOST_TEXT = 500
"""Characters of an event's text that are kept."""

_writing = threading.Lock()


@dataclass(frozen=True)
class Event:
    """Something the kernel has said about a session.

    Attributes
    ----------
    seq : int
        Counts the session's events, from 1.
    at : float
        When, on this machine's clock, in seconds since the epoch.
    kind : {"stray", "budget", "guard"}
        A job outside of it, a budget, a rule that closed it.
    text : str
        What was said.
    """

    seq: int
    at: float
    kind: Kind
    text: str


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
    kernel_id : str
        The kernel's id, as the Jupyter server knows it; empty when unknown.
    host : str
        The machine the kernel runs on; empty when unknown.
    bound : bool
        Whether primitives without a mode belong to it in that kernel.
    tells : bool
        Whether that kernel tells when a cell runs; see `qsession_widgets.notes.running`.
    on_exit : {"close", "leave", ""}
        What that kernel does with it when it ends in order; empty when unknown.
    opened_at : float
        When it was opened, or taken up, on this machine's clock; 0 when unknown.
    instance : str
        Which instance (CRN) it is in; empty when unknown.
    account : str
        Name of the saved account it was opened with; empty for another, or none.
    events : tuple of Event
        The newest events, oldest first.
    """

    session_id: str
    url: str
    notebook: str
    process: int
    name: str = ""
    backend: str = ""
    kernel_id: str = ""
    host: str = ""
    bound: bool = False
    tells: bool = False
    on_exit: str = ""
    opened_at: float = 0.0
    instance: str = ""
    account: str = ""
    events: tuple[Event, ...] = ()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Note:
        """Read what was written; fields of later versions are left out.

        Raises
        ------
        TypeError
            Something is missing that every version wrote.
        """
        known = _fields(cls, data)
        events = tuple(Event(**_fields(Event, event)) for event in known.pop("events", ()))
        return cls(**known, events=events)


def _fields(kind: type[Note] | type[Event], data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: data[name] for name in kind.__dataclass_fields__ if name in data}


def folder() -> Path:
    """Where the notes are."""
    from jupyter_core.paths import jupyter_runtime_dir

    return Path(jupyter_runtime_dir()) / "qsession-sessions"


def write(session_id: str, made: Callable[[Note | None], Note]) -> None:
    """Write a note down, where that can be done.

    Parameters
    ----------
    session_id : str
        The session.
    made : callable
        Makes the note of what is noted so far; None where nothing is.
    """
    with _writing:
        _write(made(_read(session_id)))


def tell_bound(session_id: str | None) -> None:
    """Write down which of this kernel's sessions is bound now; None for none of them."""
    with _writing:
        for note in notes().values():
            bound = note.session_id == session_id
            if note.process == os.getpid() and note.bound != bound:
                _write(replace(note, bound=bound))


def add_event(session_id: str, kind: str, text: str) -> None:
    """Add to what the kernel has said about a session, where there is a note on it.

    Parameters
    ----------
    session_id : str
        The session.
    kind : str
        What happened; nothing is written unless it is one of `NOTED`.
    text : str
        What was said.
    """
    if kind not in NOTED:
        return
    with _writing:
        note = _read(session_id)
        if note is None:
            return
        seq = note.events[-1].seq + 1 if note.events else 1
        event = Event(seq, time.time(), NOTED[kind], text[:MOST_TEXT])
        _write(replace(note, events=(*note.events, event)[-MOST_EVENTS:]))


def rename(session_id: str, notebook: str) -> None:
    """Write down where the notebook that opened a session is by now."""
    with _writing:
        note = _read(session_id)
        if note is not None:
            _write(replace(note, notebook=notebook))


def sweep() -> None:
    """Take away the notes on what must have ended long ago, of kernels that could not do it."""
    with contextlib.suppress(OSError):
        for path in folder().iterdir():
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < time.time() - LONGEST:
                    path.unlink()


def forget(session_id: str) -> None:
    """Take the note on a session away."""
    with _writing, contextlib.suppress(OSError):
        _file(session_id).unlink()


def notes() -> dict[str, Note]:
    """All notes by session id; those that cannot be read are passed over."""
    found = {}
    with contextlib.suppress(OSError):
        for path in sorted(folder().glob("*.json")):
            note = _parse(path)
            if note is not None:
                found[note.session_id] = note
    return found


def kernel_id() -> str:
    """The id in the name of this kernel's connection file; empty outside of kernels."""
    try:
        from ipykernel.kernelapp import IPKernelApp
    except ImportError:
        return ""
    from traitlets.config import Application

    # in a terminal the application is another one, which the kernel's own class cannot be asked for
    running = Application.instance() if Application.initialized() else None
    if not isinstance(running, IPKernelApp):
        return ""
    found = re.fullmatch(r"kernel-(.+)\.json", Path(running.connection_file).name)
    return found[1] if found else ""


def _read(session_id: str) -> Note | None:
    return _parse(_file(session_id))


def _parse(path: Path) -> Note | None:
    try:
        return Note.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def _write(note: Note) -> None:
    """Replace a note whole, for somebody may be reading it."""
    with contextlib.suppress(OSError):
        folder().mkdir(parents=True, exist_ok=True, mode=0o700)
        path = _file(note.session_id)
        part = path.with_suffix(f".{os.getpid()}")
        part.write_text(json.dumps(asdict(note)), encoding="utf-8")
        part.replace(path)


def file_name(any_id: str) -> str:
    """An id as part of a file's name."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", any_id)


def _file(session_id: str) -> Path:
    return folder() / f"{file_name(session_id)}.json"
