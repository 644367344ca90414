"""What ``%session close``, ``%session list`` and the other actions do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .binding import BINDING
from .errors import ServiceError, UserError, explain, nearest
from .options import OPEN_OPTIONS, Option, build, read_flags
from .usage import ACTION_NAMES, ACTIONS

if TYPE_CHECKING:
    from .live import LiveSession
    from .service import Chosen

ATTACH_OPTIONS: tuple[Option, ...] = tuple(
    option
    for option in OPEN_OPTIONS
    if option.flag not in ("--backend", "--max-time", "--once", "--fallback")
)
"""The options that make sense for a session that is open already."""

Push = Callable[[dict[str, Any]], object]


def act(words: list[str], push: Push) -> Any:
    """Do what a ``%session`` line asks.

    Parameters
    ----------
    words : list of str
        The line's words: an action, and what follows it.
    push : callable
        Gives names to the notebook.

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
    if name not in ACTION_NAMES:
        close = nearest(name, list(ACTION_NAMES))
        raise UserError(
            f"%session has no action {name!r}"
            + (f": did you mean {close}?" if close else f": there are {', '.join(ACTION_NAMES)}.")
            + " %session? explains them; a new session is opened by %%session above a cell."
        )
    if name in ("use", "attach", "export"):
        if not rest:
            takes = next(action.takes for action in ACTIONS if action.name == name)
            raise UserError(f"%session {name} needs to know which: %session {name} {takes}.")
    elif name not in ("close", "cancel"):
        _nothing_more(name, rest)
    if name == "attach":
        return _attach(rest, push)
    if len(rest) > 1:
        raise UserError(f"%session {name} takes one word, not {' '.join(rest)!r}.")
    if name == "use":
        return _use(rest[0], push)
    if name == "export":
        return _export(rest[0])
    if name in ("close", "cancel"):
        return _end(name, rest[0] if rest else "")
    return _SIMPLE[name]()


def show(live: LiveSession) -> None:
    """Show a session's panel."""
    from IPython.display import display

    display(live.panel())  # type: ignore[no-untyped-call]


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
        return
    show(_bound_or_last())


def _end(action: str, which: str) -> None:
    if which == "--all" and action == "close":
        _close_all()
        return
    if not which:
        _end_live(_bound(), action)
        return
    live = BINDING.named(which) or BINDING.with_id(which)
    if live is not None:
        _end_live(live, action)
        return
    named = [known.name for known in BINDING.sessions() if known.name]
    if len(which) < 16:
        there = f"open here are {', '.join(named)}" if named else "no session has a name"
        raise UserError(
            f"There is no session named {which!r}: {there}; %session list shows the ids of all."
        )
    _end_elsewhere(_chosen(), which, action)


def _end_live(live: LiveSession, action: str) -> None:
    from .orphans import forget

    print(live.end(action))
    forget(live.monitor.session_id)
    if BINDING.bound is live:
        BINDING.unbind()


def _end_elsewhere(chosen: Chosen, session_id: str, action: str) -> None:
    from .client import ServiceClient
    from .monitor import Monitor
    from .orphans import forget

    try:
        monitor = Monitor(ServiceClient(chosen.service), session_id, chosen.info)
    except ServiceError as error:
        if error.status in (400, 404):
            raise UserError(
                f"There is no session {session_id!r} on {chosen.info.label}: %session list shows "
                "the open ones."
            ) from None
        doing = f"{action} the session {session_id}"
        raise UserError(explain(error, doing=doing, service=chosen.info.kind)) from error
    try:
        print(monitor.command(action) if monitor.snapshot.state != "closed" else "It is closed.")
    finally:
        monitor.stop()
    forget(session_id)


def _close_all() -> None:
    from .listing import list_open

    chosen = _chosen()
    rows = list_open(chosen).rows
    if not rows:
        print(f"No session is open ({chosen.info.label}).")
    for row in rows:
        snapshot = row.snapshot
        print(f"{snapshot.session_id} on {snapshot.backend}: ", end="")
        live = BINDING.with_id(snapshot.session_id)
        if live is not None:
            _end_live(live, "close")
        else:
            _end_elsewhere(chosen, snapshot.session_id, "close")


def _list() -> Any:
    from .listing import list_open

    here = {
        live.monitor.session_id: "this notebook"
        + (f", {live.name!r}" if live.name else "")
        + (", bound" if live is BINDING.bound else "")
        for live in BINDING.sessions()
    }
    return list_open(_chosen(), here)


def _attach(words: list[str], push: Push) -> None:
    from .api import attach_bound

    wanted, *rest = words
    if wanted.startswith("-"):
        raise UserError("%session attach needs an id first: %session attach ID [options].")
    typed = read_flags(rest, ATTACH_OPTIONS, "%session attach")
    # whoever opened it elsewhere may still use it
    options = build({"--on-exit": "leave", **typed})
    live, remark = attach_bound(wanted, options)
    give_names(live, push, options.names)
    print(remark)
    show(live)


def _use(name: str, push: Push) -> None:
    live = BINDING.named(name)
    if live is None:
        names = [known.name for known in BINDING.sessions() if known.name]
        close = nearest(name, names)
        raise UserError(
            f"There is no open session named {name!r}: "
            + (f"open here are {', '.join(names)}." if names else "%%session --name gives one.")
            + (f" Did you mean {close}?" if close else "")
        )
    BINDING.bind(live)
    give_names(live, push, live.options.names)
    print(f"Primitives built without a mode belong to {name!r} on {live.backend.name} now.")


def give_names(live: LiveSession, push: Push, names: tuple[str, str]) -> None:
    """Let the notebook reach a session and its backend."""
    session_name, backend_name = names
    push({session_name: live.session, backend_name: live.backend})
    live.options = replace(live.options, names=names)


def _unbind() -> None:
    if BINDING.job_mode is not None:
        BINDING.unbind()
        print("Primitives without a mode run on nothing any more.")
        return
    live = _bound()
    BINDING.unbind()
    price = live.price_sentence()
    print(
        f"The {live.word} on {live.backend.name} is no longer bound and stays open. "
        + (f"{price} " if price else "")
        + f"%session close {live.name or live.monitor.session_id} ends it."
    )


def _backends() -> None:
    from .service import backend_names

    chosen = _chosen()
    print(chosen.info.label + ": " + ", ".join(backend_names(chosen)))


def _receipt() -> None:
    from IPython.display import display

    from .receipt import Receipt

    live = _bound_or_last()
    live.monitor.poll()
    receipt = Receipt(live.monitor.snapshot, live.monitor.now())
    display(receipt)  # type: ignore[no-untyped-call]


def _timeline() -> Any:
    from .timeline import timeline

    live = _bound_or_last()
    live.monitor.poll()
    return timeline(live.monitor.snapshot, now=live.monitor.now())


def _export(path: str) -> None:
    from .export import export

    live = _bound_or_last()
    live.monitor.poll()
    print(f"Written to {export(live.monitor.snapshot, live.monitor.now(), path)}.")


_SIMPLE: dict[str, Callable[[], Any]] = {
    "status": _status,
    "list": _list,
    "unbind": _unbind,
    "receipt": _receipt,
    "timeline": _timeline,
    "backends": _backends,
}


def _chosen() -> Chosen:
    """The service of what is bound; where nothing is, the one that ``auto`` chooses."""
    from .service import choose

    bound = BINDING.bound or BINDING.job_mode or BINDING.last
    return choose() if bound is None else bound.chosen


def _bound() -> LiveSession:
    live = BINDING.bound
    if live is None:
        others = BINDING.sessions()
        if others:
            ways = " or ".join(known.name or known.monitor.session_id for known in others)
            raise UserError(f"No session is bound; still open here: {ways}. Name the one you mean.")
        raise UserError("No session is bound: open one with %%session above a cell.")
    return live


def _bound_or_last() -> LiveSession:
    live = BINDING.bound or BINDING.last
    if live is None:
        raise UserError("There is no session yet: open one with %%session above a cell.")
    return live
