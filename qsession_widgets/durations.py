"""Lengths of time as people write and read them."""

from __future__ import annotations

import re

from .errors import UserError

_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_PART = r"(\d+(?:\.\d+)?)\s*(days?|hours?|hrs?|minutes?|mins?|seconds?|secs?|[dhms])"
LONGEST = 366 * 86400
"""Seconds: more than anything lasts here, and less than what the service fails to read."""


class NotALength(UserError):
    """What was typed cannot be read as a length of time."""


def parse_duration(text: str, *, what: str) -> int:
    """Read a length of time: seconds as a number, the client's own notation, or words of it.

    Parameters
    ----------
    text : str
        ``90``, ``30m``, ``"2h 30m 40s"``, ``1d``; ``1.5h``, ``"30 minutes"``.
    what : str
        What it is for, as named in the error, such as ``--max-time``.

    Returns
    -------
    int
        Seconds, at least 1; parts of a second are rounded.

    Raises
    ------
    UserError
        It is not a length of time, not positive, or longer than a year.
    """
    word = text.strip().strip("\"'").lower()
    seconds = 0
    if re.fullmatch(r"[+-]?\d+", word):
        seconds = int(word)
    elif re.fullmatch(rf"({_PART}\s*)+", word):
        parts = re.findall(_PART, word)
        seconds = round(sum(float(number) * _UNITS[unit[0]] for number, unit in parts))
    else:
        raise NotALength(
            f"{what} {text!r} is not a length of time: write seconds (90) or days, hours, minutes "
            'and seconds ("2h 30m", 45m, 90s).'
        )
    if seconds < 1:
        raise UserError(f"{what} must be at least 1 s, not {text}: for example {what} 30m.")
    if seconds > LONGEST:
        raise UserError(f"{what} {text} is longer than a year: write for example {what} 8h.")
    return seconds


def clock(seconds: float) -> str:
    """A countdown: ``0:12``, ``1:00``, ``1:51:42``. Parts of a second are rounded up."""
    whole = max(0, -int(-seconds // 1))
    hours, rest = divmod(whole, 3600)
    minutes, secs = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{secs:02}" if hours else f"{minutes}:{secs:02}"


def words(seconds: float) -> str:
    """A duration: ``12 ms``, ``0.2 s``, ``41 s``, ``4 m 58 s``, ``2 h 5 m``."""
    if 0.0005 <= seconds < 0.095:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} m {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} m"


def money(dollars: float) -> str:
    """An amount of US dollars, with cents only where they count."""
    return f"${dollars:,.0f}" if dollars >= 100 else f"${dollars:,.2f}"
