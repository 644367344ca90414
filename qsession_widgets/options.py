"""The options of ``%%session``: one table makes the parser, the help and the completion."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field

from .durations import parse_duration
from .errors import UserError, nearest
from .service import KINDS, Kind


@dataclass(frozen=True)
class Option:
    """One option of ``%%session``.

    Attributes
    ----------
    flag : str
        As it is typed.
    value : str
        What its value is called.
    meaning : str
        What it does, for the help.
    """

    flag: str
    value: str
    meaning: str


OPEN_OPTIONS: tuple[Option, ...] = (
    Option("--backend", "NAME", "the backend; IBM's least busy device, or fake_fez, when left out"),
    Option(
        "--max-time", "TIME", "maximum time: 90, 30m or '1h 30m'; the plan's longest when left out"
    ),
    Option(
        "--service",
        "auto|ibm|local",
        "auto takes your IBM account if there is one, else the local emulator",
    ),
    Option("--instance", "CRN", "instance of your IBM account, by CRN or name"),
    Option("--account", "NAME", "a saved account by name"),
    Option("--name", "NAME", "a name for the session"),
    Option("--expect", "N", "how many jobs there will be, for the progress"),
    Option(
        "--bind-as",
        "SESSION,BACKEND",
        "the notebook's names for them; session,backend when left out",
    ),
)


@dataclass(frozen=True)
class OpenOptions:
    """What a ``%%session`` line asks for; None and empty where it says nothing."""

    backend: str | None = None
    max_time: str | None = None
    service: Kind = "auto"
    instance: str | None = None
    account: str | None = None
    name: str = ""
    expect: int | None = None
    names: tuple[str, str] = field(default=("session", "backend"))


def split(line: str) -> list[str]:
    """Split a magic's line as a shell would.

    Raises
    ------
    UserError
        A quotation mark has no partner.
    """
    try:
        return shlex.split(line, comments=True)
    except ValueError:
        raise UserError(f"A quotation mark has no partner in: {line.strip()}") from None


def parse_open(line: str) -> OpenOptions:
    """Read the options of a ``%%session`` line.

    Raises
    ------
    UserError
        An option that does not exist, one without its value, or a value that makes no sense.
    """
    values = _pairs(split(line))
    service = values.get("--service", "auto")
    if service not in KINDS:
        raise UserError(f"--service {service!r} does not exist: choose auto, ibm or local.")
    max_time = values.get("--max-time")
    if max_time is not None:
        parse_duration(max_time, what="--max-time")
    return OpenOptions(
        backend=values.get("--backend"),
        max_time=max_time,
        service=service,
        instance=values.get("--instance"),
        account=values.get("--account"),
        name=values.get("--name", ""),
        expect=_count(values["--expect"]) if "--expect" in values else None,
        names=_names(values["--bind-as"]) if "--bind-as" in values else ("session", "backend"),
    )


def _pairs(words: list[str]) -> dict[str, str]:
    flags = [option.flag for option in OPEN_OPTIONS]
    values: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        flag, equals, value = word.partition("=")
        if flag not in flags:
            raise UserError(_unknown(word, flag, flags))
        if flag in values:
            raise UserError(f"{flag} is given twice: once is enough.")
        if not equals:
            value = next(rest, "")
            if not value or value.startswith("--"):
                option = next(option for option in OPEN_OPTIONS if option.flag == flag)
                raise UserError(f"{flag} needs a value: {flag} {option.value}.")
        values[flag] = value
    return values


def _unknown(word: str, flag: str, flags: list[str]) -> str:
    if not word.startswith("-"):
        return f"%%session does not know {word!r}: it takes options only. %session? lists them."
    close = nearest(flag, flags)
    return (
        f"%%session has no option {flag}"
        + (f": did you mean {close}?" if close else ".")
        + " %session? lists them."
    )


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise UserError(f"--expect {text!r} is not a number of jobs: write 1 or more.")
    return int(text)


def _names(text: str) -> tuple[str, str]:
    names = [name.strip() for name in text.split(",")]
    if len(names) != 2 or not all(name.isidentifier() for name in names) or names[0] == names[1]:
        raise UserError(
            f"--bind-as {text!r} does not name two variables: write --bind-as session,backend."
        )
    return names[0], names[1]


def _table() -> str:
    width = max(len(f"{option.flag} {option.value}") for option in OPEN_OPTIONS)
    return "\n".join(
        f"    {f'{option.flag} {option.value}':<{width}}  {option.meaning}"
        for option in OPEN_OPTIONS
    )


USAGE = f"""Open a Qiskit Runtime session and run the cell in it; look at it, close it.

    %%session [options]     above a cell: opens a session (or goes on in the one that is open),
                            shows its panel and runs the cell. Primitives built without a mode
                            belong to it, in this cell and all later ones, until it is closed.
    %session                the panel again
    %session close          accept no more jobs, let queued ones finish; then it is closed
    %session cancel         accept no more jobs, cancel queued ones; a running one finishes
    %session receipt        what it did and cost
    %session timeline       its jobs as a plotly figure
    %session backends       the backends to choose from
    %session unbind         new primitives belong to nothing again; the session stays open

Options of %%session:

{_table()}

Examples
--------
    %%session --backend fake_fez --max-time 30m
    estimator = EstimatorV2()
    isa = generate_preset_pass_manager(backend=backend, optimization_level=1).run(circuit)
    job = estimator.run([(isa, observable.apply_layout(isa.layout))])

Unless closed, an open session costs money while it is active, idle time included.
"""
"""The help that ``%session?`` shows."""
