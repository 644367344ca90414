"""Sentences about a session that is left as it is: whether it is open, its price, and its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from .resume import TAKES_UP, opens_later

Standing = Literal["open", "deferred", "unknown"]
"""Open, opened by its first new job, or opened by a request whose answer was lost."""

STAYS: Mapping[Standing, str] = {
    "open": "stays open",
    "deferred": "is not open yet",
    "unknown": "may be open",
}


def left_open(
    standing: Standing, word: str, called: str, price: str, pending: int, *, counted: bool
) -> str:
    """A sentence's end about it, as "stays open.", and sentences about its price and its end.

    Parameters
    ----------
    standing : Standing
        Whether it is open.
    word, called, price : str
        Session or batch, what follows ``%session close``, and the sentence about its price.
    pending : int
        Number of its jobs that are not over.
    counted : bool
        Whether to say that number.
    """
    stays = STAYS[standing]
    if counted and pending:
        stays += f"; {pending} job{' goes' if pending == 1 else 's go'} on"
    if standing != "open":
        ways_out = TAKES_UP.format(word=word) if standing == "unknown" else opens_later(word)
        return f"{stays}. {ways_out}"
    ends = f"%session close {called}".rstrip() + " ends it"
    if pending:
        ends += f" once its jobs have finished; %session cancel {called}".rstrip()
        ends += " also cancels those that are queued"
    return " ".join(filter(None, [f"{stays}.", price, f"{ends}."]))
