"""The Python API: open or attach a session and bind it, or get the bound one."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from .deferred_output import NOTICES
from .errors import InvalidOption, UserError
from .explanations import nearest
from .messages import outcomes
from .options.open_options import Mode
from .options.parsing import make
from .sessions.binding import BINDING
from .sessions.callsite import this_notebook
from .sessions.job_mode import JobMode
from .sessions.manager import MANAGER

if TYPE_CHECKING:
    from .sessions.opening import OpenResult
    from .sessions.session import Batch, Session

P = ParamSpec("P")
R = TypeVar("R")


def _checks_arguments(function: Callable[P, R]) -> Callable[P, R]:
    """Raise a `UserError`, with the nearest keyword, for arguments that a function does not take.

    Its signature stays as it is for type checkers, and for ``help``.
    """
    signature = inspect.signature(function)

    @functools.wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            signature.bind(*args, **kwargs)
        except TypeError as error:
            raise UserError(_not_taken(function.__name__, signature, kwargs, error)) from None
        return function(*args, **kwargs)

    return checked


def _not_taken(
    name: str, signature: inspect.Signature, given: Mapping[str, object], error: TypeError
) -> str:
    known = list(signature.parameters)
    for word in given:
        if word not in known:
            close = nearest(word, known)
            there = f"did you mean {close}?" if close else f"there are {', '.join(known)}."
            return f"{name} has no argument {word!r}: {there}"
    first, *others = known
    return (
        f"{name} takes {first} and then keywords, such as {others[0]}=; this call cannot be read: "
        f"{error}."
    )


@_checks_arguments
def open_session(
    backend: str | None = None,
    *,
    use_fractional_gates: bool = False,
    max_time: int | str | None = None,
    service: str = "auto",
    instance: str | None = None,
    account: str | None = None,
    mode: Mode = "dedicated",
    name: str = "",
    tags: Sequence[str] = (),
    notebook: str = "",
    another: bool = False,
    expect: int | None = None,
    strict: bool = False,
    idle_close: int | str | None = None,
    max_jobs: int | None = None,
    budget: str | None = None,
    on_exit: str | None = None,
    on_crash: str | None = None,
    resume: bool | str = False,
    say: str = "auto",
    events: str | None = None,
    emulator_options: Mapping[str, Any] | None = None,
) -> Session | Batch:
    """Open a session and bind it: primitives built without a mode belong to it from now on.

    While a session is bound, asking for the same again, or for less, gives that one back and keeps
    it to the budget and the other rules that are given; asking for another is refused, unless it
    has a name of its own. In a notebook, a session that an earlier kernel of it has left open on
    the backend is taken up.

    Parameters
    ----------
    backend : str, optional
        Name of the backend; IBM's least busy device, or the emulated ``fake_fez``, when not given.
    use_fractional_gates : bool
        Whether the backend has its fractional gates, ``rx`` and ``rzz``. Without a name, the least
        busy device that has them.
    max_time : int or str, optional
        Maximum time, in seconds or as ``"1h 30m"``; the plan's longest when not given.
    service : str
        ``ibm``, ``local``, or the name of a service that was joined. ``auto``: the saved account,
        or the environment's, if there is one; otherwise the emulator on this machine.
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
        Path of the notebook that opens it; in a kernel of Jupyter's or VS Code's it is known.
    another : bool
        Open a second one beside one that is open; its jobs wait for an active one on the same
        backend.
    expect : int, optional
        How many jobs there will be, for the progress.
    strict : bool
        Refuse jobs for its backend that would run outside of it, and jobs that would wait for
        another session of yours.
    idle_close : int or str, optional
        Close it when nothing was pending for so long, in seconds or as ``"2m"``.
    max_jobs : int, optional
        Number of its jobs after which no more are sent and it is closed; those it has finish.
    budget : str, optional
        Usage (``"5m"``) or cost (``"$20"``) at which it takes no more jobs and is closed.
    on_exit : {"close", "leave"}, optional
        What happens to it when the interpreter ends; ``close`` when not given.
    on_crash : {"close", "leave"}, optional
        What happens to it when the process is killed or crashes: ``close``, by another process, 20
        seconds later. When not given, ``leave`` in a kernel of a Jupyter server and with
        ``on_exit="leave"``, otherwise ``close``.
    resume : bool or str
        Whether calls that ask for the same as the last run of this notebook or script, which did
        not finish, get the jobs that it has paid for. ``"any"`` takes jobs from before the device's
        last calibration, too; an id, a name or a file names another run. Where that one's session
        is over, the new one opens with its first new job, or the first use of its id.
    say : {"auto", "always", "never"}
        Whether what happens to it is told as lines of text; ``auto``: in a shell with the magics
        loaded, where no page shows the panel.
    events : str, optional
        File that what happens to it is appended to, one JSON object a line; see
        `qsession_widgets.model.events`.
    emulator_options : mapping, optional
        How to start the emulator when it does not run yet, and its ``name``; with any of them the
        emulator is the service.

    Returns
    -------
    Session or Batch
        The client library's session, with ``panel()``, ``timeline()``, ``to_dataframe()``,
        ``receipt()``, ``export()``, ``log()``, ``metrics()`` and ``snapshot`` besides.

    Raises
    ------
    NoSessionsOnPlan
        The plan has no sessions; use ``mode="batch"`` or job mode.
    UserError
        A wrong value, no such backend, or the service refused.
    """
    options = make(
        backend=backend,
        use_fractional_gates=use_fractional_gates,
        max_time=max_time,
        service=service,
        instance=instance,
        account=account,
        mode=mode,
        name=name,
        tags=tags,
        another=another,
        expect=expect,
        strict=strict,
        idle_close=idle_close,
        max_jobs=max_jobs,
        budget=budget,
        on_exit=on_exit,
        on_crash=on_crash,
        resume=resume,
        say=say,
        events=events,
        local=emulator_options,
    )
    notebook = notebook or this_notebook()

    def opened() -> OpenResult:
        result = MANAGER.open(options, notebook=notebook)
        from .sessions.left_behind import left_behind_notices

        # what is taken up with a run was told with it
        if result.outcome == "resumed" and result.run is None:
            backend = result.target.backend.name
            NOTICES.emit(outcomes.opened("resumed", noun=options.word, backend=backend))
        for sentence in left_behind_notices(result, notebook, BINDING):
            NOTICES.emit(sentence)
        return result

    return _session(opened)


@_checks_arguments
def attach_session(
    id_or_name: str,
    *,
    service: str = "auto",
    instance: str | None = None,
    account: str | None = None,
    name: str = "",
    tags: Sequence[str] = (),
    expect: int | None = None,
    strict: bool = False,
    idle_close: int | str | None = None,
    max_jobs: int | None = None,
    budget: str | None = None,
    on_exit: str | None = None,
    on_crash: str | None = None,
    say: str = "auto",
    events: str | None = None,
) -> Session | Batch | JobMode:
    """Take up a session that was opened elsewhere and bind it, as ``%session attach`` does.

    It may have been opened by a kernel that is gone, by another notebook, or by another program.
    Saved accounts, their instances and the emulators on this machine are asked for it. One that has
    ended is read-only and is not bound: its timeline, tables, receipt and exports are there as they
    were, and a job for it is refused. So are the jobs of job mode, of a kernel of this machine.

    Parameters
    ----------
    id_or_name : str
        Its id, the id of one of its jobs, or the name that it was opened with on this machine.
    service : {"auto", "ibm", "local"}
        Where to look: ``auto`` asks the saved accounts and the emulators.
    instance : str, optional
        Instance (CRN or name) of the IBM account; only that one is asked.
    account : str, optional
        Name of a saved account; only that one is asked.
    name : str, optional
        A name for it in this kernel; the one that it was found by when not given.
    on_exit : {"close", "leave"}, optional
        Whether it is closed or left open when the interpreter ends; ``leave`` when not given,
        because others may still use it.
    on_crash : {"close", "leave"}, optional
        The same when the process is killed or crashes.
    tags, expect, strict, idle_close, max_jobs, budget, say, events
        As of `open_session`.

    Returns
    -------
    Session, Batch or JobMode
        The client library's session, with ``panel()``, ``timeline()``, ``to_dataframe()``,
        ``receipt()``, ``export()``, ``log()``, ``metrics()`` and ``snapshot`` besides; of job mode
        its jobs, with these members.

    Raises
    ------
    UserError
        There is no such session, or a value makes no sense.
    """
    given: object = id_or_name
    if not (isinstance(given, str) and given.strip()):
        raise UserError(f"attach_session takes an id or a name as text, not {id_or_name!r}.")
    options = make(
        service=service,
        instance=instance,
        account=account,
        name=name,
        tags=tags,
        expect=expect,
        strict=strict,
        idle_close=idle_close,
        max_jobs=max_jobs,
        budget=budget,
        on_exit=on_exit,
        on_crash=on_crash,
        say=say,
        events=events,
    )
    if on_exit is None:
        options = replace(options, on_exit="leave")
    return _found(lambda: MANAGER.attach(id_or_name, options))


def current_session() -> Session | Batch | None:
    """The bound session, which primitives without a mode belong to; None when there is none.

    One that is closed is none.
    """
    live = BINDING.bound
    return None if live is None or live.closed else live.session


def _session(requested: Callable[[], OpenResult]) -> Session | Batch:
    found = _found(requested)
    # without a fallback a session or batch is opened, or an error raised
    assert not isinstance(found, JobMode)
    return found


def _found(requested: Callable[[], OpenResult]) -> Session | Batch | JobMode:
    try:
        bound = requested().bound
    except InvalidOption as error:
        raise error.spelled("python") from None
    return bound if isinstance(bound, JobMode) else bound.session
