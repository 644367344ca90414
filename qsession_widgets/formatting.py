"""Durations, amounts and text from elsewhere, as people read them.

``js/src/shared/formatting.ts`` has the same functions, and ``tests/vectors/formatting.json`` the
strings that both are tested with.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from html import escape

# What sums of floating-point numbers lose, and differences of times since the epoch, must not turn
# 12 s into 11 s, nor 30 ms into 29 ms.
_LOST = 1e-6

_EXACT = Context(prec=400, rounding=ROUND_HALF_UP)


def format_countdown(seconds: float) -> str:
    """A countdown: ``0:12``, ``1:00``, ``1:51:42``; rounded up, so it is zero only at its end."""
    whole = max(0, math.ceil(seconds - _LOST))
    hours, rest = divmod(whole, 3600)
    minutes, secs = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{secs:02}" if hours else f"{minutes}:{secs:02}"


def format_duration(seconds: float | None) -> str:
    """A duration: ``12 ms``, ``4.9 s``, ``41 s``, ``4 m 58 s``, ``2 h 5 m``; a dash for None.

    Cut, not rounded: to tenths below 10 s, to whole seconds from there. What ticks never shows more
    than has passed.
    """
    if seconds is None:
        return "\N{EN DASH}"
    value = cut_seconds(seconds)
    if 0.0 < value < 0.1 - _LOST:
        return f"{round(1000 * value)} ms"
    if value < 10 - _LOST:
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} m {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} m"


def cut_seconds(seconds: float) -> float:
    """The seconds that `format_duration` shows: what is cut off is in no amount made of them.

    Milliseconds below 0.1 s, tenths below 10 s, whole seconds from there. Views that are drawn at
    different fractions of a second so show the same dollars beside the same seconds.
    """
    value = max(0.0, seconds)
    if value < 0.001:
        return 0.0
    if value < 0.1 - _LOST:
        return math.floor(1000 * (value + _LOST)) / 1000
    if value < 10 - _LOST:
        return math.floor(10 * (value + _LOST)) / 10
    return float(math.floor(value + _LOST))


def dollars_of(seconds: float | None, price: float | None, final: bool = False) -> float | None:
    """US dollars of a time at a price per second; None where either is unknown.

    Until the session's usage is final, they are those of the seconds that `format_duration` shows.
    Every amount of a session is made here, so that a sum and its parts, and one view and another,
    agree.
    """
    if seconds is None or price is None:
        return None
    return price * (max(0.0, seconds) if final else cut_seconds(seconds))


def format_parts(parts: Sequence[float], total: float) -> list[str]:
    """First, middle and last part of a duration, which add up to it as `format_duration` shows it.

    The first is cut to the total's own unit, tenths or whole seconds, the last is rounded up, and
    the middle has what remains.
    """
    unit = 0.1 if total < 10 - _LOST else 1.0
    whole = math.floor(max(0.0, total) / unit + _LOST)
    cut = _units([part / unit for part in parts], whole, 0.0)
    if unit < 1:
        return [f"{tenths // 10}.{tenths % 10} s" for tenths in cut]
    return [
        "<1 s" if whole == 0 < part else f"{whole} s" if whole < 10 else format_duration(whole)
        for whole, part in zip(cut, parts, strict=True)
    ]


def _units(parts: Sequence[float], whole: int, half: float) -> tuple[int, int, int]:
    """Three parts in whole units that add up to a whole.

    Neither the first nor the last is made of the other two, so that each stays as it is while
    another one grows. The last is, where the middle is empty.
    """
    first, middle, last = (max(0.0, part) for part in parts)
    begin = min(whole, math.floor(first + half + _LOST))
    end = whole - begin
    if middle > _LOST:
        end = min(end, max(0, math.ceil(last - half - _LOST)))
    return begin, whole - begin - end, end


def share_cents(parts: Sequence[float], dollars: float) -> tuple[int, int, int]:
    """Cents in proportion to three parts, which add up to those of an amount of US dollars."""
    total = sum(parts)
    if total <= 0:
        return 0, 0, 0
    whole = math.floor(100 * dollars + 0.5 + _LOST)
    return _units([100 * dollars * part / total for part in parts], whole, 0.5)


def format_money(dollars: float) -> str:
    """An amount of US dollars: cents below $100, whole dollars from there, rounded half up."""
    cents = math.floor(100 * max(0.0, dollars) + 0.5 + _LOST)
    if cents < 10_000:
        return f"${cents // 100}.{cents % 100:02}"
    return f"${math.floor(dollars + 0.5 + _LOST):,}"


def format_price(dollars_per_second: float) -> str:
    """A price: ``$1.60/s``, ``$0.0017/s``; with parts of cents where it has some."""
    cents = format_money(dollars_per_second)
    exact = f"${format_fixed(dollars_per_second, 4)}".removesuffix("0").removesuffix("0")
    return f"{cents if dollars_per_second >= 100 else exact}/s"


def format_zone(minutes: float) -> str:
    """A time zone by its distance from UTC in minutes: ``UTC``, ``UTC+1``, ``UTC-3:30``."""
    if minutes == 0:
        return "UTC"
    hours, rest = divmod(math.floor(abs(minutes) + 0.5), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")


# a notebook typesets what stands between two dollars as a formula, but not across elements
_DOLLAR = "<span>$</span>"


def format_value(value: float, error: float | None = None) -> str:
    """A value and its standard error: ``-1.137 ± 0.012``; six digits where none is known.

    The error has two digits, and the value as many decimals as the error.
    """
    if not error:
        return _significant(value, 6)
    decimals = 1 - math.floor(math.log10(error))
    if not 0 <= decimals <= 12:
        return f"{_significant(value, 6)} ± {_significant(error, 2)}"
    return f"{format_fixed(value, decimals)} ± {format_fixed(error, decimals)}"


def format_fixed(value: float, decimals: int) -> str:
    """A number with so many decimals; a tie, as counts of shots have many, away from zero.

    That is how browsers round, while Python's own formats round it to even.
    """
    if not math.isfinite(value):
        return str(value)
    unit = Decimal(1).scaleb(-decimals)
    return format(Decimal(value + 0.0).quantize(unit, context=_EXACT), "f")


def _significant(value: float, digits: int) -> str:
    """A number with so many digits, rounded as `format_fixed` rounds."""
    rounded = Context(prec=digits, rounding=ROUND_HALF_UP).create_decimal_from_float(value + 0.0)
    return f"{float(rounded):.{digits}g}"


def as_html(text: str) -> str:
    """A text for HTML: nothing in it is markup, and nothing a formula."""
    return escape(text).replace("$", _DOLLAR)
