"""The actions of ``%session``: ``%session close``, ``%session list`` and the others."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ..client.selection import choose
from ..errors import UserError
from ..explanations import nearest
from ..messages.outcomes import opened
from ..options.open_options import OpenOptions
from ..options.parsing import build, read_flags
from ..options.table import (
    ATTACH_OPTIONS,
    FORECAST_OPTIONS,
    LIST_OPTIONS,
    OPEN_OPTIONS,
    SERVICE_OPTIONS,
)
from ..resume.run_list import forget_run, list_runs
from ..sessions.binding import BINDING
from ..sessions.job_mode import JobMode
from ..views.display import show
from .end_actions import close_all_named, close_or_cancel
from .help_text import ACTION_NAMES, ACTIONS, MEANT, USAGE
from .join_actions import join, leave
from .resolve import bound, bound_or_last, everywhere, no_name, watched

if TYPE_CHECKING:
    from ..client.connected_service import ConnectedService
    from ..sessions.live import LiveSession
    from ..sessions.opening import OpenResult

Push = Callable[[dict[str, Any]], object]


def act(words: list[str], push: Push, defaults: Mapping[str, str] | None = None) -> Any:
    """Do what a ``%session`` line asks.

    Parameters
    ----------
    words : list of str
        The line's words: an action, and what follows it.
    push : callable
        Gives names to the notebook.
    defaults : mapping, optional
        Configured defaults of options, by flag.

    Returns
    -------
    Any
        What the cell's value is to be, None for nothing.

    Raises
    ------
    UserError
        There is no such action, or it cannot be done.
    """
    name, *rest = words or ["status"]
    if name in ("-h", "--help"):
        name = "help"
    if name not in ACTION_NAMES:
        raise UserError(_no_action(name))
    if name in ("use", "attach", "export"):
        if not rest:
            takes = next(action.takes for action in ACTIONS if action.name == name)
            missing = "where" if name == "export" else "which"
            raise UserError(f"%session {name} needs to know {missing}: %session {name} {takes}.")
    elif name in _SIMPLE:
        _nothing_more(name, rest)
    if name == "attach":
        return _attach(rest, push, defaults or {})
    if name == "list":
        return _list(rest, defaults or {})
    if name == "backends":
        return _backends(rest, defaults or {})
    if name == "join":
        return join(rest)
    if name == "close" and "--all" in rest:
        return close_all_named(rest)
    if name == "forecast":
        return _forecast(rest)
    if name in _EACH:
        return _each(name, rest)
    most = 2 if name == "export" else 1
    if len(rest) > most:
        words_taken = "a path and an id or a name" if name == "export" else "one word"
        raise UserError(
            f"%session {name} takes {words_taken}, not {' '.join(rest)!r}: what has a space in it "
            "stands in quotation marks."
        )
    if name in _SIMPLE:
        return _SIMPLE[name]()
    if name == "use":
        return _use(rest[0], push)
    if name == "export":
        return _export(rest[0], rest[1] if rest[1:] else "")
    which = rest[0] if rest else ""
    if name == "leave":
        return leave(which)
    if which.startswith("-"):
        raise UserError(_no_option(name, which))
    return _timeline(which)


def _no_option(name: str, word: str) -> str:
    takes = next(action.takes for action in ACTIONS if action.name == name)
    return f"%session {name} has no option {word}: %session {name} {takes}."


def _each(name: str, words: list[str]) -> None:
    """Do something with each of several sessions or runs, whatever becomes of the others."""
    if "--all" not in words and (option := next((w for w in words if w.startswith("-")), "")):
        raise UserError(_no_option(name, option))
    problems = []
    for which in words or [""]:
        try:
            _EACH[name](which)
        except UserError as error:
            if len(words) < 2:
                raise
            problems.append(f"{which}: {error}")
    if problems:
        raise UserError("\n".join(problems))


def _no_action(name: str) -> str:
    if name.startswith("-"):
        return (
            f"%session has no option {name}: options belong to %%session, with two percent signs, "
            "on the first line of a cell. %session help explains them."
        )
    if name.lower() in MEANT:
        return f"%session has no action {name!r}: {MEANT[name.lower()]}"
    close = nearest(name, list(ACTION_NAMES))
    there = f"did you mean {close}?" if close else f"there are {', '.join(ACTION_NAMES)}."
    return (
        f"%session has no action {name!r}: {there} %session help explains them; a new session is "
        "opened by %%session above a cell."
    )


def _help() -> None:
    print(USAGE)


def _nothing_more(name: str, rest: list[str]) -> None:
    if rest:
        raise UserError(f"%session {name} takes nothing more, not {' '.join(rest)!r}.")


def _status() -> None:
    if BINDING.job_mode is not None:
        device = BINDING.job_mode.target.backend.name
        print(
            f"Job mode on {device}: this plan has no sessions, and each job goes through the queue "
            "by itself. %session unbind ends that."
        )
        show(BINDING.job_mode)
        return
    show(bound_or_last())


def _list(words: list[str], defaults: Mapping[str, str]) -> Any:
    from ..discovery.listing import list_open

    typed = read_flags(words, LIST_OPTIONS, "%session list")
    where = LIST_OPTIONS[0].read("service", typed.get("--service", "all"))
    here = {
        live.monitor.session_id: ("this notebook" if live.opened_here else "attached here")
        + (", bound" if live is BINDING.bound else "")
        for live in BINDING.sessions()
    }
    given = {flag[2:]: typed.get(flag) for flag in ("--instance", "--account")}
    usual = {name: defaults.get("--" + name) for name in given}
    return list_open(everywhere(where, **given, usual=usual), here)


def _attach(words: list[str], push: Push, defaults: Mapping[str, str]) -> None:
    from ..sessions.manager import MANAGER

    wanted, *rest = words
    if wanted.startswith("-"):
        raise UserError("%session attach needs an id first: %session attach ID [options].")
    typed = read_flags(rest, ATTACH_OPTIONS, "%session attach")
    kept = {
        option.flag: defaults[option.flag]
        for option in ATTACH_OPTIONS
        if option.flag in defaults
        and option.flag not in ("--service", "--instance", "--account", "--on-exit", "--on-crash")
    }
    # another kernel or program may still use it
    options = build(typed, defaults={**kept, "--on-exit": "leave"})
    result = MANAGER.attach(wanted, options)
    if result.outcome == "ended":
        _name_ended(result, push, options)
    else:
        announce(result, push, options.names)
    show(result.bound)


def _name_ended(result: OpenResult, push: Push, options: OpenOptions) -> None:
    """Let the notebook reach a session that has ended; the name of a bound one stays that one's."""
    found = result.bound
    other = any(one not in (None, found) for one in (BINDING.bound, BINDING.job_mode))
    if other and "names" not in options.given:
        print("--bind-as ended,backend gives it a name of its own, and session stays what it is.")
    else:
        push({options.names[0]: found if isinstance(found, JobMode) else found.session})


def announce(result: OpenResult, push: Push, names: tuple[str, str] | None = None) -> None:
    """Print what came of an opening, and let the notebook reach session and backend by name.

    Parameters
    ----------
    result : OpenResult
        What came of it.
    push : callable
        Gives names to the notebook.
    names : tuple of (str, str), optional
        Names of session and backend; those that it has when not given.
    """
    bound = result.bound
    options, backend = bound.options, result.target.backend
    if isinstance(bound, JobMode):
        session_name, backend_name = options.names
        push({session_name: bound, backend_name: backend})
    else:
        give_names(bound, push, names or options.names)
    print(
        opened(
            result.outcome,
            noun="session" if isinstance(bound, JobMode) else bound.word,
            backend=backend.name,
            reason=result.target.connected.reason,
            asked=options.max_time,
            granted=result.granted,
            changed=_flags(result.changed),
            dropped=_flags(_not_in_job_mode(options)),
            leave=options.on_exit == "leave",
        )
    )


def _flags(fields: Collection[str]) -> list[str]:
    return [option.flag for option in OPEN_OPTIONS if option.field in fields]


def _not_in_job_mode(options: OpenOptions) -> set[str]:
    """Fields that were requested and have no meaning in job mode."""
    kept = {
        "backend",
        "use_fractional_gates",
        "service",
        "instance",
        "account",
        "fallback",
        "expect",
        "names",
        "name",
        "resume",
        "say",
    }
    usual = OpenOptions()
    return {
        option.field
        for option in OPEN_OPTIONS
        if option.field not in kept
        and getattr(options, option.field, None) != getattr(usual, option.field, None)
    }


def _use(name: str, push: Push) -> None:
    live = BINDING.named(name) or BINDING.had(name)
    if live is None or not live.usable:
        raise UserError(f"{no_name(name)} %session attach ID takes up one of another kernel.")
    BINDING.bind(live)
    give_names(live, push, live.options.names)
    print(
        f"Primitives built without a mode belong to the {live.word} {name!r} on "
        f"{live.target.backend.name} now."
    )


def give_names(live: LiveSession, push: Push, names: tuple[str, str]) -> None:
    """Assign a session and its backend to names of the notebook."""
    session_name, backend_name = names
    push({session_name: live.session, backend_name: live.target.backend})
    live.options = replace(live.options, names=names)


def _unbind() -> None:
    if BINDING.job_mode is not None:
        BINDING.unbind()
        print("Primitives need a mode again.")
        return
    live = bound()
    BINDING.unbind()
    print(
        f"The {live.word} on {live.target.backend.name} is no longer bound and "
        f"{live.left_open(bound=False)}"
    )


def _backends(words: list[str], defaults: Mapping[str, str]) -> Any:
    from .backends import device_table

    return device_table(_connected(words, defaults))


def _receipt(which: str) -> None:
    from IPython.display import display

    from ..views.receipt import Receipt

    monitor = watched(which)
    display(Receipt(monitor.snapshot, monitor.now()))  # type: ignore[no-untyped-call]


def _forecast(words: list[str]) -> Any:
    from ..views.forecast import forecast_of

    which, flags = (
        ("", words) if words[:1] == [] or words[0].startswith("-") else (words[0], words[1:])
    )
    typed = read_flags(flags, FORECAST_OPTIONS, "%session forecast")
    monitor = watched(which)
    plan, wait = typed.get("--plan"), typed.get("--queue-wait")
    return forecast_of(monitor.snapshot, monitor.now(), plan=plan, queue_wait=wait)


def _timeline(which: str) -> Any:
    from ..views.timeline import timeline

    monitor = watched(which)
    return timeline(monitor.snapshot, now=monitor.now())


def _export(path: str, which: str) -> None:
    from ..views.export import export

    monitor = watched(which)
    files = export(monitor.snapshot, monitor.now(), path)
    print(f"Written to {' and '.join(map(str, files))}.")


_EACH: dict[str, Callable[[str], None]] = {
    "close": partial(close_or_cancel, "close"),
    "cancel": partial(close_or_cancel, "cancel"),
    "receipt": _receipt,
    "forget": forget_run,
}
"""Actions that take several names or ids."""

_SIMPLE: dict[str, Callable[[], Any]] = {
    "status": _status,
    "unbind": _unbind,
    "help": _help,
    "runs": list_runs,
}


def _connected(words: list[str], defaults: Mapping[str, str]) -> ConnectedService:
    """The service that is asked for; else that of what is bound, or what %%session would take."""
    typed = read_flags(words, SERVICE_OPTIONS, "%session backends")
    near = BINDING.bound or BINDING.job_mode or BINDING.last
    if near is not None and not typed:
        return near.target.connected
    flags = [option.flag for option in SERVICE_OPTIONS]
    usual = {flag: defaults[flag] for flag in flags if flag in defaults}
    options = build(typed, defaults=usual)
    return choose(options.service, instance=options.instance, account=options.account)
