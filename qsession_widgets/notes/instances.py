"""Instances that kernels opened sessions in, as their notes say: where to look besides the usual.

Whoever opened a session with ``--account`` or ``--instance`` opened it where nobody looks who
takes the default account and its instance. The notes name the saved account and the instance.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath

from .opened import Note

DAYS = 3 * 86400.0
"""Seconds for which a note says where to look; what is older has ended."""


@dataclass(frozen=True)
class Noted:
    """An instance in which a session was opened.

    Attributes
    ----------
    account : str
        Name of the saved account; empty for that of the environment, or when unknown.
    instance : str
        Its CRN.
    url : str
        Where its service is.
    """

    account: str
    instance: str
    url: str


def noted_instances(notes: Iterable[Note]) -> dict[Noted, list[Note]]:
    """The instances of accounts that notes name, those noted last first, with their notes.

    Emulators of this machine are left out, which are found without notes.
    """
    from ..service.choosing import on_this_machine

    since = time.time() - DAYS
    found: dict[Noted, list[Note]] = {}
    for note in sorted(notes, key=lambda note: -note.opened_at):
        emulator = not note.account and on_this_machine(note.url)
        if note.instance and not emulator and note.opened_at > since:
            found.setdefault(Noted(note.account, note.instance, note.url), []).append(note)
    return found


def account_gone(account: str, notes: Iterable[Note]) -> str:
    """Why an instance cannot be asked whose account is not saved any more, in a sentence.

    Parameters
    ----------
    account : str
        The account's name; empty for one of the environment.
    notes : iterable of Note
        What was opened there.
    """
    known = list(notes)
    named = ", ".join(f"{note.session_id}{_opener(note)}" for note in known[:3])
    more = f" and {len(known) - 3} more" if len(known) > 3 else ""
    if account:
        what = f"The saved account {account!r} is not there any more"
        do = "save it again under that name to see whether it still costs, and to end it."
    else:
        what = "An account that was in a kernel's environment is not known here"
        do = "set QISKIT_IBM_TOKEN here, or save the account, to see it and to end it."
    if not known:
        return f"{what}, and its service is not asked: {do}"
    return f"{what}, and with it was opened {named}{more}: {do}"


def _opener(note: Note) -> str:
    name = PurePath(note.notebook).name
    return f" (by {name})" if name else ""
