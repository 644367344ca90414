"""Lookups in the registry: sessions by name and by notebook, and the instances they are in.

Makes no request: only its service knows whether such a session is still open. Entries name the
saved account and the instance of a session that was opened with ``--account`` or ``--instance``,
where a search of the default account would not find it.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any, cast

from ..model import ServiceInfo, SessionSnapshot
from ..model.snapshot import PriceSource
from .entries import notes, retired
from .journal import GROUP
from .schema import RegistryEntry

DAYS = 3 * 86400.0
"""Seconds after which an entry is no reason to ask an instance any more."""


def own_price(service: ServiceInfo) -> dict[str, Any]:
    """The fields of an entry for the plan and the price of a session, which hold to its end.

    Another process may find others: the price may be one of this process alone, or one that is set
    anew before the session ends, and an emulator may play another plan once it starts again.
    """
    return {
        "plan": service.plan,
        "price": service.price_per_second,
        "price_source": service.price_source,
    }


POLICIES = ("expected_jobs", "budget_seconds", "budget_dollars")
"""Fields of a snapshot by which other processes say what is still to come, as its kernel does."""


def own_policies(snapshot: SessionSnapshot) -> dict[str, Any]:
    """The value of an entry's ``policies`` for a session of this kernel."""
    return {name: getattr(snapshot, name) for name in POLICIES}


def priced(service: ServiceInfo, entry: RegistryEntry | None) -> ServiceInfo:
    """The service with the plan and price that the session's kernel counts with, as it noted it."""
    if entry is None:
        return service
    if entry.plan not in ("", service.plan):
        from ..client.prices import known_price

        price, listed = known_price(entry.plan)
        service = replace(service, plan=entry.plan, price_per_second=price, price_source=listed)
    if entry.price is None:
        return service
    source = cast("PriceSource", entry.price_source)
    return replace(service, price_per_second=entry.price, price_source=source)


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


def noted_instances(notes: Iterable[RegistryEntry]) -> dict[Noted, list[RegistryEntry]]:
    """The instances of accounts that notes name, those noted last first, with their notes.

    Emulators of this machine and joined services are left out, which are found without notes.
    """
    from ..client.connected_service import on_this_machine
    from ..client.joined import is_joined

    since = time.time() - DAYS
    found: dict[Noted, list[RegistryEntry]] = {}
    for note in sorted(notes, key=lambda note: -note.opened_at):
        emulator = not note.account and (on_this_machine(note.url) or is_joined(note.url))
        if note.instance and not emulator and note.opened_at > since:
            found.setdefault(Noted(note.account, note.instance, note.url), []).append(note)
    return found


def account_gone(account: str, notes: Iterable[RegistryEntry]) -> str:
    """The reason why an instance cannot be asked: its account is not saved any more.

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


def _opener(note: RegistryEntry) -> str:
    name = PurePath(note.notebook).name
    return f" (by {name})" if name else ""


def noted_as(name: str) -> list[RegistryEntry]:
    """Entries of the sessions of a name, in whichever kernel.

    Those opened last come first, and retired ones, most of which have ended, behind all others.
    """
    kept = notes()
    found = [
        note
        for key, note in (retired() | kept).items()
        if name and note.name == name and not key.startswith(GROUP)
    ]
    return sorted(found, key=lambda note: (note.session_id not in kept, -note.opened_at))


def id_of(name: str) -> str | None:
    """The id of the session that was opened last under a name, in whichever kernel."""
    return next((note.session_id for note in noted_as(name)), None)


def opener(note: RegistryEntry) -> str:
    """The opener of a session, in words: a notebook by its file's name."""
    return PurePath(note.notebook).name or "another program"


def left_behind(notebook: str, known: Collection[str]) -> str | None:
    """The id of the session opened last of those that were not ended from a notebook.

    Parameters
    ----------
    notebook : str
        Its path; empty when unknown.
    known : collection of str
        Ids of those that its kernel has.
    """
    mine = [
        note
        for note in notes().values()
        if notebook and note.notebook == notebook and note.session_id not in known
    ]
    return max(mine, key=lambda note: note.opened_at).session_id if mine else None
