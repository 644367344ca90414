"""Registry entries: a file for each session, with the notebook and the kernel that opened it.

A kernel that ends cleanly retires the entries of its sessions: those with a name, a reason or a
usage are kept in a subfolder, so that the name still leads to the session and the history has it,
and others are removed. One that is killed leaves them, and the next kernel of the same notebook
finds the session that is still open. The Jupyter server reads entries, too, and writes where a
renamed notebook is by now; both change an entry under one lock. The entries are in Jupyter's
runtime directory and hold no key.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from filelock import Timeout

from ..files import file_lock, parse_json, private_folder, write_atomically
from .schema import Kind, RecordedEvent, RegistryEntry

NOTED: Mapping[str, Kind] = {
    "stray": "stray",
    "guard_warned": "budget",
    "guard_closed": "guard",
    "guard_failed": "guard",
}
"""Kinds of `qsession_widgets.model.events.KINDS` that an entry keeps, and their names there."""

MOST_EVENTS = 20
"""Events that an entry keeps."""

LONGEST = 14 * 86400.0
"""Seconds after which no session is open any more, nor of interest."""

MOST_RETIRED = 500
"""Retired entries that are kept, those that were retired last."""

MOST_TEXT = 500
"""Characters of an event's text that are kept."""

LOCK_SECONDS = 2.0
"""Seconds to wait for the registry's lock."""


def folder() -> Path:
    """The folder of the entries."""
    from jupyter_core.paths import jupyter_runtime_dir

    return Path(jupyter_runtime_dir()) / "qsession-sessions"


def _retired() -> Path:
    return folder() / "retired"


@contextlib.contextmanager
def _locked() -> Iterator[None]:
    """Keep other processes and threads from changing entries."""
    try:
        lock = file_lock(private_folder(folder()) / "registry.lock", LOCK_SECONDS)
        lock.acquire()
    except (OSError, NotImplementedError, Timeout):
        # a folder without locks, or a process that was stopped while it held this one: no cell
        # may wait for that, and an entry is at least written as a whole
        yield
        return
    try:
        yield
    finally:
        lock.release()


def write(session_id: str, made: Callable[[RegistryEntry | None], RegistryEntry]) -> None:
    """Write an entry; nothing happens where the folder cannot be written.

    Parameters
    ----------
    session_id : str
        The session.
    made : callable
        Makes the new entry from the one there is, or from None.
    """
    with _locked():
        _write(made(_read(session_id)))


def change(session_id: str, made: Callable[[RegistryEntry], RegistryEntry]) -> None:
    """Change a session's entry, where there is one."""
    with _locked():
        note = _read(session_id)
        if note is not None:
            _write(made(note))


def tell_bound(session_id: str | None) -> None:
    """Record which of this kernel's sessions is bound; None for none of them."""
    with _locked():
        for note in notes().values():
            bound, mine = note.session_id == session_id, os.getpid()
            others = tuple(
                replace(one, bound=bound) if one.process == mine else one for one in note.others
            )
            own = note.process == mine
            changed = replace(note, bound=bound if own else note.bound, others=others)
            if changed != note:
                _write(changed)


def add_event(session_id: str, kind: str, text: str) -> None:
    """Add an event to a session's entry, where there is one.

    Parameters
    ----------
    session_id : str
        The session.
    kind : str
        The event's kind; nothing is written unless it is one of `NOTED`.
    text : str
        The sentence.
    """
    if kind not in NOTED:
        return
    with _locked():
        note = _read(session_id)
        if note is None:
            return
        seq = note.events[-1].seq + 1 if note.events else 1
        event = RecordedEvent(seq, time.time(), NOTED[kind], text[:MOST_TEXT])
        _write(replace(note, events=(*note.events, event)[-MOST_EVENTS:]))


def record_end(session_id: str, reason: str, facts: Mapping[str, Any]) -> None:
    """Record why a session ends, where it has an entry; an empty reason takes that back.

    Parameters
    ----------
    session_id : str
        The session.
    reason, facts
        `RegistryEntry.end_reason` and `RegistryEntry.end_facts`.
    """
    change(session_id, lambda note: replace(note, end_reason=reason, end_facts=facts))


def entry_of(session_id: str) -> RegistryEntry | None:
    """The entry of a session, a retired one too; None where there is none."""
    return _read(session_id) or _parse(_retired() / _file(session_id).name)


def write_ended(
    session_id: str, made: Callable[[RegistryEntry | None], RegistryEntry | None]
) -> None:
    """Write the entry of a session that is over: where it is, or as a retired one.

    Parameters
    ----------
    session_id : str
        The session.
    made : callable
        Makes the new entry from the one there is, or from None; None leaves things as they are.
    """
    with _locked():
        current = _read(session_id)
        entry = made(current or entry_of(session_id))
        if entry is not None:
            _write(entry, folder() if current else _retired())


def remove_ended() -> int:
    """Remove the entries of sessions that are over, retired ones and others; how many."""
    with _locked():
        gone = [_retired() / _file(session_id).name for session_id in retired()]
        gone += [_file(session_id) for session_id, note in notes().items() if note.ended]
        removed = 0
        for path in gone:
            with contextlib.suppress(OSError):
                path.unlink()
                removed += 1
    return removed


def rename(session_id: str, notebook: str) -> None:
    """Record where the notebook that opened a session is by now."""
    change(session_id, lambda note: replace(note, notebook=notebook))


def sweep() -> None:
    """Remove entries of sessions that must have ended long ago, and of too many that have."""
    since = time.time() - LONGEST
    for place, most in ((folder(), None), (_retired(), MOST_RETIRED)):
        with contextlib.suppress(OSError):
            files = [path for path in place.iterdir() if path.is_file() and path.suffix != ".lock"]
            files.sort(key=lambda path: path.stat().st_mtime, reverse=True)
            for at, path in enumerate(files):
                if (most is not None and at >= most) or path.stat().st_mtime < since:
                    path.unlink(missing_ok=True)


def forget(session_id: str) -> None:
    """Retire a session's entry: `notes` gives it no longer.

    `retired` does if it has a name, or says why the session ended or what it used.
    """
    with _locked(), contextlib.suppress(OSError):
        note = _read(session_id)
        if note is None or not (note.name or note.end_reason or note.ended):
            _file(session_id).unlink()
            return
        private_folder(_retired())
        os.replace(_file(session_id), _retired() / _file(session_id).name)
    # a machine without a Jupyter server has nothing else that sweeps
    sweep()


def notes() -> dict[str, RegistryEntry]:
    """Entries by session id, without retired ones; files that cannot be read are skipped."""
    return _entries(folder())


def retired() -> dict[str, RegistryEntry]:
    """Entries of sessions that were closed, or whose kernel has ended, by id."""
    return _entries(_retired())


def _entries(place: Path) -> dict[str, RegistryEntry]:
    found = {}
    with contextlib.suppress(OSError):
        for path in sorted(place.glob("*.json")):
            note = _parse(path)
            if note is not None:
                found[note.session_id] = note
    return found


def _read(session_id: str) -> RegistryEntry | None:
    return _parse(_file(session_id))


def _parse(path: Path) -> RegistryEntry | None:
    try:
        return RegistryEntry.from_json(parse_json(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def _write(note: RegistryEntry, place: Path | None = None) -> None:
    with contextlib.suppress(OSError):
        path = private_folder(place or folder()) / _file(note.session_id).name
        write_atomically(path, json.dumps(asdict(note)))


def file_name(any_id: str) -> str:
    """An id as part of a file's name."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", any_id)


def _file(session_id: str) -> Path:
    return folder() / f"{file_name(session_id)}.json"
