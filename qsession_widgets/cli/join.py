"""``qsession join`` and ``qsession leave``: services that somebody else runs."""

from __future__ import annotations

import argparse
import json
import sys
from getpass import getpass
from typing import Any

from ..client import joined
from ..messages.joining import joined_service, left_service
from ..options.table import JOIN_OPTIONS

JOIN = "use somebody else's service, such as a class, as --service NAME from now on"
LEAVE = "forget a service that was joined, and your key for it"


def add_join(actions: Any) -> None:
    """Add ``join`` and ``leave`` to the actions of the command."""
    join = actions.add_parser("join", help=JOIN, description=JOIN)
    join.add_argument("url", help="its address, such as https://lab.example.org:8443")
    join.add_argument("key", nargs="?", help="your key; asked for, unseen, when left out")
    for option in JOIN_OPTIONS:
        join.add_argument(option.flag, metavar=option.value, help=option.meaning)
    join.set_defaults(action=_join, parser=join)
    leave = actions.add_parser("leave", help=LEAVE, description=LEAVE)
    leave.add_argument("name", help="the name that it was joined by")
    leave.set_defaults(action=_leave, parser=leave)
    for parser in (join, leave):
        parser.add_argument("--json", action="store_true", help="one JSON object, for programs")


def _join(options: argparse.Namespace) -> None:
    key = options.key
    if key is None:
        key = (getpass("Your key: ") if sys.stdin.isatty() else sys.stdin.readline()).strip()
    service = joined.join(options.url, key, options.name or joined.USUAL_NAME, options.ca or "")
    said = joined_service(service.name, service.url, service.user)
    _say(options, {"name": service.name, "url": service.url, "user": service.user}, said)


def _leave(options: argparse.Namespace) -> None:
    service = joined.leave(options.name)
    said = left_service(service.name, service.url)
    _say(options, {"name": service.name, "url": service.url}, said)


def _say(options: argparse.Namespace, data: dict[str, str], text: str) -> None:
    print(json.dumps(data) if options.json else text)
