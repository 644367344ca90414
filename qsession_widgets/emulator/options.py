"""Options of an emulator, from a command line, a magic or `launcher`, and their checks."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from ..formatting import format_duration
from .command_line import duration, offer
from .engine.task import METHODS, NOISES
from .option_table import EMULATOR_OPTIONS
from .rules.records import PLANS, Plan
from .rules.simulated_load import LoadProfile

JOB_TIMES = ("simulated", "device")

SHARED_JOB_LIMIT = 600.0
"""Real seconds a job may compute in an emulator that several users share."""

FASTEST = 1e6
"""Seconds in one second; with more the service's clock would soon have no date any more."""


_PAIRS = {option.name: option.spelled for option in EMULATOR_OPTIONS if option.kind == "pairs"}


class OptionError(ValueError):
    """An option that makes no sense.

    Parameters
    ----------
    sentence : str
        The reason; with ``{option}`` and ``{value}`` to be filled in where an option is given.
    option : str
        The option, by its field in `EmulatorOptions`; empty where the sentence names none.
    value : object
        Its value.
    """

    def __init__(self, sentence: str, option: str = "", value: object = None):
        super().__init__(sentence, option, value)
        self.sentence = sentence
        self.option = option
        self.value = value

    def __str__(self) -> str:
        if not self.option:
            return self.sentence
        flag = "--" + self.option.replace("_", "-")
        return self.sentence.format(option=flag, value=self.value)


@dataclass(frozen=True)
class EmulatorOptions:
    """Options an emulator is started with.

    Attributes
    ----------
    plan : str
        The plan of the default instance: ``premium``, ``payg``, ``flex`` or ``open``.
    instances : tuple of (str, str)
        Further instances, as name and plan, each with a key of its own.
    devices : tuple of (str, str)
        Backends of this emulator alone, as name and the device that stands behind it.
    ittl, max_ttl : float or None
        Interactive timeout and longest maximum time in seconds; the plan's when None.
    cap : bool
        Whether a maximum time that is too long is shortened; it is refused otherwise.
    quota : float or None
        Seconds of usage the default instance has in 28 days, beyond which no job is accepted; what
        its plan has when None.
    speed : float
        Seconds of service time in one second; 0 stands still until the clock is moved through the
        faults plane.
    job_time : {"simulated", "device"}
        Whether a job takes and charges the time its simulation takes, or what the device would.
    queue : str or None
        Other users' load, as `queue` reads it; None for none.
    lanes : int or None
        Jobs a device runs at once; 1 when None.
    workers : int or None
        Worker processes; as many as processors, at most 4, when None.
    memory : float or None
        GiB each worker may use; what the machine has when None.
    cluster : str or None
        Address of a Dask scheduler on which circuits are simulated; None for this machine.
    seed : int or None
        Seed of everything random in the emulator itself.
    method, noise : str or None
        How circuits are simulated, and with which noise, where there is a choice; what fits when
        None.
    precision_limit : float or None
        Which error of an approximation is accepted; 0.01 when None.
    strict : bool
        Whether inexact results, and options without effect, are refused.
    faults : bool
        Whether the faults plane is served.
    job_limit : float or None
        Real seconds a job may compute, 0 for any number; `SHARED_JOB_LIMIT` in an emulator with
        several instances and any number otherwise when None.
    idle_exit : float
        Real seconds without a request, a pending job or an open session after which it ends; 0 for
        never.
    """

    plan: str = "premium"
    instances: tuple[tuple[str, str], ...] = ()
    devices: tuple[tuple[str, str], ...] = ()
    ittl: float | None = None
    max_ttl: float | None = None
    cap: bool = False
    quota: float | None = None
    speed: float = 1.0
    job_time: str = "simulated"
    queue: str | None = None
    lanes: int | None = None
    workers: int | None = None
    memory: float | None = None
    cluster: str | None = None
    seed: int | None = None
    method: str | None = None
    noise: str | None = None
    precision_limit: float | None = None
    strict: bool = False
    faults: bool = False
    job_limit: float | None = None
    idle_exit: float = 900.0

    def __post_init__(self) -> None:
        _check_plan(self.plan)
        names = [name for name, _ in self.instances]
        if len(set(names)) < len(names) or "default" in names:
            raise OptionError("Each instance needs a name of its own, other than default.")
        if "owner" in names:
            raise OptionError(
                "An instance cannot be named owner, because that is who reaches all of them: "
                "choose another name."
            )
        for name, plan in self.instances:
            # on a command line one that begins with - would be an option
            if not name[:1].isalnum() or not name.replace("-", "").replace("_", "").isalnum():
                raise OptionError(
                    "An instance is named with letters, digits, - and _, and begins with a letter "
                    f"or digit, unlike {name!r}."
                )
            _check_plan(plan)
        if len(dict(self.devices)) < len(self.devices):
            raise OptionError("Each --device needs a name of its own.")
        for option in EMULATOR_OPTIONS:
            value = getattr(self, option.name)
            if option.smallest is None or value is None:
                continue
            if not (math.isfinite(value) and value >= option.smallest):
                sentence = f"{{option}} must be {option.smallest:g} or more, not {{value:g}}."
                raise OptionError(sentence, option.name, value)
        if self.speed > FASTEST:
            sentence = f"{{option}} must be {FASTEST:.0f} or less, not {{value:g}}."
            raise OptionError(sentence, "speed", self.speed)
        if self.queue is not None:
            _check_queue(self.queue)
        if self.job_time not in JOB_TIMES:
            sentence = f"{{option}} is one of {' and '.join(JOB_TIMES)}, not {{value!r}}."
            raise OptionError(sentence, "job_time", self.job_time)
        for name, chosen, allowed in (
            ("method", self.method, METHODS),
            ("noise", self.noise, NOISES),
        ):
            if chosen is not None and chosen not in allowed:
                sentence = f"{{option}} is one of {', '.join(allowed)}, not {{value!r}}."
                raise OptionError(sentence, name, chosen)
        limit = self.precision_limit
        if limit is not None and not 0 < limit <= 1:
            sentence = "{option} is above 0 and at most 1, not {value!r}."
            raise OptionError(sentence, "precision_limit", limit)

    @property
    def simulation(self) -> dict[str, Any]:
        """Settings of the simulation that were given."""
        names = ("method", "noise", "precision_limit")
        asked = {name: getattr(self, name) for name in names}
        given = {name: value for name, value in asked.items() if value is not None}
        return {**given, "strict": True} if self.strict else given

    @property
    def longest_job(self) -> float | None:
        """Real seconds a job may compute; None for any number."""
        if self.job_limit is None and not self.instances:
            return None
        return self.longest_job_shared

    @property
    def longest_job_shared(self) -> float | None:
        """The same once several users share the emulator."""
        return SHARED_JOB_LIMIT if self.job_limit is None else self.job_limit or None

    def plan_of(self, name: str) -> Plan:
        """A plan with the timeouts that were asked for."""
        plan = PLANS[name]
        if self.ittl is not None:
            plan = replace(plan, interactive_ttl=self.ittl, batch_interactive_ttl=self.ittl)
        if self.max_ttl is not None:
            plan = replace(plan, max_ttl=self.max_ttl, batch_max_ttl=self.max_ttl)
        return replace(plan, caps=self.cap)

    def to_json(self) -> dict[str, Any]:
        """The options as plain JSON types; `from_json` reads them back."""
        pairs = {name: [list(pair) for pair in getattr(self, name)] for name in _PAIRS}
        return {**asdict(self), **pairs}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> EmulatorOptions:
        """Read what `to_json` wrote; options this version does not know are left out."""
        known = {field.name for field in fields(cls)}
        values = {name: value for name, value in data.items() if name in known}
        for option in _PAIRS:
            values[option] = tuple((name, value) for name, value in data.get(option, ()))
        return cls(**values)

    def arguments(self) -> list[str]:
        """The command line that asks for these options."""
        words: list[str] = []
        for field in fields(self):
            value = getattr(self, field.name)
            if value == field.default:
                continue
            flag = "--" + field.name.replace("_", "-")
            if field.name in _PAIRS:
                for name, given in value:
                    words += [f"--{_PAIRS[field.name]}", f"{name}={given}"]
            elif value is True:
                words.append(flag)
            else:
                words += [flag, str(value)]
        return words

    def differences(
        self, other: EmulatorOptions, asked: Collection[str] | None = None
    ) -> dict[str, Any]:
        """The options of another emulator that differ from these.

        Parameters
        ----------
        other : Options
            Those it was started with.
        asked : collection of str, optional
            Fields that matter; all that change an emulator's behaviour when not given.

        Returns
        -------
        dict of str to Any
            The other emulator's values, by field.
        """
        quiet = {"idle_exit", "workers", "memory", "job_limit"}
        return {
            field.name: getattr(other, field.name)
            for field in fields(self)
            if field.name not in quiet
            and (asked is None or field.name in asked)
            and getattr(self, field.name) != getattr(other, field.name)
        }


def as_typed(name: str, value: Any, prefix: str = "--") -> str:
    """An option with its value as it is typed, ``prefix`` in front of its name."""
    flag = prefix + name.replace("_", "-")
    if name in _PAIRS:
        flag = prefix + _PAIRS[name]
        return " ".join(f"{flag} {one}={given}" for one, given in value) or f"no {flag}"
    if value is None or value is False:
        return f"no {flag}"
    if value is True:
        return flag
    return f"{flag} {value:g}" if isinstance(value, float) else f"{flag} {value}"


def _check_queue(text: str) -> None:
    try:
        LoadProfile.parse(text)
    except ValueError as error:
        raise OptionError(str(error)) from None


def _check_plan(plan: str) -> None:
    if plan not in PLANS:
        known = offer(plan, list(PLANS))
        raise OptionError(f"There is no plan {plan!r}: {known}{'' if known[-1] == '?' else '.'}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give a command line the options of an emulator."""
    group = parser.add_argument_group("the service it plays")
    types: dict[str, Callable[[str], Any]] = {
        "number": float,
        "share": float,
        "duration": duration,
        "whole": int,
        "text": str,
    }
    for option in EMULATOR_OPTIONS:
        flag = f"--{option.spelled}"
        if option.kind == "flag":
            group.add_argument(flag, action="store_true", help=option.meaning)
        elif option.kind == "pairs":
            group.add_argument(
                flag,
                action="append",
                default=[],
                dest=option.name,
                metavar=option.value,
                help=option.meaning,
            )
        else:
            group.add_argument(
                flag,
                type=types[option.kind],
                default=getattr(EmulatorOptions, option.name),
                metavar=option.value,
                help=option.meaning + _when_left_out(option.name),
            )


def _when_left_out(name: str) -> str:
    """The default of an option, as the end of a sentence; empty where what fits is chosen."""
    value = getattr(EmulatorOptions, name)
    if isinstance(value, float):
        value = format_duration(value) if name == "idle_exit" else f"{value:g}"
    return "" if value is None else f"; {value} when left out"


def from_namespace(arguments: argparse.Namespace) -> EmulatorOptions:
    """Read what `add_arguments` added.

    Raises
    ------
    OptionError
        An option makes no sense.
    """
    names = {field.name for field in fields(EmulatorOptions)} - _PAIRS.keys()
    return EmulatorOptions(
        instances=_pairs(arguments.instances, "An instance is written NAME=PLAN"),
        devices=_pairs(arguments.devices, "A device is written NAME=DEVICE"),
        **{name: getattr(arguments, name) for name in names},
    )


def _pairs(texts: Sequence[str], rule: str) -> tuple[tuple[str, str], ...]:
    found = []
    for text in texts:
        name, separator, value = text.partition("=")
        if not (name and separator and value):
            raise OptionError(f"{rule}, not {text!r}.")
        found.append((name, value))
    return tuple(found)


def parse(words: Sequence[str]) -> EmulatorOptions:
    """Read options from the words of a command line."""
    parser = argparse.ArgumentParser(add_help=False)
    add_arguments(parser)
    return from_namespace(parser.parse_args(words))
