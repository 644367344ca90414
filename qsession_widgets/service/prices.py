"""What a second of usage costs, by plan."""

from __future__ import annotations

PRICES: dict[str, float] = {"pay-as-you-go": 1.60, "paygo": 1.60, "payg": 1.60}
"""US dollars per second of usage by plan (IBM's price list, November 2026).

Other plans are prepaid or free: there the pay-as-you-go price says what such usage is worth.
"""

LIST_PRICE = 1.60
