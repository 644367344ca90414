"""What this kernel notes of its sessions for others, and what earlier kernels have left behind."""

from __future__ import annotations

import os
import socket
import time
from typing import TYPE_CHECKING

from ..errors import ServiceError
from ..notes.opened import Note, forget, kernel_id, notes, write
from ..notes.running import tells
from ..service.client import ServiceClient, account_instance, base_url

if TYPE_CHECKING:
    from ..service.choosing import Chosen
    from .live import LiveSession


def remember(live: LiveSession, *, bound: bool) -> None:
    """Write down that this kernel opened a session, or took it up, where that can be written.

    Parameters
    ----------
    live : LiveSession
        The session.
    bound : bool
        Whether it is the one that primitives without a mode belong to.
    """
    snapshot, service = live.monitor.snapshot, live.chosen.service
    instance = live.session._instance or account_instance(service)

    def made(known: Note | None) -> Note:
        mine = known is not None and known.process == os.getpid()
        return Note(
            session_id=snapshot.session_id,
            url=base_url(service, instance),
            notebook=snapshot.notebook or os.environ.get("JPY_SESSION_NAME", ""),
            process=os.getpid(),
            name=live.name,
            backend=snapshot.backend,
            kernel_id=kernel_id(),
            host=socket.gethostname(),
            bound=bound,
            tells=tells(),
            on_exit=live.options.on_exit,
            opened_at=known.opened_at if known is not None and mine else time.time(),
            instance=instance or "",
            account=live.chosen.account or "",
            events=() if known is None else known.events,
        )

    write(snapshot.session_id, made)


def leftovers(chosen: Chosen, notebook: str) -> list[Note]:
    """Sessions that earlier kernels of a notebook opened and that are still open.

    Notes on those that have ended are taken away.
    """
    url, instance = base_url(chosen.service), account_instance(chosen.service)
    mine = [
        note
        for note in notes().values()
        if notebook
        and note.notebook == notebook
        and note.url == url
        # of what is in another instance, this one would say that there is no such session
        and note.instance in ("", instance)
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
        if error.status == 404 and note.instance:
            forget(note.session_id)
        return False
    if raw.get("state") != "closed" and raw.get("accepting_jobs", True):
        return True
    forget(note.session_id)
    return False
