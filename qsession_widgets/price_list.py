"""IBM's list prices of a second of usage, by plan: the only place where these figures stand.

Contracts differ from the list: `qsession_widgets.client.prices` puts a price of the user's own in
its place.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ListPrice:
    """The price that IBM lists for a plan.

    Attributes
    ----------
    name : str
        The plan's name in words.
    dollars_per_second : float
        US dollars for one second of usage; 0 where usage is free.
    listed_as : str
        The price as the list has it.
    source : str
        Where it is listed.
    as_of : str
        Month of the list.
    """

    name: str
    dollars_per_second: float
    listed_as: str
    source: str = "https://www.ibm.com/quantum/pricing"
    as_of: str = "May 2026"


LIST_PRICES: dict[str, ListPrice] = {
    "payg": ListPrice("Pay-As-You-Go", 1.60, "$1.60 a second"),
    "flex": ListPrice("Flex", 72 / 60, "$72 a minute, prepaid"),
    "premium": ListPrice("Premium", 48 / 60, "$48 a minute, by subscription"),
    "open": ListPrice("Open", 0.0, "10 minutes in 28 days, free"),
}
"""List prices by the plan's code. A plan that is not here, on premises or unknown, has none."""


def list_price(plan: str) -> float | None:
    """US dollars that a second of usage is listed with; None for a plan that is not on the list."""
    listed = LIST_PRICES.get(plan_code(plan))
    return None if listed is None else listed.dollars_per_second


_ALIASES = {"pay-as-you-go": "payg", "pay as you go": "payg", "paygo": "payg"}


def plan_code(plan: str) -> str:
    """The code of a plan, as in `LIST_PRICES`, from any of its names; other names in lower case."""
    name = plan.strip().lower().removesuffix(" plan")
    return _ALIASES.get(name, name)
