"""What ``%session close``, ``%session list`` and the other actions do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..errors import UserError, nearest
from ..options.parsing import build, read_flags
from ..options.table import ATTACH_OPTIONS, LIST_OPTIONS, SERVICE_OPTIONS
from ..sessions.binding import BINDING
from ..views.showing import show
from .usage import ACTION_NAMES, ACTIONS, MEANT, USAGE
from .which import bound, bound_or_last, everywhere, found_to_end, id_of, no_name, to_end, watched

if TYPE_CHECKING:
    from ..finding.places import Found
    from ..service.choosing import Chosen
    from ..sessions.live import LiveSession

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
    if name in ("close", "cancel"):
        return _close_or_cancel(name, which)
    if which.startswith("-"):
        raise UserError(f"%session {name} has no option {which}: %session {name} [NAME|ID].")
    return _receipt(which) if name == "receipt" else _timeline(which)


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
        device = BINDING.job_mode.backend.name
        print(
            f"Job mode on {device}: this plan has no sessions, and each job goes through the queue "
            "by itself. %session unbind ends that."
        )
        show(BINDING.job_mode)
        return
    show(bound_or_last())


def _close_or_cancel(action: str, which: str) -> None:
    if which == "--all" and action == "close":
        _close_all()
    elif which.startswith("-"):
        takes = next(known.takes for known in ACTIONS if known.name == action)
        raise UserError(f"%session {action} has no option {which}: %session {action} {takes}.")
    elif not which:
        print(_end_live(to_end(action), action))
    elif (live := BINDING.had(which)) is not None and not live.closed:
        print(_end_live(live, action))
    else:
        print(_end(found_to_end(which), action))


def _end(found: Found, action: str) -> str:
    from ..notes.opened import forget

    live = BINDING.with_id(found.session_id)
    if live is not None:
        return _end_live(live, action)
    said = found.end(action)
    forget(found.session_id)
    return said


def _end_live(live: LiveSession, action: str) -> str:
    from ..notes.opened import forget

    said = live.end(action)
    if live.closed:
        # while it still has jobs, others are to find it
        forget(live.monitor.session_id)
    if BINDING.bound is live:
        BINDING.unbind()
    queued = [job for job in live.monitor.snapshot.pending() if job.status == "queued"]
    if action == "close" and queued:
        said += f" %session cancel {live.called} also cancels those that are still queued."
    return said


def _close_all() -> None:
    from ..finding.closing import close_all, holders_of
    from ..finding.listing import list_open
    from ..finding.places import usual_holders

    listing = list_open(everywhere())
    mine = holders_of(usual_holders(BINDING.services()))
    for one in close_all(listing, mine, lambda found: _end(found, "close"), "%session close"):
        print(f"{one.session_id} on {one.backend}: {one.said}")
    for remark in listing.remarks():
        print(remark)


def _list(words: list[str], defaults: Mapping[str, str]) -> Any:
    from ..finding.listing import list_open

    typed = read_flags(words, LIST_OPTIONS, "%session list")
    where = LIST_OPTIONS[0].read("--service", typed.get("--service", "all"))
    here = {
        live.monitor.session_id: ("this notebook" if live.opened_here else "attached here")
        + (f", {live.name!r}" if live.name else "")
        + (", bound" if live is BINDING.bound else "")
        for live in BINDING.sessions()
    }
    given = {flag[2:]: typed.get(flag) for flag in ("--instance", "--account")}
    usual = {name: defaults.get("--" + name) for name in given}
    return list_open(everywhere(where, **given, usual=usual), here)


def _attach(words: list[str], push: Push, defaults: Mapping[str, str]) -> None:
    from ..api import attach_bound

    wanted, *rest = words
    if wanted.startswith("-"):
        raise UserError("%session attach needs an id first: %session attach ID [options].")
    typed = read_flags(rest, ATTACH_OPTIONS, "%session attach")
    kept = {
        option.flag: defaults[option.flag]
        for option in ATTACH_OPTIONS
        if option.flag in defaults
        and option.flag not in ("--service", "--instance", "--account", "--on-exit")
    }
    found = id_of(wanted)
    named = {} if found == wanted else {"--name": wanted}
    # whoever opened it elsewhere may still use it
    options = build({**named, **typed}, defaults={**kept, "--on-exit": "leave"})
    live, remark = attach_bound(found, options)
    give_names(live, push, options.names)
    print(remark)
    show(live)


def _use(name: str, push: Push) -> None:
    live = BINDING.named(name) or BINDING.with_id(name)
    if live is None:
        raise UserError(f"{no_name(name)} %session attach ID takes up one of another kernel.")
    BINDING.bind(live)
    give_names(live, push, live.options.names)
    print(
        f"Primitives built without a mode belong to the {live.word} {name!r} on "
        f"{live.backend.name} now."
    )


def give_names(live: LiveSession, push: Push, names: tuple[str, str]) -> None:
    """Let the notebook reach a session and its backend."""
    session_name, backend_name = names
    push({session_name: live.session, backend_name: live.backend})
    live.options = replace(live.options, names=names)


def _unbind() -> None:
    if BINDING.job_mode is not None:
        BINDING.unbind()
        print("Primitives need a mode again.")
        return
    live = bound()
    BINDING.unbind()
    print(
        f"The {live.word} on {live.backend.name} is no longer bound and stays open. "
        + live.ways_out(bound=False)
    )


def _backends(words: list[str], defaults: Mapping[str, str]) -> None:
    from ..service.choosing import backend_names

    chosen = _chosen(words, defaults)
    print(chosen.info.label + ": " + ", ".join(backend_names(chosen)))


def _receipt(which: str) -> None:
    from IPython.display import display

    from ..views.receipt import Receipt

    monitor = watched(which)
    display(Receipt(monitor.snapshot, monitor.now()))  # type: ignore[no-untyped-call]


def _timeline(which: str) -> Any:
    from ..views.timeline import timeline

    monitor = watched(which)
    return timeline(monitor.snapshot, now=monitor.now())


def _export(path: str, which: str) -> None:
    from ..views.export import export

    monitor = watched(which)
    print(f"Written to {export(monitor.snapshot, monitor.now(), path)}.")


_SIMPLE: dict[str, Callable[[], Any]] = {
    "status": _status,
    "unbind": _unbind,
    "help": _help,
}


def _chosen(words: list[str], defaults: Mapping[str, str]) -> Chosen:
    """The service that is asked for; else that of what is bound, or what %%session would take."""
    from ..service.choosing import choose

    typed = read_flags(words, SERVICE_OPTIONS, "%session backends")
    near = BINDING.bound or BINDING.job_mode or BINDING.last
    if near is not None and not typed:
        return near.chosen
    flags = [option.flag for option in SERVICE_OPTIONS]
    usual = {flag: defaults[flag] for flag in flags if flag in defaults}
    options = build(typed, defaults=usual)
    return choose(options.service, instance=options.instance, account=options.account)
