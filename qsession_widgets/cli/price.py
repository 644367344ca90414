"""``qsession price``: the list prices, and prices of one's own."""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import asdict
from typing import Any

from ..client import prices
from ..client.accounts import find_account
from ..errors import UserError
from ..explanations import nearest
from ..formatting import format_price
from ..options.configuration import configured as usual
from ..price_list import LIST_PRICES, plan_code
from ..text_table import terminal_width, text_table
from .parser import CommandParser

MEANING = "show the prices of a second of usage, or set your own"


def add_price(actions: Any) -> None:
    """Add ``price`` and what it does to the actions of the command."""
    price = actions.add_parser("price", help=MEANING, description=MEANING)
    verbs = price.add_subparsers(metavar="ACTION", required=True, parser_class=CommandParser)
    for name, action, meaning in (
        ("show", _show, "list IBM's prices, and yours"),
        ("set", _set, "count with a price of your own"),
        ("unset", _unset, "count with the list price again"),
    ):
        verb = verbs.add_parser(name, help=meaning, description=meaning)
        if name == "set":
            verb.add_argument("price", help=f"of usage, in {prices.EXAMPLES}")
        if name == "show":
            verb.add_argument("--json", action="store_true", help="one JSON object, for programs")
        else:
            verb.add_argument("--plan", default="", help="for this plan only, such as premium")
            verb.add_argument("--account", default="", help="for this saved account only")
        verb.set_defaults(action=action, parser=verb)


def _show(options: argparse.Namespace) -> None:
    own = prices.own_prices()
    if options.json:
        listed = {plan: asdict(price) for plan, price in LIST_PRICES.items()}
        print(json.dumps({"list": listed, "own": [asdict(one) for one in own]}))
        return
    rows = [("plan", "price", "listed as", "source")]
    for price in LIST_PRICES.values():
        a_second = format_price(price.dollars_per_second) if price.dollars_per_second else "free"
        rows.append((price.name, a_second, price.listed_as, f"{price.source}, {price.as_of}"))
    print(text_table(rows, width=terminal_width()))
    for one in own:
        print(f"Yours {_whose(one.plan, one.account)}: {format_price(one.dollars_per_second)}")
    if configured := usual().get("price"):
        print(f"{prices.TRAIT} in IPython's configuration goes before all: {configured}")
    if os.environ.get(prices.VARIABLE):
        print(f"The variable {prices.VARIABLE} goes before them: {os.environ[prices.VARIABLE]}")


def _set(options: argparse.Namespace) -> None:
    value = prices.read_price(options.price)
    _check(options.account)
    plan = _plan(options.plan)
    prices.set_price(value, plan, options.account)
    whose = _whose(plan, options.account)
    print(f"A second of usage counts {format_price(value)} {whose}, from the next session on.")
    if plan and plan not in LIST_PRICES:
        print("That plan is not on IBM's list: it counts where the service calls its plan so.")


def _unset(options: argparse.Namespace) -> None:
    plan = plan_code(options.plan)
    whose = _whose(plan, options.account)
    if not prices.set_price(None, plan, options.account):
        raise UserError(f"There is no price of yours {whose}: qsession price show lists them.")
    print(f"Your price {whose} is gone: the list price counts again.")


def _plan(given: str) -> str:
    """The code of a plan; one that is not listed may be a contract's own, unless it looks like one.

    Raises
    ------
    UserError
        It looks like a name of a plan that is listed.
    """
    code = plan_code(given)
    names = dict.fromkeys([*LIST_PRICES, *(listed.name.lower() for listed in LIST_PRICES.values())])
    if code and code not in LIST_PRICES and (close := nearest(code, list(names))):
        raise UserError(f"There is no plan {given!r}: did you mean {close}?")
    return code


def _check(account: str) -> None:
    if account and find_account(account) is None:
        raise UserError(
            f"There is no saved account {account!r}: none is saved. Leave --account out."
        )


def _whose(plan: str, account: str) -> str:
    on = f"on the {LIST_PRICES[plan].name if plan in LIST_PRICES else plan} Plan" if plan else ""
    of = f"for the account {account!r}" if account else ""
    return " ".join(filter(None, [on, of])) or "on every plan but Open"
