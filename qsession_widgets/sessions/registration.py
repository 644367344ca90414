"""Registry entries of this kernel's sessions: written, and handed over at the kernel's end."""

from __future__ import annotations

import os
import socket
import time
from dataclasses import replace

from ..client.private_api import account_instance, api_url
from ..platform_support import process_start
from ..registry.entries import entry_of, write
from ..registry.kernel_status import kernel_id, tells
from ..registry.lookup import own_policies, own_price
from ..registry.processes import holders, transfer
from ..registry.schema import Holder, RegistryEntry
from .live import LiveSession


def register(live: LiveSession, *, bound: bool) -> None:
    """Write the registry entry of a session, where the registry can be written.

    Parameters
    ----------
    live : LiveSession
        The session.
    bound : bool
        Whether primitives without a mode belong to it.
    """
    if live.inherited:
        return
    snapshot, service = live.monitor.snapshot, live.target.connected.service
    instance = live.session._instance or account_instance(service)

    notebook = snapshot.notebook or os.environ.get("JPY_SESSION_NAME", "")

    def made(known: RegistryEntry | None) -> RegistryEntry:
        mine = known is not None and known.process == os.getpid()
        others = _others(known)
        if known is not None and not mine and known.process in holders(known):
            # its first owner lives: this kernel has it, too
            own = Holder(
                process=os.getpid(),
                notebook=notebook,
                kernel_id=kernel_id(),
                bound=bound,
                tells=tells(),
                on_exit=_on_exit(live),
                attached_at=time.time(),
                host=socket.gethostname(),
                start=process_start(os.getpid()),
            )
            return replace(known, others=(*others, own))
        return RegistryEntry(
            session_id=snapshot.session_id,
            url=api_url(service, instance),
            notebook=notebook,
            process=os.getpid(),
            name=live.name,
            backend=snapshot.backend,
            kernel_id=kernel_id(),
            host=socket.gethostname(),
            bound=bound,
            tells=tells(),
            on_exit=_on_exit(live),
            opened_at=known.opened_at if known is not None and mine else time.time(),
            instance=instance or "",
            account=live.target.connected.account or "",
            start=process_start(os.getpid()),
            others=others,
            events=() if known is None else known.events,
            end_reason="" if known is None else known.end_reason,
            end_facts={} if known is None else known.end_facts,
            last_closes=known is not None and known.last_closes,
            policies=own_policies(snapshot),
            **own_price(snapshot.service),
        )

    write(snapshot.session_id, made)


def _on_exit(live: LiveSession) -> str:
    """The fate of a session at this kernel's end; see `RegistryEntry.on_exit`."""
    asked = live.opened_here or "on_exit" in live.options.given
    return "last" if live.options.on_exit == "leave" and not asked else live.options.on_exit


def ends_with_kernel(live: LiveSession) -> bool:
    """Check that a session is to be closed at this kernel's end; hand it over where others have it.

    It is not where it is to be left, nor where another kernel has it: that one closes it in its
    turn, unless it was told to leave it.
    """
    entry = entry_of(live.monitor.session_id)
    left_to_us = entry is not None and entry.last_closes and _on_exit(live) == "last"
    closes = live.options.on_exit == "close" or left_to_us
    return not transfer(live.monitor.session_id, os.getpid(), closes=closes) and closes


def _others(known: RegistryEntry | None) -> tuple[Holder, ...]:
    """Further kernels that have a session, by the entry there was."""
    if known is None:
        return ()
    there = set(holders(known)) - {os.getpid()}
    return tuple(
        # the first kernel, and with it the machine that is meant, may become another one
        replace(one, host=one.host or known.host)
        for one in known.others
        if one.process in there
    )
