"""What a second of usage costs, by plan."""

from __future__ import annotations

LIST_PRICE = 1.60
"""US dollars per second of usage on the Pay-As-You-Go plan (IBM's price list, November 2026)."""


def price_per_second(plan: str) -> float | None:
    """US dollars per second of usage; None on the Open Plan, which is free.

    Other plans are prepaid: there the Pay-As-You-Go price says what such usage is worth.

    Parameters
    ----------
    plan : str
        As the service calls it, in any case.
    """
    return None if plan.lower() == "open" else LIST_PRICE
