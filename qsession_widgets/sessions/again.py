"""A session that is asked for while one is open: the same goes on, with the rules that are given.

Who runs a cell again wants the session that it opened, and who adds a budget to its line wants
that session kept to it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import UserError
from ..options.table import OPEN_OPTIONS, OpenOptions
from ..service.accounts import find_account
from ..service.choosing import choose
from ..watching.reporting import events_file
from .binding import BINDING
from .ending import close_at_exit
from .guards import Guard, Rules

if TYPE_CHECKING:
    from .live import LiveSession

CHANGEABLE = (
    *("once", "strict", "idle_close", "budget", "on_error", "on_exit"),
    *("tags", "expect", "say", "events"),
)
"""What can be asked for of a session that is open already."""


def open_already(options: OpenOptions) -> LiveSession | None:
    """The open session that is asked for: in the same words, or in some of them.

    Raises
    ------
    UserError
        Another one is in the way.
    """
    for live in BINDING.sessions():
        if live.request == options.request and _goes_on(live):
            return live
    named = BINDING.named(options.name) if options.name else None
    if named is not None and _goes_on(named):
        if different := _differences(options, named):
            raise UserError(name_taken(named, different))
        return named
    bound = BINDING.bound
    if bound is not None and not options.name and _goes_on(bound):
        if different := _differences(options, bound):
            raise UserError(_other_open(bound, different))
        return bound
    return None


def _goes_on(live: LiveSession) -> bool:
    """Whether a session that was open takes jobs, now that it is asked."""
    live.monitor.poll()
    if live.chosen.info.kind == "local" and live.monitor.snapshot.problem is not None:
        _wake_emulator(live)
        live.monitor.poll()
        if live.monitor.snapshot.problem is not None:
            # it is at another address now, where nothing of this session leads
            BINDING.forget(live)
    return live in BINDING.sessions()


def _wake_emulator(live: LiveSession) -> None:
    """Start the emulator of a session again, if it has ended: as a rule it is where it was."""
    asked = live.options
    if asked.service == "local" or find_account(asked.account) is None:
        choose("local", emulator_options=asked.local or None)


def go_on(live: LiveSession, options: OpenOptions) -> str:
    """Bind an open session and keep it from now on to what is asked for; what to say about it."""
    changed = {
        name: getattr(options, name)
        for name in CHANGEABLE
        if name in options.given and getattr(options, name) != getattr(live.options, name)
    }
    if changed:
        wanted = replace(live.options, **changed)
        Rules.of(wanted, live.chosen.info)
        if "events" in changed:
            events_file(wanted.events)
        live.options = wanted
        if "events" in changed or "say" in changed:
            live.report_anew()
        guard(live)
    BINDING.bind(live)
    flags = [option.flag for option in OPEN_OPTIONS if option.field in changed]
    now = f" From now on with {', '.join(flags)} as given here." if flags else ""
    return f"This {live.word} is open already and goes on.{now}"


def _differences(options: OpenOptions, live: LiveSession) -> list[str]:
    """What a line asks for that an open session is not, as it is typed."""
    has, info = live.options, live.chosen.info
    fits = {
        "backend": (live.backend.name,),
        "max_time": (has.max_time, live.monitor.snapshot.max_ttl),
        "service": ("auto", has.service, info.kind),
        "instance": (has.instance,),
        "account": (has.account,),
    }
    asked = {name: getattr(options, name) for name in fits if name in options.given}
    found = [
        f"--{name.replace('_', '-')} {value}"
        for name, value in asked.items()
        if value not in fits[name]
    ]
    if options.mode != has.mode:
        found.insert(0, "a batch" if options.mode == "batch" else "a session")
    for name, value in options.local.items():
        if has.local.get(name) != value:
            found.append(f"--local-{name.replace('_', '-')} {value}")
    return found


def name_taken(taken: LiveSession, different: list[str]) -> str:
    """What to say to who asks for another session with the name of an open one."""
    return (
        f"A {taken.word} named {taken.name!r} is open on {taken.backend.name}, and this asks for "
        f"another one ({', '.join(different)}): %session use {taken.name} goes on in it, %session "
        f"close {taken.name} ends it, or give this one another --name."
    )


def _other_open(bound: LiveSession, different: list[str]) -> str:
    return (
        f"A {bound.word} on {bound.backend.name} is open already, and this asks for another one "
        f"({', '.join(different)}): leave that out to go on in the open one, end it first with "
        "%session close, or give this one a --name to have both."
    )


def guard(live: LiveSession) -> None:
    """Keep a session to the rules it was opened with, and close it when the interpreter ends.

    Raises
    ------
    UserError
        A budget in dollars where the plan has no price.
    """
    close_at_exit()
    rules = Rules.of(live.options, live.chosen.info)
    if live.guard is not None:
        live.guard.stop()
        live.guard = None
    live.monitor.keep_to(
        idle_close=rules.idle_close,
        budget_seconds=rules.budget,
        budget_dollars=rules.dollars,
        strict=live.options.strict,
        expected_jobs=live.options.expect,
    )
    if rules:
        live.guard = Guard(rules, live.monitor, live.reporter.tell, lambda: live.sending > 0)
