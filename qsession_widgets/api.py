"""The same as the magics, from Python: open a session and bind it, ask for the bound one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .durations import words
from .errors import UserError
from .notices import NOTICES
from .options.parsing import make
from .options.table import OPEN_OPTIONS, Mode, OpenOptions
from .service.choosing import Chosen, Kind, choose, described_anew, find_backend
from .sessions.again import go_on, guard, name_taken, open_already
from .sessions.binding import BINDING, JobMode
from .sessions.guards import Rules
from .watching.reporting import events_file

if TYPE_CHECKING:
    from .finding.places import Spot
    from .sessions.live import LiveSession
    from .sessions.session import Batch, Session
    from .watching.jobwatch import JobWatch


def open_session(
    backend: str | None = None,
    *,
    max_time: int | str | None = None,
    service: Kind = "auto",
    instance: str | None = None,
    account: str | None = None,
    mode: Mode = "dedicated",
    name: str = "",
    tags: Sequence[str] = (),
    notebook: str = "",
    expect: int | None = None,
    strict: bool = False,
    idle_close: int | str | None = None,
    budget: str | None = None,
    on_exit: str | None = None,
    say: str = "auto",
    events: str | None = None,
    emulator_options: Mapping[str, Any] | None = None,
) -> Session | Batch:
    """Open a session and bind it: primitives built without a mode belong to it from now on.

    While a session is bound, asking for the same again, or for less, gives that one back and keeps
    it to the budget and the other rules that are given; asking for another is refused, unless it
    has a name of its own.

    Parameters
    ----------
    backend : str, optional
        Name of the backend; IBM's least busy device, or the emulated ``fake_fez``, when not given.
    max_time : int or str, optional
        Maximum time, in seconds or as ``"1h 30m"``; the plan's longest when not given.
    service : {"auto", "ibm", "local"}
        ``auto``: the saved account, or the environment's, if there is one; otherwise the emulator
        on this machine.
    instance : str, optional
        Instance (CRN or name) of the IBM account.
    account : str, optional
        Name of a saved account.
    mode : {"dedicated", "batch"}
        A session, or a batch.
    name : str, optional
        A name for it.
    tags : sequence of str, optional
        Tags that every job in it gets.
    notebook : str, optional
        Path of the notebook that opens it.
    expect : int, optional
        How many jobs there will be, for the progress.
    strict : bool
        Refuse jobs for its backend that would run outside of it.
    idle_close : int or str, optional
        Close it when nothing was pending for so long, in seconds or as ``"2m"``.
    budget : str, optional
        Usage (``"5m"``) or cost (``"$20"``) at which it takes no more jobs and is closed.
    on_exit : {"close", "leave"}, optional
        What happens to it when the interpreter ends; ``close`` when not given.
    say : {"auto", "always", "never"}
        Whether what happens to it is told as lines of text; ``auto``: in a shell with the magics
        loaded, where no page shows the panel.
    events : str, optional
        File that what happens to it is appended to, one JSON object a line; see
        `qsession_widgets.snapshot.events`.
    emulator_options : mapping, optional
        How to start the emulator when it does not run yet, and its ``name``; with any of them the
        emulator is the service.

    Returns
    -------
    Session or Batch
        The client library's session, with ``panel()``, ``timeline()``, ``to_dataframe()`` and
        ``snapshot`` besides.

    Raises
    ------
    NoSessionsOnPlan
        The plan has no sessions; use ``mode="batch"`` or job mode.
    UserError
        A wrong value, no such backend, or the service refused.
    """
    options = make(
        backend=backend,
        max_time=max_time,
        service=service,
        instance=instance,
        account=account,
        mode=mode,
        name=name,
        tags=tags,
        expect=expect,
        strict=strict,
        idle_close=idle_close,
        budget=budget,
        on_exit=on_exit,
        say=say,
        events=events,
        local=emulator_options,
    )
    return open_bound(options, notebook=notebook)[0].session


def open_bound(options: OpenOptions, *, notebook: str = "") -> tuple[LiveSession, str]:
    """What `open_session` does, with a line to say about it.

    Returns
    -------
    tuple of (LiveSession, str)
        The bound session, and which service it runs on, or that it was open already.
    """
    known = open_already(options)
    if known is not None:
        return known, go_on(known, options)
    chosen, device = _where(options)
    return _open(chosen, device, options, notebook)


def open_or_fall_back(
    options: OpenOptions, *, notebook: str = ""
) -> tuple[LiveSession | JobMode, str]:
    """`open_bound`, and where the plan has no sessions, job mode or a batch in its place.

    Returns
    -------
    tuple of (LiveSession or JobMode, str)
        What is bound, and what to say about it.
    """
    known = open_already(options)
    if known is not None:
        return known, go_on(known, options)
    from .sessions.opening import NoSessionsOnPlan

    chosen, device = _where(options)
    try:
        return _open(chosen, device, options, notebook)
    except NoSessionsOnPlan:
        refused = f"{chosen.reason}\nThis plan has no sessions (the service said 1352): "
        if options.fallback == "batch":
            live, remark = _open(chosen, device, replace(options, mode="batch"), notebook)
            live.request = options.request
            said = remark.removeprefix(chosen.reason).strip()
            return live, f"{refused}a batch was opened in its place. {said}".rstrip()
        job_mode = JobMode(device, chosen, options, _watch_jobs(chosen, device, options, notebook))
        BINDING.bind_job_mode(job_mode)
        return job_mode, (
            f"{refused}primitives built without a mode run on {device.name} in job mode, each job "
            "through the queue by itself; --fallback batch or %%batch opens a batch."
            + _without_a_session(options)
        )


def _without_a_session(options: OpenOptions) -> str:
    """What cannot be kept in job mode of what was asked for, as a sentence."""
    kept = {"backend", "service", "instance", "account", "fallback", "expect", "names", "name"}
    usual = OpenOptions()
    flags = [
        option.flag
        for option in OPEN_OPTIONS
        if option.field not in kept
        and getattr(options, option.field, None) != getattr(usual, option.field, None)
    ]
    return f" Without a session nothing comes of {', '.join(flags)}." if flags else ""


def _watch_jobs(chosen: Chosen, device: Any, options: OpenOptions, notebook: str) -> JobWatch:
    from .service.client import ServiceClient
    from .watching.jobwatch import JobWatch

    return JobWatch(
        ServiceClient(chosen.service),
        chosen.info,
        device.name,
        reason="no_sessions_on_plan",
        notebook=notebook,
        expected_jobs=options.expect,
    )


def attach_bound(wanted: str, options: OpenOptions) -> tuple[LiveSession, str]:
    """Take up a session that was opened elsewhere, by its id or a job's, and bind it.

    Returns
    -------
    tuple of (LiveSession, str)
        The bound session, and what to say about it.

    Raises
    ------
    UserError
        There is none, or it takes no more jobs.
    """
    live = BINDING.with_id(wanted)
    if live is None:
        from .finding.places import find
        from .sessions.opening import attach_live

        if taken := BINDING.named(options.name) if options.name else None:
            raise UserError(name_taken(taken, [wanted]))
        if options.events:
            events_file(options.events)
        found = find(wanted, _places(options, wanted))
        live = BINDING.with_id(found.session_id)
    if live is not None:
        return live, go_on(live, options)
    Rules.of(options, found.place.info)
    live = attach_live(found, options)
    guard(live)
    BINDING.bind(live)
    leave = live.options.on_exit == "leave"
    return live, (
        f"Attached to the {live.word} on {live.backend.name}: primitives built without a mode "
        f"belong to it. It is {'left open' if leave else 'closed'} when this kernel ends."
    )


def _places(options: OpenOptions, wanted: str) -> Iterator[Spot]:
    """Where to look for a session that is named by its id only."""
    from .finding.places import places

    return places(
        "all" if options.service == "auto" else options.service,
        instance=options.instance,
        account=options.account,
        known=BINDING.services(),
        wanted=wanted,
    )


def current_session() -> Session | Batch | None:
    """The bound session, which primitives without a mode belong to; None when there is none."""
    return None if BINDING.bound is None else BINDING.bound.session


def _where(options: OpenOptions) -> tuple[Chosen, Any]:
    # before anything is opened that would have to be closed again
    if options.events:
        events_file(options.events)
    from .service.quota import quota_warning, remaining

    chosen = _service(options)
    device = find_backend(chosen, options.backend)
    # it is the backend that says which of an account's instances is used, and at what price
    chosen = described_anew(chosen)
    Rules.of(options, chosen.info)
    left = remaining(chosen)
    if warning := quota_warning(left, options.max_time, options.word, chosen.info.plan):
        NOTICES.say(warning)
    return chosen, device


def _service(options: OpenOptions) -> Chosen:
    return choose(
        options.service,
        instance=options.instance,
        account=options.account,
        emulator_options=options.local or None,
    )


def _open(
    chosen: Chosen, device: Any, options: OpenOptions, notebook: str
) -> tuple[LiveSession, str]:
    from .sessions.opening import open_live

    live = open_live(chosen, device, options, notebook=notebook)
    guard(live)
    BINDING.bind(live)
    return live, chosen.reason + _capped(live, options.max_time)


def _capped(live: LiveSession, asked: int | None) -> str:
    granted = live.monitor.snapshot.max_ttl
    if asked is None or granted is None or abs(granted - asked) < 1:
        return ""
    return f" The service granted {words(granted)} instead of {words(asked)}."
