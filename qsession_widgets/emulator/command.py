"""Runs a command against an emulator of its own, which ends when the command does."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

from .discovery import Connection, EmulatorError
from .environment import set_variables
from .launch import find_or_start, stop
from .options import Options

_ENDING = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


LONGEST_SILENCE = 60.0
"""Real seconds after which an emulator is told that its command still runs."""


class _Told(BaseException):
    """Somebody told this process to end."""

    def __init__(self, number: int):
        self.number = number


def run(command: Sequence[str], options: Options) -> int:
    """Start an emulator, run a command that finds it, and end the emulator.

    Whatever ends this process other than SIGKILL ends the command and the emulator too.

    Parameters
    ----------
    command : sequence of str
        The command and its arguments.
    options : Options
        How the emulator is to behave.

    Returns
    -------
    int
        The command's exit status; 128 and the signal's number when a signal ended it.

    Raises
    ------
    EmulatorError
        The emulator cannot be started, or the command is none.
    """
    name = f"run-{secrets.token_hex(4)}"
    try:
        with _told(), tempfile.TemporaryDirectory(prefix="qsession-run-") as folder:
            outside = dict(os.environ)
            # folders of its own: nothing is shared with other emulators, or left to them
            places = {"JUPYTER_RUNTIME_DIR": folder, "JUPYTER_DATA_DIR": str(Path(folder) / "data")}
            with set_variables(places):
                connection = find_or_start(options, name)
                try:
                    print(
                        f"{command[0]} finds an emulator at {connection.url} instead of IBM.",
                        file=sys.stderr,
                        flush=True,
                    )
                    # the command's own Jupyter stays where it was
                    return _call(command, {**outside, **connection.environment()}, connection)
                finally:
                    stop(name)
    except _Told as told:
        return 128 + told.number


@contextlib.contextmanager
def _told() -> Iterator[None]:
    def tell(number: int, frame: FrameType | None) -> None:
        raise _Told(number)

    before = {number: signal.signal(number, tell) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _call(command: Sequence[str], environment: Mapping[str, str], emulator: Connection) -> int:
    """Run the command to its end, and let the emulator know until then that it is in use."""
    patience = float(emulator.options.get("idle_exit") or LONGEST_SILENCE)
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
            status = child.wait(min(patience / 4, LONGEST_SILENCE))
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
