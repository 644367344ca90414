"""``%session join`` and ``%session leave``: services that somebody else runs."""

from __future__ import annotations

from getpass import getpass

from ..client import joined
from ..errors import UserError
from ..messages.joining import joined_service, left_service
from ..options.parsing import read_flags
from ..options.table import JOIN_OPTIONS

USAGE = "%session join URL [--name NAME] [--ca FILE]"


def join(words: list[str]) -> None:
    """Join a service; asks for the key where none stands in the line."""
    typed, options = _parted(words)
    if typed[1:]:
        # also when it cannot join
        print(
            "Your key stands in this cell: take it out before anybody sees the notebook. "
            "%session join with the address alone asks for it."
        )
    if not typed:
        raise UserError(f"%session join needs to know which service: {USAGE}.")
    if typed[2:]:
        # one of them is the key, which is not to stand in what the cell printed
        raise UserError(f"There is too much behind %session join: {USAGE}.")
    given = read_flags(options, JOIN_OPTIONS, "%session join")
    key = typed[1] if typed[1:] else _asked_for()
    name = given.get("--name", joined.USUAL_NAME)
    service = joined.join(typed[0], key, name, given.get("--ca", ""))
    print(joined_service(service.name, service.url, service.user))


def _parted(words: list[str]) -> tuple[list[str], list[str]]:
    """Words that stand for themselves, address and key, and those of options."""
    flags = [option.flag for option in JOIN_OPTIONS]
    typed: list[str] = []
    options: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        (options if word.startswith("-") else typed).append(word)
        if word in flags and rest and not rest[0].startswith("-"):
            options.append(rest.pop(0))
    return typed, options


def leave(name: str) -> None:
    """Forget a service that was joined."""
    if not name:
        known = ", ".join(joined.names()) or "none was joined"
        raise UserError(f"%session leave needs to know which service: {known}.")
    service = joined.leave(name)
    print(left_service(service.name, service.url))


def _asked_for() -> str:
    try:
        return getpass("Your key: ").strip()
    except Exception:
        # of front ends that cannot ask, each of which raises an error of its own
        raise UserError(
            "This front end cannot ask for your key: type qsession join in a terminal."
        ) from None
