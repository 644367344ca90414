"""Runs a command against an emulator of its own, which ends when the command does."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

from ...formatting import dollars_of, format_duration, format_money
from ...platform_support import END_SIGNALS
from ...price_list import list_price
from ..engine.devices import own_devices
from ..options import EmulatorOptions
from . import refusing_proxy
from .connection_file import FILE_VARIABLE, OPEN_PATH, Connection, EmulatorError, connection_file
from .environment import set_variables
from .launcher import find_or_start, stop
from .redirect import sitecustomize

LONGEST_SILENCE = 60.0
"""Real seconds after which an emulator is told that its command still runs."""


@dataclass(frozen=True)
class Kept:
    """Records that outlive a command, for the next one that takes up its jobs.

    Attributes
    ----------
    name : str
        The emulator's name.
    folder : Path
        Its records.
    variables : mapping
        More variables for the command.
    ended : callable
        Takes the command's exit status.
    """

    name: str
    folder: Path
    variables: Mapping[str, str]
    ended: Callable[[int], object]


class _Told(BaseException):
    """A signal asked this process to end."""

    def __init__(self, number: int):
        self.number = number


def run(
    command: Sequence[str],
    options: EmulatorOptions,
    kept: Kept | None = None,
    price_of: Callable[[str], float | None] = list_price,
) -> int:
    """Start an emulator, run a command that finds it, and end the emulator.

    Whatever ends this process other than SIGKILL ends the command and the emulator too.

    Parameters
    ----------
    command : sequence of str
        The command and its arguments.
    options : Options
        How the emulator is to behave.
    kept : Kept, optional
        Where its records are kept; without it they are gone with the command.
    price_of : callable, optional
        Takes a plan and gives the price of a second, or None; the list's when not given.

    Returns
    -------
    int
        The command's exit status; 128 and the signal's number when a signal ended it.

    Raises
    ------
    EmulatorError
        The emulator cannot be started, or the command is none.
    """
    name = kept.name if kept else f"run-{secrets.token_hex(4)}"
    path = f"/{secrets.token_hex(16)}"
    try:
        with _told(), tempfile.TemporaryDirectory(prefix="qsession-run-") as folder:
            outside = dict(os.environ)
            # folders of its own: nothing is shared with other emulators, or left to them
            places = {
                "JUPYTER_RUNTIME_DIR": folder,
                "JUPYTER_DATA_DIR": str(kept.folder if kept else Path(folder) / "data"),
                own_devices.FOLDER_VARIABLE: str(own_devices.folder()),
                OPEN_PATH: path,
            }
            with set_variables(places), refusing_proxy.serve(outside, _refused) as proxy:
                connection = find_or_start(options, name)
                before = _summary(connection) if kept else {}
                try:
                    _say(f"{command[0]} finds an emulator at {connection.url} instead of IBM.")
                    leading = _leading(connection, path, proxy, Path(folder) / "home", outside)
                    leading[FILE_VARIABLE] = str(connection_file(name))
                    # the command's own Jupyter stays where it was
                    more = kept.variables if kept else {}
                    return _call(command, {**outside, **leading, **more}, connection)
                finally:
                    _sum_up(connection, before, price_of)
                    stop(name)
    except _Told as told:
        return 128 + told.number


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def _refused(host: str) -> None:
    _say(
        f"qsession run: a request to {host} was refused, because nothing goes to IBM from here. It "
        "comes from a program that the emulator's address does not reach: see qsession run --help."
    )


def _leading(
    connection: Connection, path: str, proxy: str, home: Path, outside: Mapping[str, str]
) -> dict[str, str]:
    """The variables with which a command reaches the emulator, and nothing of IBM's."""
    home.mkdir(mode=0o700)
    direct = refusing_proxy.direct(outside, urlsplit(connection.url).hostname or "")
    known = [item[field] for item in connection.instances for field in ("name", "crn")]
    here = Path(__file__).resolve().parent
    search = [str(here / "redirect"), outside.get("PYTHONPATH", "")]
    return {
        **connection.environment(path=path),
        "PYTHONPATH": os.pathsep.join(filter(None, search)),
        sitecustomize.HOME: str(home),
        sitecustomize.INSTANCES: json.dumps(known),
        **dict.fromkeys(("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"), proxy),
        **dict.fromkeys(("ALL_PROXY", "all_proxy"), proxy),
        **dict.fromkeys(("NO_PROXY", "no_proxy"), direct),
    }


def _summary(connection: Connection) -> dict[str, Any]:
    with contextlib.suppress(OSError, EmulatorError):
        return dict(connection.request("GET", "/emulator/v1/summary"))
    return {}


def _sum_up(
    connection: Connection,
    before: Mapping[str, Any],
    price_of: Callable[[str], float | None],
) -> None:
    """Say what is not exact, and in a last line what was done, its cost on IBM, what is open."""
    if done := _summary(connection):
        # the runs before had theirs
        done |= {
            name: done[name] - value
            for name, value in before.items()
            if isinstance(value, int | float)
        }
        already = before.get("device_seconds_by_plan") or {}
        done["cost"] = sum(
            dollars_of(seconds - already.get(plan, 0.0), price_of(plan)) or 0.0
            for plan, seconds in done["device_seconds_by_plan"].items()
        )
        done["charged_on"] = sum(
            dollars_of(one["charged_on_seconds"], price_of(one["plan"])) or 0.0
            for one in done["left_open"]
            if one["id"] not in {old["id"] for old in before.get("left_open") or ()}
        )
        earlier: Counter[str] = Counter(before.get("approximated") or {})
        done["approximated"] = Counter(done["approximated"]) - earlier
        old = {one["id"] for one in before.get("left_open") or ()}
        done["left_open"] = [one for one in done["left_open"] if one["id"] not in old]
        known = before.get("options_without_effect") or ()
        done["options_without_effect"] = [
            name for name in done["options_without_effect"] if name not in known
        ]
        for sentence in (*_approximations(done), _sentence(done)):
            _say(f"qsession run: {sentence}")


def _approximations(done: Mapping[str, Any]) -> Iterator[str]:
    """Sentences about results that are not exact and options that changed nothing."""
    for how, jobs in done["approximated"].items():
        yield f"{jobs} of {done['jobs']} job{'' if done['jobs'] == 1 else 's'} not exact. {how}"
    if done["options_without_effect"]:
        yield f"options without effect here: {', '.join(done['options_without_effect'])}."


def _sentence(done: Mapping[str, Any]) -> str:
    counted = [
        f"{done[kind]} {word}{'' if done[kind] == 1 else plural}"
        for kind, word, plural in (
            ("sessions", "session", "s"),
            ("batches", "batch", "es"),
            ("jobs", "job", "s"),
        )
        if done[kind] or kind != "batches"
    ]
    parts = [f"{', '.join(counted)}, {format_duration(done['usage_seconds'])} of usage"]
    if done["jobs"]:
        parts.append(
            f"on IBM about {format_duration(done['device_seconds'])} of a device, "
            f"{format_money(done['cost'])}"
        )
    left = done["left_open"]
    if not left:
        return "; ".join([*parts, "nothing left open."])
    names = ", ".join(
        f"{'batch' if one['mode'] == 'batch' else 'session'} {one['id']} on {one['backend']}"
        for one in left
    )
    seconds = sum(one["charged_on_seconds"] for one in left)
    more = (
        f", which IBM would charge for up to {format_duration(seconds)} more, "
        f"{format_money(done['charged_on'])}"
        if seconds
        else ""
    )
    return "; ".join([*parts, f"left open: {names}{more}. Close it in the program."])


@contextlib.contextmanager
def _told() -> Iterator[None]:
    def tell(number: int, frame: FrameType | None) -> None:
        raise _Told(number)

    before = {number: signal.signal(number, tell) for number in END_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _call(command: Sequence[str], environment: Mapping[str, str], emulator: Connection) -> int:
    """Run the command to its end, and let the emulator know until then that it is in use."""
    idle_exit = float(emulator.options.get("idle_exit") or LONGEST_SILENCE)
    try:
        child = subprocess.Popen(command, env=dict(environment))
    except FileNotFoundError:
        raise EmulatorError(f"There is no command {command[0]!r}: check its name.") from None
    except OSError as error:
        raise EmulatorError(
            f"{command[0]} cannot be run ({error.strerror}): give the name of a program."
        ) from None
    while True:
        try:
            status = child.wait(min(idle_exit / 4, LONGEST_SILENCE))
        except subprocess.TimeoutExpired:
            with contextlib.suppress(OSError, EmulatorError):
                emulator.status()
            continue
        except KeyboardInterrupt:
            # the terminal has interrupted the command as well: wait for what it makes of it
            continue
        except _Told as told:
            child.send_signal(told.number)
            continue
        return status if status >= 0 else 128 - status
