"""The options of ``%%session`` and ``%%batch``: one table makes parser, help and completion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..client.joined import USUAL_NAME
from ..client.selection import KINDS
from ..emulator.option_table import EMULATOR_OPTIONS, EmulatorOption
from .validators import (
    read_budget_text,
    read_count,
    read_duration,
    read_names,
    read_number,
    read_one_of,
    read_run,
    read_seconds,
    read_service,
    read_share,
    read_tags,
    read_text,
    read_true,
    read_whole,
)


@dataclass(frozen=True)
class Option:
    """One option.

    Attributes
    ----------
    flag : str
        As it is typed.
    value : str
        What its value is called; choices stand in a row with bars; in brackets one that may be left
        out; empty for an option without one.
    meaning : str
        What it does, for the help.
    field : str
        Its field in `qsession_widgets.options.open_options.OpenOptions`, with ``local.`` before
        one of the emulator's, and ``simulation.`` before one of the emulator's for this session.
    read : callable
        Converts the text that was typed into the field's value, given `name` and the text.
    """

    flag: str
    value: str
    meaning: str
    field: str
    read: Callable[[str, str], Any]

    @property
    def name(self) -> str:
        """Its name in an `InvalidOption`: the flag without hyphens in front."""
        return self.flag.removeprefix("--")

    @property
    def choices(self) -> tuple[str, ...]:
        """The values it can have, where they are few."""
        return tuple(self.value.split("|")) if "|" in self.value else ()

    @property
    def value_optional(self) -> bool:
        """True if it may stand without its value."""
        return self.value.startswith("[")


_READERS: dict[str, Callable[[str, str], Any]] = {
    "text": read_text,
    "number": read_number,
    "duration": read_duration,
    "share": read_share,
    "whole": read_whole,
    "flag": read_true,
}


def _local(option: EmulatorOption) -> Option:
    read = read_one_of(*option.value.split("|")) if "|" in option.value else _READERS[option.kind]
    flag = f"--local-{option.spelled}"
    part = "simulation" if option.of_session else "local"
    return Option(flag, option.value, option.meaning, f"{part}.{option.name}", read)


OPEN_OPTIONS: tuple[Option, ...] = (
    Option(
        "--backend",
        "NAME",
        "the backend; IBM's least busy device, or fake_fez, when left out",
        "backend",
        read_text,
    ),
    Option(
        "--fractional-gates",
        "",
        "the backend with its fractional gates, rx and rzz",
        "use_fractional_gates",
        read_true,
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
        "auto: your IBM account if there is one, else the emulator; or a joined service",
        "service",
        read_service(*KINDS),
    ),
    Option(
        "--instance", "CRN", "instance of your IBM account, by CRN or name", "instance", read_text
    ),
    Option("--account", "NAME", "a saved account by name", "account", read_text),
    Option("--name", "NAME", "a name for it; with names, several can be open", "name", read_text),
    Option("--tags", "A,B", "tags that every job in it gets", "tags", read_tags),
    Option("--expect", "N", "how many jobs there will be, for the progress", "expect", read_count),
    Option(
        "--another",
        "",
        "open a second one beside the open one, whose jobs may wait for it",
        "another",
        read_true,
    ),
    Option("--once", "", "close it at the end of this cell", "once", read_true),
    Option(
        "--strict",
        "",
        "refuse jobs outside of it or that wait, inexact results, options without effect",
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
        "--max-jobs",
        "N",
        "send no more than so many new jobs, and close it after the last of them",
        "max_jobs",
        read_count,
    ),
    Option(
        "--budget",
        "TIME|$AMOUNT",
        "warn at 80 % of that usage or cost, send no job that would exceed it",
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
        "--on-crash",
        "close|leave",
        "what happens to it when the kernel crashes; leave in Jupyter, close elsewhere",
        "on_crash",
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
        "--resume",
        "[RUN]",
        "take up jobs that the last run, or the one named, has paid for",
        "resume",
        read_run,
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
    Option(
        "--local-name",
        "NAME",
        "a running emulator by name, or what the new one is called",
        "local.name",
        read_text,
    ),
    *(_local(option) for option in EMULATOR_OPTIONS if option.in_notebooks),
)
"""Every option, in the order of the help."""

ATTACH_OPTIONS: tuple[Option, ...] = tuple(
    option
    for option in OPEN_OPTIONS
    if option.flag
    not in (
        "--backend",
        "--fractional-gates",
        "--max-time",
        "--another",
        "--once",
        "--fallback",
        "--resume",
    )
    and not option.flag.startswith("--local-")
)
"""The options of ``%session attach``: those that make sense for a session that is open already."""

SERVICE_OPTIONS: tuple[Option, ...] = tuple(
    option for option in OPEN_OPTIONS if option.flag in ("--service", "--instance", "--account")
)
"""The options of ``%session backends``: which service."""

JOIN_OPTIONS: tuple[Option, ...] = (
    Option(
        "--name", "NAME", f"the name to use it by; {USUAL_NAME} when left out", "name", read_text
    ),
    Option(
        "--ca",
        "FILE",
        "certificate of the authority that signed the service's own, where machines know none",
        "authority",
        read_text,
    ),
)
"""The options of ``%session join`` and ``qsession join``."""

WHERE = ("all", "ibm", "local")
LIST_OPTIONS: tuple[Option, ...] = (
    Option(
        "--service",
        "|".join(WHERE),
        "where to look: your IBM accounts, this machine's emulators, a joined service, or all of "
        "them, as when left out",
        "where",
        read_service(*WHERE),
    ),
    *(option for option in OPEN_OPTIONS if option.flag in ("--instance", "--account")),
)
"""The options of ``%session list``, and of the commands that look for a session by its id."""

FORECAST_OPTIONS: tuple[Option, ...] = (
    Option(
        "--plan", "PLAN", "the plan to count with: payg, flex, premium or open", "plan", read_text
    ),
    Option(
        "--queue-wait",
        "TIME",
        "how long a job waits in the normal queue, such as 2m; else what its first job waited",
        "queue_wait",
        read_text,
    ),
)
"""The options of ``%session forecast`` and ``qsession forecast``."""
