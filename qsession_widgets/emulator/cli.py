"""``qsession emulator …`` and ``qsession run``: the emulator from a terminal.

``qsession run -- COMMAND`` gives a command an emulator of its own, so that a script or notebook
that only says ``QiskitRuntimeService()`` runs unchanged; when the command ends, the emulator does.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from .discovery import DEFAULT_NAME, Connection, EmulatorError
from .options import OptionError, add_arguments, from_namespace


def main(words: Sequence[str]) -> int:
    """Run the command; the first word is ``emulator`` or ``run``.

    Returns
    -------
    int
        The exit status: of the command for ``run``; 1 after a sentence about what went wrong.
    """
    if list(words[:2]) == ["emulator", "serve"]:
        from .server import main as serve

        return serve(words[2:])
    parser = _parser()
    options, rest = parser.parse_known_args(_before_dashes(words))
    options.command_line = _after_dashes(words)
    if rest:
        parser.error(f"there is no {' '.join(rest)}")
    action: Callable[[argparse.Namespace], int] = options.action
    try:
        return action(options)
    except (EmulatorError, OptionError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        text = f"{message[:1].upper()}{message[1:]}"
        self.exit(2, f"{text}. {self.prog} --help lists what there is.\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="qsession")
    kinds = parser.add_subparsers(metavar="ACTION", required=True, parser_class=_Parser)

    run = kinds.add_parser("run", help="run a command against an emulator of its own")
    run.usage = "qsession run [options] -- COMMAND ..."
    run.set_defaults(action=_run)
    add_arguments(run)

    emulator = kinds.add_parser("emulator", help="the emulator that notebooks share")
    actions = emulator.add_subparsers(metavar="ACTION", required=True, parser_class=_Parser)

    def add(name: str, action: Callable[[argparse.Namespace], int], help: str) -> Any:
        sub = actions.add_parser(name, help=help, description=help)
        sub.add_argument("--name", default=DEFAULT_NAME, help="which emulator, when there are more")
        sub.set_defaults(action=action)
        return sub

    start = add("start", _start, "start it in the background, or find it running")
    add_arguments(start)
    start.add_argument("--json", action="store_true", help="one JSON object, for programs")
    actions.add_parser("serve", help="run it in this terminal", add_help=False)
    add("stop", _stop, "end it; what it has accepted is kept")
    status = add("status", _status, "say how it is")
    status.add_argument("--json", action="store_true", help="one JSON object, for programs")
    env = add("env", _env, "print the variables that lead QiskitRuntimeService() to it")
    env.add_argument("--json", action="store_true", help="one JSON object, for programs")
    return parser


def _before_dashes(words: Sequence[str]) -> list[str]:
    return list(words[: words.index("--")] if "--" in words else words)


def _after_dashes(words: Sequence[str]) -> list[str]:
    return list(words[words.index("--") + 1 :] if "--" in words else [])


def _start(options: argparse.Namespace) -> int:
    from .launch import find, find_or_start

    running = find(options.name)
    connection = find_or_start(from_namespace(options), options.name)
    word = "starts" if running is None else "is running"
    _tell(options, connection, f"The emulator {word} at {connection.url}.")
    return 0


def _stop(options: argparse.Namespace) -> int:
    from .launch import stop

    print("The emulator has ended." if stop(options.name) else "No emulator is running.")
    return 0


def _status(options: argparse.Namespace) -> int:
    connection = _running(options)
    status = connection.status()
    if options.json:
        print(json.dumps(status))
        return 0
    print(f"The emulator at {connection.url}, process {connection.pid}, plan {status['plan']}:")
    for name, value in status.items():
        if name not in ("plan", "pid") and not isinstance(value, (dict, list)):
            print(f"  {name.replace('_', ' ')}: {value}")
    return 0


def _env(options: argparse.Namespace) -> int:
    variables = _running(options).environment()
    if options.json:
        print(json.dumps(variables))
        return 0
    for name, value in variables.items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def _running(options: argparse.Namespace) -> Connection:
    from .launch import find

    connection = find(options.name)
    if connection is None:
        raise EmulatorError("No emulator is running: start one with qsession emulator start.")
    return connection


def _tell(options: argparse.Namespace, connection: Connection, sentence: str) -> None:
    if options.json:
        print(json.dumps({"url": connection.url, "api": connection.api, "pid": connection.pid}))
    else:
        print(sentence)


def _run(options: argparse.Namespace) -> int:
    if not options.command_line:
        raise OptionError(
            "There is no command to run: qsession run -- python my_script.py, for example."
        )
    from .launch import find_or_start, stop

    emulator_options = from_namespace(options)
    outside = dict(os.environ)
    name = f"run-{secrets.token_hex(4)}"
    with tempfile.TemporaryDirectory(prefix="qsession-run-") as folder:
        # folders of its own: nothing is shared with other emulators, or left to them
        os.environ["JUPYTER_RUNTIME_DIR"] = folder
        os.environ["JUPYTER_DATA_DIR"] = str(Path(folder) / "data")
        try:
            connection = find_or_start(emulator_options, name)
            try:
                # the command's own Jupyter stays where it was
                return _call(options.command_line, {**outside, **connection.environment()})
            finally:
                stop(name)
        finally:
            os.environ.clear()
            os.environ.update(outside)


def _call(command: Sequence[str], environment: Mapping[str, str]) -> int:
    try:
        child = subprocess.Popen(command, env=dict(environment))
    except FileNotFoundError:
        raise EmulatorError(f"There is no command {command[0]!r}: check its name.") from None
    except PermissionError:
        raise EmulatorError(f"{command[0]} cannot be run: it is not a program.") from None
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            # the terminal has interrupted the command as well: wait for what it makes of it
            continue
