"""How an emulator is to behave: options of commands, magics and `launch`, checked once."""

from __future__ import annotations

import argparse
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, NoReturn

from .queue import Crowd
from .records import PLANS, Plan

JOB_TIMES = ("simulated", "device")

FASTEST = 1e6
"""Seconds in one second; with more the service's clock would soon have no date any more."""


class OptionError(ValueError):
    """An option that makes no sense; the message is one sentence for the person who gave it."""


class Parser(argparse.ArgumentParser):
    """Reads a command line, and says in one sentence what is wrong with it."""

    def error(self, message: str) -> NoReturn:
        """Say it, and exit with status 2."""
        text = f"{message[:1].upper()}{message[1:]}"
        self.exit(2, f"{text}. {self.prog} --help lists what there is.\n")


@dataclass(frozen=True)
class Options:
    """What an emulator is started with.

    Attributes
    ----------
    plan : str
        The plan of the default instance: ``premium``, ``payg``, ``flex`` or ``open``.
    instances : tuple of (str, str)
        Further instances, as name and plan, each with a key of its own.
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
    faults : bool
        Whether the faults plane is served.
    idle_exit : float
        Real seconds without a request, a pending job or an open session after which it ends; 0 for
        never.
    """

    plan: str = "premium"
    instances: tuple[tuple[str, str], ...] = ()
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
    faults: bool = False
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
        for option, value, smallest in (
            ("--ittl", self.ittl, 0.1),
            ("--max-ttl", self.max_ttl, 1),
            ("--quota", self.quota, 0),
            ("--speed", self.speed, 0),
            ("--lanes", self.lanes, 1),
            ("--workers", self.workers, 1),
            ("--memory", self.memory, 0.25),
            ("--idle-exit", self.idle_exit, 0),
        ):
            if value is not None and not (math.isfinite(value) and value >= smallest):
                raise OptionError(f"{option} must be {smallest:g} or more, not {value:g}.")
        if self.speed > FASTEST:
            raise OptionError(f"--speed must be {FASTEST:.0f} or less, not {self.speed:g}.")
        if self.queue is not None:
            _check_queue(self.queue)
        if self.job_time not in JOB_TIMES:
            raise OptionError(
                f"--job-time is one of {' and '.join(JOB_TIMES)}, not {self.job_time!r}."
            )

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
        return {**asdict(self), "instances": [list(pair) for pair in self.instances]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Options:
        """Read what `to_json` wrote; options this version does not know are left out."""
        known = {field.name for field in fields(cls)}
        values = {name: value for name, value in data.items() if name in known}
        values["instances"] = tuple((name, plan) for name, plan in data.get("instances", ()))
        return cls(**values)

    def arguments(self) -> list[str]:
        """The command line that asks for these options."""
        words: list[str] = []
        for field in fields(self):
            value = getattr(self, field.name)
            if value == field.default:
                continue
            flag = "--" + field.name.replace("_", "-")
            if field.name == "instances":
                for name, plan in value:
                    words += ["--instance", f"{name}={plan}"]
            elif value is True:
                words.append(flag)
            else:
                words += [flag, str(value)]
        return words

    def differences(self, other: Options, asked: Collection[str] | None = None) -> list[str]:
        """What another emulator's behaviour is where these options ask for something else.

        Parameters
        ----------
        other : Options
            Those it was started with.
        asked : collection of str, optional
            Fields that matter; all that change an emulator's behaviour when not given.

        Returns
        -------
        list of str
            As its own command line has them.
        """
        quiet = {"idle_exit", "workers", "memory"}
        return [
            _as_typed(field.name, getattr(other, field.name))
            for field in fields(self)
            if field.name not in quiet
            and (asked is None or field.name in asked)
            and getattr(self, field.name) != getattr(other, field.name)
        ]


def _as_typed(name: str, value: Any) -> str:
    flag = "--" + name.replace("_", "-")
    if name == "instances":
        return " ".join(f"--instance {one}={plan}" for one, plan in value) or "no --instance"
    if value is None or value is False:
        return f"no {flag}"
    if value is True:
        return flag
    return f"{flag} {value:g}" if isinstance(value, float) else f"{flag} {value}"


def _check_queue(text: str) -> None:
    try:
        Crowd.parse(text)
    except ValueError as error:
        raise OptionError(str(error)) from None


def _check_plan(plan: str) -> None:
    if plan not in PLANS:
        raise OptionError(f"There is no plan {plan!r}: choose one of {', '.join(PLANS)}.")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give a command line the options of an emulator."""
    group = parser.add_argument_group("the service it plays")
    group.add_argument("--plan", default="premium", help=f"one of {', '.join(PLANS)}")
    group.add_argument(
        "--instance",
        action="append",
        default=[],
        metavar="NAME=PLAN",
        help="a further instance with a key of its own; may be repeated",
    )
    group.add_argument("--ittl", type=float, metavar="SECONDS", help="interactive timeout")
    group.add_argument("--max-ttl", type=float, metavar="SECONDS", help="longest maximum time")
    group.add_argument(
        "--cap", action="store_true", help="shorten a longer maximum time instead of refusing it"
    )
    group.add_argument(
        "--quota", type=float, metavar="SECONDS", help="usage the default instance has in 28 days"
    )
    group.add_argument(
        "--speed", type=float, default=1.0, metavar="FACTOR", help="how fast its clock runs"
    )
    group.add_argument(
        "--job-time",
        default="simulated",
        metavar="KIND",
        help="simulated: a job takes as long as its simulation; device: as long as on a device",
    )
    group.add_argument("--queue", metavar="LOAD", help="other users' jobs beside yours")
    group.add_argument("--lanes", type=int, metavar="N", help="jobs a device runs at once")
    group.add_argument("--workers", type=int, metavar="N", help="worker processes")
    group.add_argument("--memory", type=float, metavar="GIB", help="memory of each worker")
    group.add_argument("--cluster", metavar="ADDRESS", help="a Dask scheduler to simulate on")
    group.add_argument("--seed", type=int, metavar="N", help="seed of the load")
    group.add_argument("--faults", action="store_true", help="serve the faults plane")
    group.add_argument(
        "--idle-exit",
        type=float,
        default=900.0,
        metavar="SECONDS",
        help="end when nothing used it for so long; 0 for never",
    )


def from_namespace(arguments: argparse.Namespace) -> Options:
    """Read what `add_arguments` added.

    Raises
    ------
    OptionError
        An option makes no sense.
    """
    instances = []
    for text in arguments.instance:
        name, separator, plan = text.partition("=")
        if not separator:
            raise OptionError(f"An instance is written NAME=PLAN, not {text!r}.")
        instances.append((name, plan))
    names = {field.name for field in fields(Options)} - {"instances"}
    return Options(instances=tuple(instances), **{name: getattr(arguments, name) for name in names})


def parse(words: Sequence[str]) -> Options:
    """Read options from the words of a command line."""
    parser = argparse.ArgumentParser(add_help=False)
    add_arguments(parser)
    return from_namespace(parser.parse_args(words))
