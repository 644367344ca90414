"""``qsession emulator …`` and ``qsession run``: the emulator from a terminal."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ...command_help import add_examples
from ...formatting import format_duration as words_of
from ...price_list import list_price
from ...text_table import terminal_width, text_facts, text_table, wrap
from ..command_line import EmulatorParser
from ..options import OptionError, add_arguments, from_namespace
from . import device_cli, user_cli
from .connection_file import (
    DEFAULT_NAME,
    Connection,
    EmulatorError,
    elsewhere,
    everyone,
    without_file,
)
from .examples import EXAMPLES
from .fault_cli import add_commands

if TYPE_CHECKING:
    from .run_command import Kept
from .listening import add_arguments as add_listening
from .listening import from_namespace as listening_of

LIST = "list the emulators that run, with their names"


Resumes = Callable[[str, Sequence[str]], AbstractContextManager["Kept"]]


def main(
    words: Sequence[str],
    resumes: Resumes | None = None,
    price_of: Callable[[str], float | None] = list_price,
) -> int:
    """Run the command; the first word is ``emulator`` or ``run``.

    Parameters
    ----------
    words : sequence of str
        The words of the command line.
    resumes : callable, optional
        Takes the value of ``run --resume`` and the command; gives what is kept between two runs.
    price_of : callable, optional
        Takes a plan and gives the price of a second, or None; the list's when not given.

    Returns
    -------
    int
        The exit status: of the command for ``run``; 1 after a sentence about what went wrong.
    """
    if list(words[:2]) == ["emulator", "serve"]:
        from .server import main as serve

        return serve(words[2:])
    parser = build_parser()
    options, rest = parser.parse_known_args(_before_dashes(words))
    options.command_line = _after_dashes(words)
    options.resumes, options.price_of = resumes, price_of
    if rest:
        parser.error(_unknown(rest, options))
    action: Callable[[argparse.Namespace], int] = options.action
    try:
        return action(options)
    except (EmulatorError, OptionError) as error:
        print(error, file=sys.stderr)
        return 1
    except (TimeoutError, ConnectionError) as error:
        if isinstance(error, BrokenPipeError):
            # of whoever reads what is printed
            raise
        print(
            "The emulator does not answer, and may have done what was asked all the same: qsession "
            "emulator status says how it is.",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        return 130


def _unknown(words: Sequence[str], options: argparse.Namespace) -> str:
    if words[0].startswith("-"):
        return f"there is no option {words[0]}{options.parser.nearest_option(words[0])}"
    if options.action is _run:
        return f"a command is written after --: qsession run -- {shlex.join(words)}"
    return f"there is nothing to do with {' '.join(words)}"


def build_parser() -> argparse.ArgumentParser:
    """The parser of ``run`` and ``emulator``; ``emulator serve`` has one of its own."""
    parser = EmulatorParser(prog="qsession")
    kinds = parser.add_subparsers(metavar="ACTION", required=True, parser_class=EmulatorParser)

    run = kinds.add_parser(
        "run",
        help="run a command against an emulator of its own",
        description="Run a command against an emulator of its own: a script or notebook that "
        "uses QiskitRuntimeService runs unchanged, also one that names an account of its own. The "
        "emulator ends with the command. What cannot be led to it, as python -I or a client in "
        "another language, meets a proxy that refuses IBM's hosts and hands on all others. At the "
        "end a line says what was done, what it would cost on IBM, and what was left open.",
    )
    run.usage = "qsession run [options] -- COMMAND ..."
    run.set_defaults(action=_run, parser=run)
    run.add_argument(
        "--resume",
        nargs="?",
        const="auto",
        metavar="RUN",
        help="take up the jobs that the last run of this program has paid for, or the one named; "
        "any: those from before a calibration, too. The emulator's records are kept for the next",
    )
    add_arguments(run)

    emulator = kinds.add_parser("emulator", help="the emulator that notebooks share")
    actions = emulator.add_subparsers(metavar="ACTION", required=True, parser_class=EmulatorParser)

    def add(name: str, action: Callable[[argparse.Namespace], int], help: str) -> Any:
        sub = actions.add_parser(name, help=help, description=help)
        sub.add_argument(
            "--name", default=DEFAULT_NAME, help="which emulator; that of notebooks when left out"
        )
        sub.add_argument("--json", action="store_true", help="one JSON object, for programs")
        sub.set_defaults(action=action, parser=sub)
        return sub

    start = add("start", _start, "start it in the background, or find it running")
    add_listening(start)
    add_arguments(start)
    actions.add_parser("serve", help="run it in this terminal", add_help=False)
    stop = add("stop", _stop, "end it; what it has accepted is kept")
    stop.add_argument("--all", action="store_true", help="end every emulator of this user")
    several = actions.add_parser("list", help=LIST, description=LIST)
    several.add_argument("--json", action="store_true", help="one JSON object a line")
    several.set_defaults(action=_list, parser=several)
    add("status", _status, "say how it is")
    env = add("env", _env, "print the variables that lead QiskitRuntimeService() to it")
    env.add_argument("--instance", metavar="NAME", help="as the user of that instance")
    user_cli.add_commands(add, _running)
    add_commands(add, _running)
    device_cli.add_commands(actions, _running)
    add_examples(parser, EXAMPLES)
    return parser


def _before_dashes(words: Sequence[str]) -> list[str]:
    return list(words[: words.index("--")] if "--" in words else words)


def _after_dashes(words: Sequence[str]) -> list[str]:
    return list(words[words.index("--") + 1 :] if "--" in words else [])


def _start(options: argparse.Namespace) -> int:
    from .launcher import find, find_or_start

    running = find(options.name)
    listening = listening_of(options)
    connection = find_or_start(from_namespace(options), options.name, listening=listening)
    word = "starts" if running is None else "is running"
    if options.json:
        print(json.dumps(connection.public()))
    else:
        print(f"The emulator {word} at {connection.url}. {connection.announced()}".rstrip())
    return 0


def _stop(options: argparse.Namespace) -> int:
    from .launcher import stop

    if options.all:
        return _stop_all(options)
    stopped = stop(options.name)
    if options.json:
        print(json.dumps({"stopped": stopped}))
    else:
        print("The emulator has ended." if stopped else "No emulator is running.")
    return 0


def _stop_all(options: argparse.Namespace) -> int:
    from .launcher import stop

    failed = 0
    for connection in everyone():
        said: dict[str, Any] = {"name": connection.name}
        try:
            # a file that was left behind is none that runs
            if not stop(connection.name):
                continue
            said["stopped"] = True
            words = f"The emulator {connection.name} has ended."
        except EmulatorError as error:
            failed, words = 1, str(error)
            said.update(stopped=False, error=words)
        print(json.dumps(said) if options.json else words)
    return failed


def _list(options: argparse.Namespace) -> int:
    from .launcher import find

    running = []
    for known in sorted(everyone(), key=lambda known: (known.name != DEFAULT_NAME, known.name)):
        try:
            connection = find(known.name)
            status = None if connection is None else connection.status()
        except (EmulatorError, OSError) as error:
            print(error, file=sys.stderr)
            continue
        if connection is not None and status is not None:
            running.append((connection, status))
    table: list[tuple[str, ...]] = [
        ("name", "address", "process", "plan", "open sessions", "pending jobs")
    ]
    for connection, status in running:
        if options.json:
            print(json.dumps({"name": connection.name, **connection.public(), **status}))
            continue
        takes = sum(status["sessions"][state] for state in ("open", "active", "inactive"))
        about = (connection.url, connection.pid, status["plan"], takes, status["pending_jobs"])
        table.append((connection.name, *map(str, about)))
    if table[1:]:
        print(text_table(table, width=terminal_width()))
    hidden = without_file()
    for name, pid in hidden:
        if options.json:
            print(json.dumps({"name": name, "pid": pid}))
        else:
            again = f"{name:<12} process {pid} writes its connection file again: list once more"
            print(elsewhere(name, pid) or again)
    if not running and not hidden and not options.json:
        print("No emulator is running.")
    return 0


def _status(options: argparse.Namespace) -> int:
    connection = _running(options)
    status = connection.status()
    if options.json:
        print(json.dumps(status))
        return 0
    width = terminal_width()
    about = f"process {connection.pid}, plan {status['plan']}"
    print(wrap(f"The emulator at {connection.url}, {about}:", width))
    clock = datetime.fromtimestamp(status.pop("now")).astimezone()
    shown = {
        "up for": words_of(status.pop("uptime_seconds")),
        "unused for": words_of(status.pop("idle_seconds")),
        "its clock": clock.strftime("%Y-%m-%d %H:%M:%S %Z"),
        "sessions": ", ".join(
            f"{count} {state}" for state, count in status.pop("sessions").items()
        ),
        **{name.replace("_", " "): value for name, value in status.items()},
    }
    facts = [
        (f"{name}:", str(value))
        for name, value in shown.items()
        if name not in ("plan", "pid") and value is not None
        if not isinstance(value, (dict, list))
    ]
    print(text_facts(facts, width=width, indent=2))
    return 0


def _env(options: argparse.Namespace) -> int:
    variables = _running(options).environment(options.instance)
    if options.json:
        print(json.dumps(variables))
        return 0
    for name, value in variables.items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def _running(options: argparse.Namespace) -> Connection:
    from .launcher import find

    connection = find(options.name)
    if connection is None:
        named = "" if options.name == DEFAULT_NAME else f" named {options.name}"
        start = "qsession emulator start" + (named and f" --name {options.name}")
        raise EmulatorError(f"No emulator{named} is running: start one with {start}.")
    return connection


def _run(options: argparse.Namespace) -> int:
    if not options.command_line:
        raise OptionError(
            "There is no command to run: qsession run -- python my_script.py, for example."
        )
    from .run_command import run

    asked = from_namespace(options)
    if options.resume is None or options.resumes is None:
        return run(options.command_line, asked, price_of=options.price_of)
    with options.resumes(options.resume, options.command_line) as kept:
        status = run(options.command_line, asked, kept, options.price_of)
        kept.ended(status)
        return status
