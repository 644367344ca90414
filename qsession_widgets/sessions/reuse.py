"""Compares a request with the open sessions: the one that fits, and what differs.

A cell that is run again goes on in the session that it opened; a line that adds a budget keeps the
open session to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..client.accounts import find_account
from ..client.emulators import running_emulators
from ..client.selection import choose
from ..errors import ServiceError, UserError
from ..messages.problems import NAME_TAKEN, OTHER_OPEN, session_in_the_way
from ..options.open_options import OpenOptions
from .binding import Binding

if TYPE_CHECKING:
    from .live import LiveSession

CHANGEABLE = (
    *("once", "strict", "idle_close", "max_jobs", "budget", "on_error"),
    *("on_exit", "on_crash", "tags", "expect", "say", "events"),
)
"""Fields of `OpenOptions` that can be changed of a session that is open already."""


class SessionInTheWay(UserError):
    """An open session is not the one that a request describes.

    Attributes
    ----------
    live : LiveSession
        The open one.
    different : list of (str, object)
        Options of the request that it does not have, with their values.
    """

    template = OTHER_OPEN

    def __init__(self, live: LiveSession, different: list[tuple[str, object]]):
        backend = live.target.backend.name
        super().__init__(
            session_in_the_way(self.template, live.word, live.name, backend, different)
        )
        self.live = live
        self.different = different


class NameTaken(SessionInTheWay):
    """Another open session has the name that a request gives."""

    template = NAME_TAKEN


def match_open(binding: Binding, options: OpenOptions) -> LiveSession | None:
    """The open session that a request describes, with the same options or some of them.

    Raises
    ------
    SessionInTheWay
        Another one is open.
    """
    for live in binding.sessions():
        if live.request == options.request and still_open(binding, live):
            return live
    named = binding.named(options.name) if options.name else None
    if named is not None and still_open(binding, named):
        if different := differences(options, named):
            raise NameTaken(named, different)
        return named
    bound = binding.bound
    beside = options.name or options.another
    if bound is not None and not beside and still_open(binding, bound):
        if different := differences(options, bound):
            raise SessionInTheWay(bound, different)
        return bound
    return None


def changes(live: LiveSession, options: OpenOptions) -> dict[str, Any]:
    """Fields that a request changes of an open session, with their new values."""
    return {
        name: getattr(options, name)
        for name in CHANGEABLE
        if name in options.given and getattr(options, name) != getattr(live.options, name)
    }


def still_open(binding: Binding, live: LiveSession) -> bool:
    """Poll a session, and tell whether it still accepts jobs."""
    live.monitor.poll()
    if live.target.info.where == "local" and live.monitor.snapshot.problem is not None:
        _wake_emulator(live)
        live.monitor.poll()
        now = live.monitor.snapshot
        if now.problem is not None and _is_elsewhere(live):
            binding.forget(live)
    return live in binding.sessions()


def _is_elsewhere(live: LiveSession) -> bool:
    """Check that a session's emulator has another address now, where another may have taken its.

    One that answers badly for a while has its sessions still, and none is opened beside them.
    """
    url = live.target.client.base_url
    if not any(url.startswith(f"{one.url}/") for one in running_emulators()):
        return True
    try:
        live.target.client.session(live.monitor.session_id)
    except ServiceError as error:
        return error.status in (401, 403, 404)
    return False


def _wake_emulator(live: LiveSession) -> None:
    """Start a session's emulator again if it has ended; it usually gets the same address."""
    asked = live.options
    if asked.service == "local" or find_account(asked.account) is None:
        choose("local", emulator_options=asked.local or None)


def differences(options: OpenOptions, live: LiveSession) -> list[tuple[str, object]]:
    """Options of a request that an open session does not have, with their values."""
    has = live.options
    fits = {
        "backend": (live.target.backend.name,),
        "use_fractional_gates": (has.use_fractional_gates,),
        "max_time": (has.max_time, live.monitor.snapshot.max_ttl),
        "service": ("auto", has.service, live.target.info.joined or live.service_kind),
        "instance": (has.instance,),
        "account": (has.account,),
    }
    asked = {name: getattr(options, name) for name in fits if name in options.given}
    found: list[tuple[str, object]] = [
        ("", "--fractional-gates") if value is True else (name.replace("_", "-"), value)
        for name, value in asked.items()
        if value not in fits[name]
    ]
    if options.mode != has.mode:
        found.insert(0, ("", f"a {options.word}"))
    for name, value in options.local.items():
        if has.local.get(name) != value:
            found.append(("local-" + name.replace("_", "-"), value))
    for name, value in options.simulation.items():
        if has.simulation.get(name) != value:
            found.append(("local-" + name.replace("_", "-"), value))
    return found
