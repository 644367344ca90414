"""Find a running emulator, or start one in the background; safe when two kernels do so at once."""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

from filelock import Timeout

from ...files import file_lock, private_folder
from ..options import EmulatorOptions, as_typed
from .connection_file import (
    DEFAULT_NAME,
    Connection,
    EmulatorError,
    connection_file,
    elsewhere,
    forget,
    log_file,
    read,
    running_process,
)
from .listening import Listening

WRITTEN_AGAIN = 5.0
"""Seconds to wait for a lost connection file, which a running emulator writes again."""

STARTING = 30.0
"""Seconds within which a new emulator must answer."""


class BehavesDifferently(EmulatorError):
    """An emulator of that name is running with other options.

    Attributes
    ----------
    name : str
        Its name.
    different : dict of str to Any
        The options it runs with, by field of `EmulatorOptions`.
    """

    def __init__(self, name: str, different: dict[str, Any]):
        super().__init__(name, different)
        self.name = name
        self.different = different

    def __str__(self) -> str:
        return self.spelled()

    def spelled(self, prefix: str = "--") -> str:
        """The sentence, with ``prefix`` in front of the options' names."""
        options = ", ".join(as_typed(*option, prefix) for option in self.different.items())
        which = "" if self.name == DEFAULT_NAME else f" --name {self.name}"
        return (
            f"An emulator is running with {options}, which is not what was asked for: "
            f"stop it with qsession emulator stop{which}, or leave the options out."
        )


class _Emulator(subprocess.Popen[bytes]):
    """An emulator process that outlives this one."""

    def __del__(self) -> None:
        """Do not complain that it is still running."""


_children: list[_Emulator] = []


def find(name: str = DEFAULT_NAME) -> Connection | None:
    """The running emulator of a name, None when there is none.

    A file that a killed emulator left behind is removed.

    Raises
    ------
    EmulatorError
        There is one, and it does not answer.
    """
    # those that ended are zombies until their parent asks
    _children[:] = [child for child in _children if child.poll() is None]
    connection = read(name) or _written_again(name)
    if connection is None:
        return None
    try:
        status = connection.status()
    except TimeoutError:
        raise EmulatorError(
            f"The emulator at {connection.url} (process {connection.pid}) does not answer: "
            f"end that process and try again; its log is {log_file(name)}."
        ) from None
    except (OSError, EmulatorError):
        forget(name, connection.pid)
        return None
    if status.get("pid") != connection.pid:
        forget(name, connection.pid)
        return None
    return connection


def _written_again(name: str) -> Connection | None:
    """Wait for the file of an emulator that runs without one, which it writes again by itself."""
    pid = running_process(name)
    deadline = time.monotonic() + WRITTEN_AGAIN
    while pid is not None:
        connection = read(name)
        if connection is not None:
            return connection
        if sentence := elsewhere(name, pid):
            raise EmulatorError(sentence)
        if time.monotonic() > deadline:
            raise EmulatorError(
                f"The emulator {name} runs as process {pid}, and its connection file "
                f"{connection_file(name)} is missing: it writes it again within seconds, so try "
                "again; if that does not help, end that process."
            )
        time.sleep(0.05)
        pid = running_process(name)
    return read(name)


def find_or_start(
    options: EmulatorOptions | None = None,
    name: str = DEFAULT_NAME,
    asked: Collection[str] | None = None,
    listening: Listening | None = None,
) -> Connection:
    """The running emulator of a name; a new one when there is none.

    Parameters
    ----------
    options : Options, optional
        How it shall behave. None takes a running one as it is.
    name : str
        Which one.
    asked : collection of str, optional
        The options that one that runs must have; all of them when not given.
    listening : Listening, optional
        Where a new one listens for other machines; nowhere when not given.

    Raises
    ------
    EmulatorError
        It cannot be started, or one is running that behaves differently.
    """
    connection = find(name)
    if connection is None:
        connection = _start(options or EmulatorOptions(), name, listening or Listening())
    if listening is not None:
        asked_for, runs_with = _pairs(listening.arguments()), _pairs(connection.listening)
        if not asked_for <= runs_with:
            where = connection.public_url or "this machine only"
            how = f" with {shlex.join(connection.listening)}" if connection.listening else ""
            raise EmulatorError(
                f"The emulator {name} is running for {where}{how}, which is not what was asked "
                f"for: stop it with qsession emulator stop --name {name}, and start it again."
            )
    if options is not None:
        different = options.differences(EmulatorOptions.from_json(connection.options), asked)
        if different:
            raise BehavesDifferently(name, different)
    return connection


def _pairs(words: list[str]) -> set[tuple[str, str]]:
    """Options with their values."""
    return set(zip(words[::2], words[1::2], strict=True))


def _start(options: EmulatorOptions, name: str, listening: Listening) -> Connection:
    try:
        private_folder(connection_file(name).parent)
        with file_lock(connection_file(name).with_suffix(".lock"), STARTING):
            return find(name) or _spawn(options, name, listening)
    except Timeout:
        raise EmulatorError(
            f"Another process has been starting an emulator for {STARTING:g} seconds: "
            f"see its log in {log_file(name)}."
        ) from None
    except OSError as error:
        raise EmulatorError(f"The emulator could not be started: {error}.") from error


def _spawn(options: EmulatorOptions, name: str, listening: Listening) -> Connection:
    command = [sys.executable, "-m", "qsession_widgets.emulator.process.server", "--name", name]
    command += [*listening.arguments(), *options.arguments()]
    environment = dict(os.environ)
    package_root = str(Path(__file__).resolve().parents[3])
    environment["PYTHONPATH"] = os.pathsep.join(
        filter(None, [package_root, environment.get("PYTHONPATH")])
    )
    path = log_file(name)
    descriptor = _open_log(path)
    with open(descriptor, "wb") as log:
        child = _Emulator(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
            cwd=path.parent,
            # interrupting or restarting the kernel must not reach it
            start_new_session=True,
        )
    _children.append(child)
    try:
        return _ready(child, name)
    except BaseException:
        # whoever gave up waiting has no use for it either
        if child.poll() is None:
            child.terminate()
        raise


def _open_log(path: Path) -> int:
    """Open a log for writing, unless a link at its place leads to another file."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
    if path.is_symlink():
        raise EmulatorError(
            f"The log {path} is a link, which is not followed: remove it and try again."
        )
    return os.open(path, flags, 0o600)


def _ready(child: _Emulator, name: str) -> Connection:
    deadline = time.monotonic() + STARTING
    while time.monotonic() < deadline:
        ended = child.poll() is not None
        connection = read(name)
        if connection is not None and connection.pid == child.pid:
            with contextlib.suppress(OSError):
                connection.status()
                return connection
        if ended:
            raise EmulatorError(
                f"The emulator could not be started: {_last_line(log_file(name))} "
                f"Its log is {log_file(name)}."
            )
        time.sleep(0.01)
    raise EmulatorError(
        f"The emulator did not answer within {STARTING:g} seconds; its log is {log_file(name)}."
    )


def _last_line(path: Path) -> str:
    try:
        lines = path.read_text("utf-8", "replace").split("\n")
    except OSError:
        lines = []
    last = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
    return last if last.endswith(".") else f"{last}."


def stop(name: str = DEFAULT_NAME, timeout: float = 10.0) -> bool:
    """End the running emulator of a name, and wait until it is gone.

    Returns
    -------
    bool
        Whether there was one.

    Raises
    ------
    EmulatorError
        It does not end.
    """
    connection = find(name)
    if connection is None:
        return False
    with contextlib.suppress(OSError):
        connection.stop()
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        # the file goes last, when everything is on disk
        current = read(name)
        if current is None or current.pid != connection.pid:
            for child in _children:
                if child.pid == connection.pid:
                    child.wait(timeout)
            return True
        time.sleep(0.01)
    raise EmulatorError(
        f"The emulator (process {connection.pid}) did not end within {timeout:g} seconds."
    )
