"""Commands for the users of an emulator: invite them, list them, end a user's key.

A key is written into the file that ``--csv`` names, which only its owner can read, and is printed
nowhere.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import os
import sys
import webbrowser
from collections.abc import Callable, Mapping
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import quote

from ...files import PRIVATE_FILE, write_atomically
from ...formatting import format_duration
from ...text_table import terminal_width, text_table
from .connection_file import Connection, EmulatorError, connection_file
from .fault_cli import Add

ROUTE = "/emulator/v1/users"

PAGE_TITLE = "Class"

COLUMNS = ("name", "url", "key")


def add_commands(add: Add, find: Callable[[argparse.Namespace], Connection]) -> None:
    """Add the commands; see `qsession_widgets.emulator.process.fault_cli.add_commands`."""

    def told(act: Callable[[Connection, argparse.Namespace], int]) -> Any:
        return lambda options: act(find(options), options)

    invite = add("invite", told(_invite), "make a key for each of its users, in a file of yours")
    invite.add_argument("--count", type=int, default=0, metavar="N", help="for how many")
    invite.add_argument("--names", metavar="FILE", help="their names, one a line; else numbered")
    invite.add_argument("--plan", help="the plan of each; the emulator's own when left out")
    invite.add_argument(
        "--csv", required=True, metavar="FILE", help="the new file that the keys are written to"
    )
    page = add("page", told(_page), "open its page: queue, sessions, students, and controls")
    page.add_argument("--no-open", action="store_true", help="print the address only")
    add("users", told(_users), "list its users, with the sessions and jobs of each")
    revoke = add("revoke", told(_revoke), "end a user's key, and cancel what that user has open")
    revoke.add_argument("user", metavar="USER", help="the name, as qsession emulator users has it")


def _invite(connection: Connection, options: argparse.Namespace) -> int:
    names = _names(options.names) if options.names else []
    if options.count < 0 or (names and options.count and options.count != len(names)):
        what = f"{options.names} has {len(names)} names" if names else "it is a number of people"
        raise EmulatorError(f"--count {options.count} cannot be, because {what}.")
    path = Path(options.csv).expanduser()
    with _new_private_file(path) as file:
        wanted = {"names": names, "count": 0 if names else options.count, "plan": options.plan}
        try:
            users = _new_users(connection, wanted)
            _write_keys(connection, file, users)
        except BaseException:
            path.unlink()
            raise
    made = [user["name"] for user in users]
    if options.json:
        print(json.dumps({"csv": str(path), "names": made}))
        return 0
    count = "1 key is" if len(made) == 1 else f"{len(made)} keys are"
    print(f"{count} in {path}, which only you can read: hand each student the own line only.")
    if not connection.public_url:
        print(
            "Only this machine reaches the emulator: start it with --host, --public-url, "
            "--tls-cert and --tls-key for others."
        )
    return 0


def _new_users(connection: Connection, wanted: Mapping[str, Any]) -> list[dict[str, str]]:
    """Invite users; where the answer with their keys is lost, no key of theirs stays good."""
    before = _good_keys(connection)
    try:
        users: list[dict[str, str]] = connection.request("POST", ROUTE, body=wanted)["users"]
        return users
    except (OSError, KeyboardInterrupt) as error:
        try:
            for name in _good_keys(connection) - before:
                connection.request("DELETE", f"{ROUTE}/{quote(name, safe='')}")
        except (OSError, EmulatorError):
            raise EmulatorError(
                "The emulator does not answer, and may have made keys that nobody knows: qsession "
                "emulator users lists whose, qsession emulator revoke USER ends each; then invite "
                "again."
            ) from None
        if isinstance(error, KeyboardInterrupt):
            raise
        raise EmulatorError(
            "The emulator did not answer, and no key that it may have made is good: invite again."
        ) from None


def _good_keys(connection: Connection) -> set[str]:
    """Names of the users who were invited, and whose key is good."""
    listed = connection.request("GET", ROUTE)["users"]
    return {user["name"] for user in listed if user["invited"] and not user["revoked"]}


def _names(path: str) -> list[str]:
    try:
        text = Path(path).expanduser().read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8"
        raise EmulatorError(f"The names in {path} cannot be read: {why}.") from None
    names = [line.strip() for line in text.splitlines() if line.strip()]
    if not names:
        raise EmulatorError(f"There are no names in {path}: write one a line.")
    return names


def _new_private_file(path: Path) -> TextIO:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    except FileExistsError:
        raise EmulatorError(
            f"{path} is there already, perhaps with keys in it: give --csv another name."
        ) from None
    except OSError as error:
        raise EmulatorError(f"The keys cannot be written to {path}: {error.strerror}.") from None
    return open(descriptor, "w", encoding="utf-8", newline="")


def _write_keys(connection: Connection, file: TextIO, users: list[dict[str, str]]) -> None:
    """Write the keys down; keys that nobody can ever read are ended again."""
    url = connection.public_url or connection.url
    try:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        table.writerows((user["name"], url, user["key"]) for user in users)
        file.flush()
        os.fsync(file.fileno())
    except OSError as error:
        for user in users:
            with contextlib.suppress(EmulatorError, OSError):
                connection.request("DELETE", f"{ROUTE}/{quote(user['name'], safe='')}")
        raise EmulatorError(
            f"The keys cannot be written ({error.strerror}), and are not good any more: make room, "
            "and invite again."
        ) from None


def _page(connection: Connection, options: argparse.Namespace) -> int:
    made = connection.request("POST", "/emulator/v1/room/ticket")
    way = f"{made['path']}#{made['ticket']}"
    if options.json:
        print(json.dumps({"url": connection.url + way}))
        return 0
    print(connection.url + way)
    if connection.public_url:
        print(f"From another machine: {connection.public_url}{way}")
    print("Either opens the page once, within a minute; in that tab it stays open for six hours.")
    if not options.no_open and sys.stdout.isatty():
        webbrowser.open(_leads_to(connection, connection.url + way).as_uri())
    return 0


def _leads_to(connection: Connection, url: str) -> Path:
    """A file that leads a browser to an address that nobody else may read.

    Everybody on a machine can read the command lines of its processes, the browser's too.
    """
    path = connection_file(connection.name).with_suffix(".html")
    write_atomically(
        path,
        f'<!doctype html><meta charset="utf-8"><title>{PAGE_TITLE}</title>'
        f'<meta http-equiv="refresh" content="0; url={escape(url)}">'
        f'<a href="{escape(url)}">{PAGE_TITLE}</a>',
    )
    return path


def _users(connection: Connection, options: argparse.Namespace) -> int:
    answer = connection.request("GET", ROUTE)
    if options.json:
        for user in answer["users"]:
            print(json.dumps(user))
        return 0
    head = ("name", "plan", "key", "last seen", "sessions", "open", "jobs", "pending", "usage")
    rows = [
        (
            user["name"],
            user["plan"],
            "revoked" if user["revoked"] else "good",
            "never" if user["seen"] is None else _moment(user["seen"]),
            *(str(user[name]) for name in ("sessions", "open_sessions", "jobs", "pending_jobs")),
            format_duration(user["usage_seconds"]),
        )
        for user in answer["users"]
    ]
    print(text_table([head, *rows], width=terminal_width()))
    return 0


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M")


def _revoke(connection: Connection, options: argparse.Namespace) -> int:
    name = options.user
    if name not in _good_keys(connection):
        raise EmulatorError(
            f"Nobody named {name!r} was invited: qsession emulator users lists everybody."
        )
    answer = connection.request("DELETE", f"{ROUTE}/{quote(name, safe='')}")
    if options.json:
        print(json.dumps({"revoked": name, **answer}))
        return 0
    ended = f"{answer['cancelled_sessions']} sessions and {answer['cancelled_jobs']} jobs"
    print(f"The key of {name} is not good any more; {ended} were cancelled.")
    return 0
