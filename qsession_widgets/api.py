"""The same as the magics, from Python: open a session and bind it, ask for the bound one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .binding import BINDING
from .durations import parse_duration, words
from .errors import UserError
from .service import KINDS, Kind, choose, find_backend

if TYPE_CHECKING:
    from .live import Batch, LiveSession, Session


def open_session(
    backend: str | None = None,
    *,
    max_time: int | str | None = None,
    service: Kind = "auto",
    instance: str | None = None,
    account: str | None = None,
    mode: str = "dedicated",
    name: str = "",
    notebook: str = "",
    expect: int | None = None,
    emulator_options: dict[str, Any] | None = None,
) -> Session | Batch:
    """Open a session and bind it: primitives built without a mode belong to it from now on.

    While a session is bound, asking for the same again gives that one back; asking for another is
    refused.

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
    notebook : str, optional
        Path of the notebook that opens it.
    expect : int, optional
        How many jobs there will be, for the progress.
    emulator_options : dict, optional
        How to start the emulator when it does not run yet.

    Returns
    -------
    Session or Batch
        The client library's session, with ``panel()``, ``timeline()``, ``to_dataframe()`` and
        ``snapshot`` besides.

    Raises
    ------
    UserError
        A wrong value, no such backend, or the service refused.
    """
    return open_bound(
        backend,
        max_time=max_time,
        service=service,
        instance=instance,
        account=account,
        mode=mode,
        name=name,
        notebook=notebook,
        expect=expect,
        emulator_options=emulator_options,
    )[0].session


def open_bound(
    backend: str | None = None,
    *,
    max_time: int | str | None = None,
    service: Kind = "auto",
    instance: str | None = None,
    account: str | None = None,
    mode: str = "dedicated",
    name: str = "",
    notebook: str = "",
    expect: int | None = None,
    emulator_options: dict[str, Any] | None = None,
) -> tuple[LiveSession, str]:
    """What `open_session` does, with a line to say about it.

    Returns
    -------
    tuple of (LiveSession, str)
        The bound session, and which service it runs on, or that it was open already.
    """
    if service not in KINDS:
        raise UserError(f"--service {service!r} does not exist: choose auto, ibm or local.")
    seconds = None if max_time is None else parse_duration(str(max_time), what="--max-time")
    request = (backend, seconds, service, instance, account, mode, name)
    bound = BINDING.bound
    if bound is not None and bound.usable:
        if bound.request == request:
            return bound, "This session is open already and goes on."
        raise UserError(_other_open(bound, mode))
    from .live import open_live

    chosen = choose(service, instance=instance, account=account, emulator_options=emulator_options)
    device = find_backend(chosen, backend)
    live = open_live(
        chosen,
        device,
        mode=mode,
        max_time=seconds,
        name=name,
        notebook=notebook,
        expected_jobs=expect,
        request=request,
    )
    BINDING.bind(live)
    return live, chosen.reason + _capped(live, seconds)


def current_session() -> Session | Batch | None:
    """The bound session, which primitives without a mode belong to; None when there is none."""
    return None if BINDING.bound is None else BINDING.bound.session


def _other_open(bound: LiveSession, mode: str) -> str:
    snapshot = bound.monitor.snapshot
    word = "batch" if snapshot.mode == "batch" else "session"
    return (
        f"A {word} on {snapshot.backend} is open already and asks for something else: run the cell "
        f"with the options it was opened with to go on in it, or end it first with %session close."
    )


def _capped(live: LiveSession, asked: int | None) -> str:
    granted = live.monitor.snapshot.max_ttl
    if asked is None or granted is None or abs(granted - asked) < 1:
        return ""
    return f" The service granted {words(granted)} instead of {words(asked)}."
