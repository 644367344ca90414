"""The ``qsession`` command: sessions from a terminal, and the local emulator."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from . import __version__
from .errors import ServiceError, UserError, explain
from .service import KINDS, Chosen, choose

if TYPE_CHECKING:
    from .client import ServiceClient
    from .monitor import Monitor

COPY = "copy the walkthrough notebooks to where you can change them, and open JupyterLab there"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; what ``qsession`` calls.

    Returns
    -------
    int
        0 when all went well, 1 after one sentence about what did not, 2 for a command that cannot
        be read.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["emulator"] or words[:1] == ["run"]:
        from .emulator.cli import main as emulator_main

        return emulator_main(words)
    parser = _parser()
    options = parser.parse_args(words)
    action: Callable[[argparse.Namespace], None] = options.action
    try:
        action(options)
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(
            2, f"{message[:1].upper()}{message[1:]}. {self.prog} --help lists what there is.\n"
        )


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="qsession", description="Qiskit Runtime sessions from a terminal.")
    parser.add_argument("--version", action="version", version=__version__)
    actions = parser.add_subparsers(metavar="ACTION", required=True, parser_class=_Parser)

    def add(name: str, action: Callable[[argparse.Namespace], None], help: str) -> Any:
        sub = actions.add_parser(name, help=help, description=help)
        sub.add_argument("--service", choices=KINDS, default="auto", help="which service to ask")
        sub.add_argument("--json", action="store_true", help="one JSON object a line, for programs")
        sub.set_defaults(action=action)
        return sub

    add("list", _list, "list open sessions and batches")
    for name, action, help in (
        ("show", _show, "show one session's state, countdowns, jobs and usage"),
        ("close", _close, "accept no more jobs, let queued ones finish"),
        ("cancel", _cancel, "accept no more jobs, cancel queued ones"),
    ):
        add(name, action, help).add_argument("id", help="the session's id")
    receipt = add("receipt", _receipt, "say what a session did and cost")
    which = receipt.add_mutually_exclusive_group(required=True)
    which.add_argument("id", nargs="?", help="the session's id")
    which.add_argument("--last", action="store_true", help="the newest session there is")
    tutorial = actions.add_parser("tutorial", help=COPY, description=COPY)
    tutorial.add_argument("folder", nargs="?", default=".", help="where to; here when left out")
    tutorial.add_argument("--no-open", action="store_true", help="copy them only")
    tutorial.set_defaults(action=_tutorial)
    for name in ("emulator", "run"):
        actions.add_parser(name, help=f"the local emulator: qsession {name} --help", add_help=False)
    return parser


def _list(options: argparse.Namespace) -> None:
    chosen, line = _connect(options)
    found = [
        item
        for item in _workloads(chosen, line)
        if item["mode"] != "job" and item["status"] in ("pending", "in_progress")
    ]
    if options.json:
        for item in found:
            print(json.dumps(item))
        return
    if not found:
        print(f"No session is open ({chosen.info.label}).")
        return
    for item in found:
        print(f"{item['id']}  {item['mode']:<8} {item['backend']:<14} {item['status']}")


def _show(options: argparse.Namespace) -> None:
    monitor = _monitor(options, options.id)
    snapshot = monitor.snapshot
    if options.json:
        print(json.dumps(snapshot.to_json()))
        return
    from .receipt import to_text
    from .snapshot import empty_timeout, interactive_timeout, maximum_time

    print(to_text(snapshot, monitor.now()))
    if snapshot.state == "closed":
        return
    from .durations import clock

    for name, countdown in (
        ("ITTL", interactive_timeout(snapshot, monitor.now())),
        ("Maximum", maximum_time(snapshot, monitor.now())),
        ("Unused", empty_timeout(snapshot, monitor.now())),
    ):
        if countdown is not None:
            still = "" if countdown.running else " (not running)"
            print(f"{name:<8} {clock(countdown.remaining)}{still}")


def _close(options: argparse.Namespace) -> None:
    print(_monitor(options, options.id).command("close"))


def _cancel(options: argparse.Namespace) -> None:
    print(_monitor(options, options.id).command("cancel"))


def _receipt(options: argparse.Namespace) -> None:
    chosen, line = _connect(options)
    session_id = options.id
    if options.last:
        sessions = [item for item in _workloads(chosen, line) if item["mode"] != "job"]
        if not sessions:
            raise UserError(f"There is no session yet ({chosen.info.label}).")
        session_id = sessions[0]["id"]
    monitor = _watch(chosen, line, session_id)
    from .receipt import to_text

    if options.json:
        print(json.dumps(monitor.snapshot.to_json()))
    else:
        print(to_text(monitor.snapshot, monitor.now()))


def _tutorial(options: argparse.Namespace) -> None:
    from .tutorial import copy_tutorials, differing, open_lab

    target = copy_tutorials(Path(options.folder).expanduser())
    print(f"The walkthroughs are in {target}.")
    if kept := differing(target):
        print(f"Left as they were found there: {', '.join(kept)}.")
    if not options.no_open:
        open_lab(target)


def _connect(options: argparse.Namespace) -> tuple[Chosen, ServiceClient]:
    chosen = choose(options.service)
    from .client import ServiceClient

    return chosen, ServiceClient(chosen.service)


def _monitor(options: argparse.Namespace, session_id: str) -> Monitor:
    chosen, line = _connect(options)
    return _watch(chosen, line, session_id)


def _watch(chosen: Chosen, line: ServiceClient, session_id: str) -> Monitor:
    from .monitor import Monitor

    try:
        monitor = Monitor(line, session_id, chosen.info)
        monitor.complete()
    except ServiceError as error:
        doing = f"show session {session_id}"
        raise UserError(explain(error, doing=doing, service=chosen.info.kind)) from error
    return monitor


def _workloads(chosen: Chosen, line: ServiceClient) -> list[dict[str, Any]]:
    """The newest workloads of the account, newest first; at most 50, one page of the service's."""
    try:
        answer = line.workloads(sort="-createdAt", limit=50)
    except ServiceError as error:
        raise UserError(
            explain(error, doing="list the sessions", service=chosen.info.kind)
        ) from error
    return list((answer.data or {}).get("workloads", []))
