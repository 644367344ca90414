"""Commands for an emulator started with ``--faults``: inject faults, move the clock, pause.

For whoever shows others, or wants to see, what a program does when the service is in trouble.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import fields
from datetime import datetime
from typing import Any

from ..command_line import duration
from ..http.fault_injection import BODIES, Fault
from .connection_file import Connection, EmulatorError

PREFIX = "/emulator/v1/faults"

Add = Callable[[str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser]
"""Adds a command: its name, what runs it, and what it is for."""


def add_commands(add: Add, find: Callable[[argparse.Namespace], Connection]) -> None:
    """Add the commands.

    Parameters
    ----------
    add : callable
        Adds one.
    find : callable
        Finds the emulator that the options of a command name.
    """

    def told(act: Callable[[Connection, argparse.Namespace], int]) -> Any:
        return lambda options: act(find(options), options)

    fault = add("fault", told(_fault), "let its next answers go wrong, or say which will")
    fault.add_argument("--method", metavar="METHOD", help="of which requests: POST; all of them")
    fault.add_argument("--path", metavar="PATH", help="and where: /jobs, /sessions/*; anywhere")
    fault.add_argument(
        "--status", type=int, metavar="N", help="answer this status, mostly an error"
    )
    fault.add_argument("--code", type=int, metavar="N", help="with this code of IBM's")
    fault.add_argument("--message", metavar="TEXT", help="which says this")
    fault.add_argument("--delay", type=duration, metavar="TIME", help="answer so much later")
    fault.add_argument("--drop", action="store_true", help="close the connection without an answer")
    fault.add_argument("--half", action="store_true", help="close it in the middle of the answer")
    fault.add_argument(
        "--after", action="store_true", help="go wrong after the request took effect"
    )
    fault.add_argument(
        "--late", type=duration, metavar="TIME", help="which takes effect so long after the answer"
    )
    fault.add_argument("--body", choices=BODIES, help="answer this body, which makes no sense")
    fault.add_argument(
        "--retry-after", type=int, metavar="SECONDS", help="of an error: when to ask again"
    )
    fault.add_argument("--times", type=int, metavar="N", help="how often; once when left out")
    fault.add_argument("--always", action="store_true", help="until it is cleared")
    fault.add_argument("--probability", type=float, metavar="P", help="of so many of the requests")
    fault.add_argument("--clear", action="store_true", help="let nothing go wrong any more")
    advance = add("advance", told(_advance), "move its clock forward")
    advance.add_argument("seconds", type=duration, metavar="TIME", help="service time: 90, 1h")
    add("expire-tokens", told(_expire_tokens), "let every token that it gave out be expired")
    add("pause", told(_pause), "let no queued job start")
    add("resume", told(_resume), "let queued jobs start again")


def _ask(connection: Connection, method: str, path: str = "", body: Any = None) -> dict[str, Any]:
    if not connection.options.get("faults"):
        raise EmulatorError(
            f"The emulator {connection.name} was started without --faults: stop it, and start it "
            "with that option."
        )
    return connection.request(method, PREFIX + path, body=body)


def _say(options: argparse.Namespace, data: dict[str, Any], text: str) -> int:
    print(json.dumps(data) if options.json else text)
    return 0


def _fault(connection: Connection, options: argparse.Namespace) -> int:
    names = {field.name for field in fields(Fault)}
    wanted = {name: getattr(options, name) for name in names if getattr(options, name)}
    if options.clear:
        _ask(connection, "DELETE")
    if options.always:
        wanted["times"] = None
    if wanted:
        _ask(connection, "POST", body=wanted)
    answer = _ask(connection, "GET")
    lines = [_words(fault) for fault in answer["faults"]]
    return _say(options, answer, "\n".join(lines) or "Nothing will go wrong.")


def _words(fault: dict[str, Any]) -> str:
    """One line about a fault that is waiting for its requests."""
    method = "" if fault["method"] == "*" else f"{fault['method']} "
    what = [f"status {fault['status']}"] if fault["status"] else []
    what += [f"code {fault['code']}"] if fault["code"] is not None else []
    what += [word for word in ("drop", "half", "after") if fault[word]]
    what += [f"effect {fault['late']:g} s later"] if fault["late"] is not None else []
    what += [f"body {fault['body']}"] if fault["body"] else []
    what += [f"Retry-After {fault['retry_after']}"] if fault["retry_after"] is not None else []
    what += [f"{fault['delay']:g} s late"] if fault["delay"] else []
    often = "always" if fault["times"] is None else f"{fault['times']} times"
    if fault["probability"] < 1:
        often += f", with probability {fault['probability']:g}"
    return f"{fault['id']}: {method}{fault['path']}: {', '.join(what)} ({often})"


def _advance(connection: Connection, options: argparse.Namespace) -> int:
    answer = _ask(connection, "POST", "/clock", {"advance": options.seconds})
    there = datetime.fromtimestamp(answer["now"]).strftime("%Y-%m-%d %H:%M:%S")
    return _say(options, answer, f"The emulator's clock says {there}.")


def _expire_tokens(connection: Connection, options: argparse.Namespace) -> int:
    answer = _ask(connection, "POST", "/tokens")
    return _say(options, answer or {}, "Every token given out so far is expired.")


def _pause(connection: Connection, options: argparse.Namespace) -> int:
    answer = _ask(connection, "POST", "/queue", {"paused": True})
    return _say(options, answer, "No queued job starts until qsession emulator resume.")


def _resume(connection: Connection, options: argparse.Namespace) -> int:
    answer = _ask(connection, "POST", "/queue", {"paused": False})
    return _say(options, answer, "Queued jobs start again.")
