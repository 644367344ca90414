"""Sentences about services that somebody else runs: joined, left, or why they cannot be joined."""

from __future__ import annotations

from collections.abc import Collection

NO_KEY = "That is no key: copy it again from what you were given."

NO_ADDRESS = "That is no address of a service: it looks like https://lab.example.org:8443."
"""Without what was typed, which may be the key."""

ANOTHER_KEY = "Another account's key is not sent to a joined service."

NO_CERTIFICATE = "it is no certificate in PEM format"
"""A reason for `bad_authority`."""


def joined_service(name: str, url: str, user: str) -> str:
    """A service was joined: the name to use it by."""
    who = f" as {user}" if user else ""
    return (
        f"Joined {url}{who}: --service {name} uses it, open_session(service={name!r}) as well. "
        f"qsession leave {name} forgets it."
    )


def left_service(name: str, url: str) -> str:
    """A service was left, and its key forgotten here."""
    return f"Left {name} ({url}): your key is not kept here any more."


def not_joined(name: str, nearest: str | None, known: Collection[str]) -> str:
    """No service has that name; the nearest one that has a name, and all that have."""
    if nearest:
        return f"No service named {name!r} was joined: did you mean {nearest}?"
    there = f" There are {', '.join(known)}." if known else ""
    return f"No service named {name!r} was joined: qsession join URL does that once.{there}"


def cannot_save(name: str, folder: object, why: str | None) -> str:
    """A joined service cannot be written down."""
    return f"{name} cannot be saved in {folder}: {why}."


def bad_name(name: str, reserved: Collection[str]) -> str:
    """A name that a service cannot have."""
    return (
        f"A service cannot be named {name!r}: use letters, digits, - and _, and none of "
        f"{', '.join(reserved)}."
    )


def name_taken(name: str, url: str) -> str:
    """A name that another joined service has."""
    return (
        f"{name} is {url}, which you have joined: give --name another name, or leave it first with "
        f"qsession leave {name}."
    )


def no_tls(url: str) -> str:
    """An address at which the key could be read on the way."""
    return (
        f"At {url} everybody on the way could read your key: ask for an address that begins with "
        "https://."
    )


def bad_authority(file: str, why: str) -> str:
    """A certificate's file that is of no use."""
    return f"The certificate in {file} cannot be used: {why}."


def no_answer(url: str) -> str:
    """Nothing answers at an address."""
    return f"Nothing answers at {url}: look whether the address is right, and the service runs."


def unknown_key(url: str) -> str:
    """A service that does not accept the key."""
    return f"The service at {url} does not know this key: copy it again, or ask for another one."


def no_service(url: str) -> str:
    """Something else answers at an address."""
    return f"What answers at {url} is no service to join: check the address."


def owners_key(url: str) -> str:
    """The key is the owner's, not a user's."""
    return f"This key is of the owner of {url}: join with one that qsession emulator invite made."


def unreached(url: str, why: str) -> str:
    """A service that does not answer by TLS; ``why`` is empty where nothing more is known."""
    because = why or "it does not answer by TLS"
    return f"The service at {url} is not reached, because {because}: check the address."


def not_accepted(url: str, why: str) -> str:
    """A certificate that is wrong."""
    return f"The certificate of {url} is not accepted ({why}): ask who runs the service."


def not_trusted(url: str, why: str) -> str:
    """A certificate of an authority that is not known here."""
    return (
        f"The certificate of {url} is not trusted here ({why}): ask who runs the service for the "
        "file of its authority, and give it with --ca FILE."
    )
