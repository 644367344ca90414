"""The options of ``%%session`` and ``%%batch``: one table makes parser, help and completion."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..service.choosing import KINDS, Kind
from .readers import (
    read_budget_text,
    read_count,
    read_names,
    read_number,
    read_one_of,
    read_seconds,
    read_tags,
    read_text,
    read_true,
    read_whole,
)

Mode = Literal["dedicated", "batch"]


@dataclass(frozen=True)
class OpenOptions:
    """What a session is to be; None and empty where nothing was asked for.

    Attributes
    ----------
    backend : str or None
        Name of the backend.
    max_time : int or None
        Maximum time in seconds.
    service, instance, account
        Which service (the emulator where one of its options is given), and which instance and
        saved account of IBM's.
    name : str
        The user's name for it.
    tags : tuple of str
        Tags that every job in it gets.
    expect : int or None
        How many jobs there will be.
    once : bool
        Whether it is closed at the end of the cell.
    strict : bool
        Whether a job for its backend but outside of it is refused.
    idle_close : float or None
        Seconds with nothing pending after which it is closed.
    budget : str
        Usage or cost at which it is ended and its queued jobs are cancelled, as typed: ``5m``
        or ``$20``.
    on_error, on_exit : str
        What happens to it when its cell fails, and when the kernel ends.
    fallback : str
        What to do on a plan without sessions.
    say : str
        Whether what happens to it is told as lines of text.
    events : str
        File that what happens to it is appended to, as JSON lines; empty for none.
    names : tuple of (str, str)
        The notebook's names for session and backend.
    local : mapping
        How to start the emulator when none runs.
    mode : {"dedicated", "batch"}
        A session or a batch.
    given : frozenset of str
        Which of these were asked for, whatever their value; configured defaults are not.
    """

    backend: str | None = None
    max_time: int | None = None
    service: Kind = "auto"
    instance: str | None = None
    account: str | None = None
    name: str = ""
    tags: tuple[str, ...] = ()
    expect: int | None = None
    once: bool = False
    strict: bool = False
    idle_close: float | None = None
    budget: str = ""
    on_error: str = "keep"
    on_exit: str = "close"
    fallback: str = "job"
    say: str = "auto"
    events: str = ""
    names: tuple[str, str] = ("session", "backend")
    local: Mapping[str, Any] = field(default_factory=dict)
    mode: Mode = "dedicated"
    given: frozenset[str] = frozenset()

    @property
    def word(self) -> str:
        """What to call it: a session or a batch."""
        return "batch" if self.mode == "batch" else "session"

    @property
    def request(self) -> tuple[Any, ...]:
        """What a session is asked for as, to know the same words again."""
        return (
            self.mode,
            self.backend,
            self.max_time,
            self.service,
            self.instance,
            self.account,
            self.name,
            tuple(sorted(self.local.items())),
        )


@dataclass(frozen=True)
class Option:
    """One option.

    Attributes
    ----------
    flag : str
        As it is typed.
    value : str
        What its value is called; choices stand in a row with bars; empty for an option without one.
    meaning : str
        What it does, for the help.
    field : str
        Its field in `OpenOptions`, with ``local.`` before one of the emulator's.
    read : callable
        Makes the field's value from what was typed, given the flag and the text.
    """

    flag: str
    value: str
    meaning: str
    field: str
    read: Callable[[str, str], Any]

    @property
    def choices(self) -> tuple[str, ...]:
        """The values it can have, where they are few."""
        return tuple(self.value.split("|")) if "|" in self.value else ()


def _local(name: str, value: str, meaning: str, read: Callable[[str, str], Any]) -> Option:
    flag = "--local-" + name.replace("_", "-")
    return Option(flag, value, meaning, f"local.{name}", read)


OPEN_OPTIONS: tuple[Option, ...] = (
    Option(
        "--backend",
        "NAME",
        "the backend; IBM's least busy device, or fake_fez, when left out",
        "backend",
        read_text,
    ),
    Option(
        "--max-time",
        "TIME",
        "maximum time: 90, 30m or '1h 30m'; the plan's longest when left out",
        "max_time",
        read_seconds,
    ),
    Option(
        "--service",
        "auto|ibm|local",
        "auto takes your IBM account if there is one, else the local emulator",
        "service",
        read_one_of(*KINDS),
    ),
    Option(
        "--instance", "CRN", "instance of your IBM account, by CRN or name", "instance", read_text
    ),
    Option("--account", "NAME", "a saved account by name", "account", read_text),
    Option("--name", "NAME", "a name for it; with names, several can be open", "name", read_text),
    Option("--tags", "A,B", "tags that every job in it gets", "tags", read_tags),
    Option("--expect", "N", "how many jobs there will be, for the progress", "expect", read_count),
    Option("--once", "", "close it at the end of this cell", "once", read_true),
    Option(
        "--strict",
        "",
        "refuse jobs for its backend that would run outside of it",
        "strict",
        read_true,
    ),
    Option(
        "--idle-close",
        "TIME",
        "close it once no job has been queued or running for that long",
        "idle_close",
        read_seconds,
    ),
    Option(
        "--budget",
        "TIME|$AMOUNT",
        "warn at 80 % of that usage or cost; at 100 % refuse jobs and cancel queued ones",
        "budget",
        read_budget_text,
    ),
    Option(
        "--on-error",
        "close|cancel|keep",
        "what happens to it when a cell that used it fails; keep when left out",
        "on_error",
        read_one_of("close", "cancel", "keep"),
    ),
    Option(
        "--on-exit",
        "close|leave",
        "what happens to it when the kernel ends; close when left out",
        "on_exit",
        read_one_of("close", "leave"),
    ),
    Option(
        "--fallback",
        "job|batch",
        "what to do on a plan without sessions; job mode when left out",
        "fallback",
        read_one_of("job", "batch"),
    ),
    Option(
        "--say",
        "auto|always|never",
        "tell what happens to it in lines of text; auto: where no page shows the panel",
        "say",
        read_one_of("auto", "always", "never"),
    ),
    Option(
        "--events",
        "PATH",
        "append what happens to it to a file, one JSON object a line",
        "events",
        read_text,
    ),
    Option(
        "--bind-as",
        "SESSION,BACKEND",
        "the notebook's names for them; session,backend when left out",
        "names",
        read_names,
    ),
    _local("name", "NAME", "a running emulator by name, or what the new one is called", read_text),
    _local("plan", "PLAN", "the plan the emulator plays: premium, payg, flex or open", read_text),
    _local("ittl", "SECONDS", "its interactive timeout", read_number),
    _local("max_ttl", "SECONDS", "its longest maximum time", read_number),
    _local("cap", "", "shorten a longer maximum time instead of refusing it", read_true),
    _local("quota", "SECONDS", "usage its instance has in 28 days", read_number),
    _local("speed", "FACTOR", "how fast its clock runs", read_number),
    _local(
        "queue", "LOAD", "other users' jobs beside yours: 120 for two minutes of waiting", read_text
    ),
    _local(
        "job_time",
        "simulated|device",
        "whether a job takes as long as its simulation or as on the device",
        read_one_of("simulated", "device"),
    ),
    _local("lanes", "N", "how many jobs a device runs at once", read_whole),
    _local("workers", "N", "how many worker processes simulate", read_whole),
    _local("memory", "GIB", "memory of each worker", read_number),
    _local("cluster", "ADDRESS", "a Dask scheduler to simulate on", read_text),
    _local("seed", "N", "seed of everything random in it", read_whole),
    _local("faults", "", "serve its faults plane, which makes requests fail on demand", read_true),
)
"""Every option, in the order of the help."""

ATTACH_OPTIONS: tuple[Option, ...] = tuple(
    option
    for option in OPEN_OPTIONS
    if option.flag not in ("--backend", "--max-time", "--once", "--fallback")
    and not option.field.startswith("local.")
)
"""The options of ``%session attach``: those that make sense for a session that is open already."""

SERVICE_OPTIONS: tuple[Option, ...] = tuple(
    option for option in OPEN_OPTIONS if option.flag in ("--service", "--instance", "--account")
)
"""The options of ``%session backends``: which service."""

WHERE = ("all", "ibm", "local")
LIST_OPTIONS: tuple[Option, ...] = (
    Option(
        "--service",
        "|".join(WHERE),
        "where to look: your IBM accounts, the emulators that run on this machine, or all of them",
        "where",
        read_one_of(*WHERE),
    ),
    *(option for option in OPEN_OPTIONS if option.flag in ("--instance", "--account")),
)
"""The options of ``%session list``, and of the commands that look for a session by its id."""
