"""The price of a second of usage: the user's own where there is one, else the plan's list price.

Contracts differ from the list. A price of one's own comes from ``SessionMagics.price`` in IPython's
configuration, from the variable ``QSESSION_PRICE``, or from a small file that ``qsession price``
writes, by account and plan; the first of them that there is counts.
"""

from __future__ import annotations

import json
import math
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from ..errors import UserError
from ..files import file_lock, parse_json, private_folder, write_atomically
from ..model.snapshot import PriceSource
from ..price_list import LIST_PRICES, plan_code
from .accounts import every_account

VARIABLE = "QSESSION_PRICE"
TRAIT = "SessionMagics.price"
EXAMPLES = "dollars a second, such as 0.65, or a minute, such as '$39/min'"


_configured = ""


def configure(text: str) -> None:
    """Count with a price that the configuration names, from the next session on.

    Parameters
    ----------
    text : str
        The price as it was typed, read when it is needed; empty for none.
    """
    global _configured
    _configured = text.strip()


@dataclass(frozen=True)
class OwnPrice:
    """A price that the user has set.

    Attributes
    ----------
    dollars_per_second : float
        US dollars for one second of usage.
    plan : str
        The plan's code it holds for; empty for every plan but Open.
    account : str
        Name of the saved account it holds for; empty for every account.
    """

    dollars_per_second: float
    plan: str = ""
    account: str = ""


def price_of(plan: str, key: str | None = None) -> tuple[float | None, PriceSource]:
    """The price of a second of usage, and where it comes from.

    Parameters
    ----------
    plan : str
        As the service calls it, in any case.
    key : str, optional
        `qsession_widgets.client.accounts.owner_key` of the account.

    Returns
    -------
    tuple of (float or None, str)
        US dollars, None where usage is free or has no known price, and one of
        `qsession_widgets.model.snapshot.PriceSource`.

    Raises
    ------
    UserError
        The configuration, the variable or the file holds something that is no price.
    """
    code = plan_code(plan)
    if code == "open":
        return None, ""
    if _configured:
        try:
            return read_price(_configured), "config"
        except UserError as error:
            raise UserError(
                f"The configured default {TRAIT} makes no sense. {error} %config {TRAIT} = '' "
                "takes it away."
            ) from None
    if text := os.environ.get(VARIABLE, "").strip():
        try:
            return read_price(text), "environment"
        except UserError as error:
            raise UserError(f"The variable {VARIABLE} cannot be used. {error}") from None
    own = [one for one in own_prices() if one.plan in ("", code)]
    if any(one.account for one in own):
        names = {one.name for one in every_account() if key and one.owner_key == key}
        own = [one for one in own if not one.account or one.account in names]
    if own:
        nearest = max(own, key=lambda one: (bool(one.account), bool(one.plan)))
        return nearest.dollars_per_second, "own"
    listed = LIST_PRICES.get(code)
    return (None, "") if listed is None else (listed.dollars_per_second, "list")


def known_price(plan: str, key: str | None = None) -> tuple[float | None, PriceSource]:
    """As `price_of`, with None where what was set is no price: that keeps no session from its end.

    `price_problem` says so.
    """
    try:
        return price_of(plan, key)
    except UserError:
        return None, ""


def price_problem() -> str:
    """A sentence about what was set as a price and is none; empty without one."""
    try:
        price_of("payg")
    except UserError as error:
        return str(error)
    return ""


def read_price(text: str) -> float:
    """A price as it is typed, in US dollars a second: ``0.65``, ``$0.65/s``, ``$39/min``.

    Raises
    ------
    UserError
        It is none.
    """
    unit = r"(s|m)(?:(?<=s)ec(?:ond)?s?|(?<=m)in(?:ute)?s?)?"
    number = r"\$?\s*(\d+(?:\.\d+)?|\.\d+)\s*\$?"
    found = re.fullmatch(rf"{number}\s*(?:/\s*{unit})?", text.strip())
    value = float(found[1]) / (60 if found[2] == "m" else 1) if found else math.nan
    if not value < 1e6:
        raise UserError(f"{text!r} is no price: write {EXAMPLES}.")
    return value


def prices_file() -> Path:
    """The file of the user's own prices; it need not be there."""
    from jupyter_core.paths import jupyter_config_dir

    return Path(jupyter_config_dir()) / "qsession-prices.json"


def own_prices() -> list[OwnPrice]:
    """The prices that the user has set.

    Raises
    ------
    UserError
        The file cannot be read.
    """
    path = prices_file()
    try:
        rows = parse_json(path.read_text(encoding="utf-8"))
        prices = [OwnPrice(float(r["dollars_per_second"]), r["plan"], r["account"]) for r in rows]
        if not all(0 <= one.dollars_per_second < 1e6 for one in prices):
            raise ValueError("a price is below 0, or none")
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UserError(
            f"The file of your prices {path} cannot be read ({type(error).__name__}): remove it, "
            "and set them again with qsession price set."
        ) from None
    return prices


def set_price(dollars_per_second: float | None, plan: str = "", account: str = "") -> bool:
    """Set a price of one's own, or take it away.

    Parameters
    ----------
    dollars_per_second : float or None
        The price; None takes it away.
    plan : str
        The plan it holds for; every plan but Open when empty.
    account : str
        Name of the saved account it holds for; every account when empty.

    Returns
    -------
    bool
        Whether there was one before.

    Raises
    ------
    UserError
        The Open Plan is meant, or the file cannot be read or written.
    """
    code = plan_code(plan)
    if code == "open":
        raise UserError("The Open Plan is free: it needs no price. Name another plan, or none.")
    path = prices_file()
    try:
        private_folder(path.parent)
        with file_lock(path.with_name(f".{path.name}.lock"), timeout=10):
            before = own_prices()
            kept = [one for one in before if (one.plan, one.account) != (code, account)]
            there = len(kept) < len(before)
            if dollars_per_second is not None:
                kept.append(OwnPrice(dollars_per_second, code, account))
            write_atomically(path, json.dumps([asdict(one) for one in kept], indent=1) + "\n")
    except OSError as error:
        raise UserError(
            f"The file of your prices {path} cannot be written ({error.strerror or error}): make "
            f"its folder writable, or set the variable {VARIABLE}."
        ) from None
    return there
