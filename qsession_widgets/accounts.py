"""Finds the IBM account that the client library would take, without importing that library."""

from __future__ import annotations

import json
import os
from pathlib import Path

from .errors import UserError, nearest


def accounts_file() -> Path:
    """Where the client library keeps saved accounts; it need not be there."""
    return Path("~/.qiskit/qiskit-ibm.json").expanduser()


def find_account(name: str | None = None) -> str | None:
    """Where an IBM account is to be found, in words; None when there is none.

    Reads what ``QiskitRuntimeService()`` would: the variable ``QISKIT_IBM_TOKEN``, then the file of
    saved accounts.
    """
    if name is None and os.environ.get("QISKIT_IBM_TOKEN"):
        return "the account in the environment (QISKIT_IBM_TOKEN)"
    path = accounts_file()
    try:
        accounts = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise UserError(
            f"The file of saved accounts {path} cannot be read ({type(error).__name__}): save the "
            "account again with QiskitRuntimeService.save_account(..., overwrite=True), or use "
            "--service local."
        ) from None
    if not isinstance(accounts, dict) or not accounts:
        return None
    if not all(isinstance(account, dict) for account in accounts.values()):
        raise UserError(
            f"The file of saved accounts {path} holds something that is no account: save the "
            "account again with QiskitRuntimeService.save_account(..., overwrite=True), or use "
            "--service local."
        )
    if name is None:
        return "the saved account"
    if name not in accounts:
        close = nearest(name, list(accounts))
        raise UserError(
            f"There is no saved account {name!r}: there are {', '.join(sorted(accounts))}."
            + (f" Did you mean {close}?" if close else "")
        )
    return f"the saved account {name!r}"
