"""Users who are invited while an emulator runs: records, names, and digests of their keys."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ..rules.refusals import invalid

MOST_USERS = 1000
"""Users that can be invited."""

_NAME = re.compile(r"\w[\w .@'+-]{0,63}")

_TAKEN = ("default", "owner", "owner@emulator")


@dataclass(frozen=True)
class InvitedUser:
    """A user who was invited while the emulator ran, with an instance for that user alone.

    Attributes
    ----------
    name : str
        The user's name, and that of the instance.
    crn, plan : str
        The instance.
    digest : str
        Of the key, see `digest`; empty once the key was revoked.
    invited_at : float
        When the key was made, seconds since the epoch.
    """

    name: str
    crn: str
    plan: str
    digest: str
    invited_at: float


def digest(key: str) -> str:
    """SHA-256 of a key: a key of 256 random bits needs no slower hash to be safe from guessing."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def new_crn(account: str) -> str:
    """A Cloud Resource Name that no other instance has."""
    return f"crn:v1:bluemix:public:quantum-computing:us-east:a/{account}:{uuid.uuid4()}::"


def numbered(count: int, known: Collection[str]) -> list[str]:
    """Names for users who have none yet: ``student-01`` and so on."""
    found: list[str] = []
    number = 0
    while len(found) < count:
        number += 1
        name = f"student-{number:02}"
        if name not in known:
            found.append(name)
    return found


def check_names(names: Sequence[str], taken: Collection[str]) -> None:
    """Check the names of users who are to be invited.

    Raises
    ------
    Refusal
        One cannot be a name, is there twice, or is a user's already (400).
    """
    for place, name in enumerate(names):
        if name in taken or name in names[:place]:
            raise invalid(
                f"There is a user {name!r} already.",
                "Leave the name out, or revoke that key first to give out a new one.",
            )
        if name in _TAKEN or name != name.strip() or not _NAME.fullmatch(name):
            raise invalid(
                f"A user cannot be named {name!r}.",
                "Use at most 64 letters, digits, spaces and - _ . @ ' +, and begin with a letter "
                "or digit; default and owner are taken.",
            )
