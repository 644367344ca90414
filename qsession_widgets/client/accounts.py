"""Finds the IBM accounts that the client library would take, without importing that library."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..explanations import nearest
from ..files import parse_json

CHANNELS = ("ibm_quantum_platform", "ibm_cloud")
"""Channels that have instances; the first is the client library's usual one."""

IN_ENVIRONMENT = "the account in the environment (QISKIT_IBM_TOKEN)"
VARIABLES = ("QISKIT_IBM_TOKEN", "QISKIT_IBM_URL", "QISKIT_IBM_INSTANCE")


@dataclass(frozen=True)
class Account:
    """An account that there is. Holds no credential.

    Attributes
    ----------
    name : str
        The name it is saved under; empty for the one in the environment.
    words : str
        How to speak of it.
    instance : str
        The instance it was saved with, by CRN or name; empty for none.
    holder : str
        The same for two accounts that are one key saved twice; see `holder`.
    fingerprint : str
        Changes when anything about the account does.
    """

    name: str
    words: str
    instance: str = ""
    owner_key: str = field(default="", repr=False)
    fingerprint: str = field(default="", repr=False)


def accounts_file() -> Path:
    """The client library's file of saved accounts; it need not exist."""
    return Path("~/.qiskit/qiskit-ibm.json").expanduser()


def find_account(name: str | None = None) -> str | None:
    """The place of an IBM account, in words; None when there is none.

    Reads what ``QiskitRuntimeService()`` would: the variable ``QISKIT_IBM_TOKEN``, then the file of
    saved accounts.

    Raises
    ------
    UserError
        There is none of that name, or the file cannot be read.
    """
    if name is None:
        account = default_account()
        return None if account is None else account.words
    saved = _saved()
    if not saved:
        return None
    if name not in saved:
        close = nearest(name, list(saved))
        raise UserError(
            f"There is no saved account {name!r}: there are {', '.join(sorted(saved))}."
            + (f" Did you mean {close}?" if close else "")
        )
    return _words(name)


def default_account() -> Account | None:
    """The account that is taken where none is named; None when there is none.

    Raises
    ------
    UserError
        The file of saved accounts cannot be read.
    """
    if os.environ.get("QISKIT_IBM_TOKEN"):
        token, url, instance = (os.environ.get(name, "") for name in VARIABLES)
        whole = _digest(token, url, instance)
        return Account("", IN_ENVIRONMENT, _instance(instance), owner_key(token), whole)
    saved = _saved()
    if not saved:
        return None
    name = _default_name(saved)
    return _account(name, saved.get(name, {}), "the saved account")


def every_account() -> list[Account]:
    """All accounts that there are: the default one, then the other saved ones by name.

    Raises
    ------
    UserError
        The file of saved accounts cannot be read.
    """
    first = default_account()
    accounts = [] if first is None else [first]
    for name, fields in sorted(_saved().items()):
        if (first is None or name != first.name) and fields.get("channel", CHANNELS[0]) in CHANNELS:
            accounts.append(_account(name, fields, _words(name)))
    return accounts


def owner_key(key: str | None) -> str:
    """A digest of a key: equal for equal keys, and the key cannot be read from it."""
    return _digest(key)


def _words(name: str) -> str:
    return f"the saved account {name!r}"


def _account(name: str, fields: Mapping[str, Any], words: str) -> Account:
    whole = _digest(json.dumps(fields, sort_keys=True))
    instance = _instance(fields.get("instance"))
    return Account(name, words, instance, owner_key(fields.get("token")), whole)


def _instance(saved: Any) -> str:
    return "" if saved in (None, "auto") else str(saved)


def _digest(*parts: Any) -> str:
    return hashlib.sha256("\0".join(str(part or "") for part in parts).encode()).hexdigest()


def _default_name(saved: Mapping[str, Mapping[str, Any]]) -> str:
    """Which one the client library takes; empty where it takes none."""
    marked = [name for name, fields in saved.items() if fields.get("is_default_account")]
    if marked:
        return marked[0]
    channel = os.environ.get("QISKIT_IBM_CHANNEL") or CHANNELS[0]
    usual = [f"default-{one.replace('_', '-')}" for one in CHANNELS]
    of_channel = [name for name, fields in saved.items() if fields.get("channel") == channel]
    for name in (f"default-{channel.replace('_', '-')}", *of_channel[::-1]):
        if name in of_channel:
            return name
    return next((name for name in usual if name in saved), "")


def _saved() -> dict[str, dict[str, Any]]:
    path = accounts_file()
    try:
        accounts = parse_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UserError(
            f"The file of saved accounts {path} cannot be read ({type(error).__name__}): save the "
            "account again with QiskitRuntimeService.save_account(..., overwrite=True), or use "
            "--service local."
        ) from None
    if not isinstance(accounts, dict):
        return {}
    if not all(isinstance(account, dict) for account in accounts.values()):
        raise UserError(
            f"The file of saved accounts {path} holds something that is no account: save the "
            "account again with QiskitRuntimeService.save_account(..., overwrite=True), or use "
            "--service local."
        )
    return accounts
