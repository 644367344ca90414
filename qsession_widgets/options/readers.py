"""Values of options, made from what was typed; a sentence where it makes no sense.

Each reader takes the flag, for its sentence, and the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from keyword import iskeyword

from ..durations import NotALength, parse_duration
from ..errors import UserError


def read_text(_flag: str, text: str) -> str:
    """A text as it is."""
    return text


def read_true(_flag: str, _text: str) -> bool:
    """An option without a value."""
    return True


def read_seconds(flag: str, text: str) -> int:
    """A length of time, in seconds."""
    return parse_duration(text, what=flag)


def read_number(flag: str, text: str) -> float:
    """A number."""
    try:
        return float(text)
    except ValueError:
        raise UserError(f"{flag} {text!r} is not a number: write for example {flag} 2.") from None


def read_whole(flag: str, text: str) -> int:
    """A whole number, 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise UserError(f"{flag} {text!r} is not a whole number: write 1 or more.")
    return int(text)


def read_count(flag: str, text: str) -> int:
    """A number of jobs, 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise UserError(f"{flag} {text!r} is not a number of jobs: write 1 or more.")
    return int(text)


def read_one_of(*choices: str) -> Callable[[str, str], str]:
    """One of a few words."""

    def read(flag: str, text: str) -> str:
        if text not in choices:
            raise UserError(
                f"{flag} {text!r} does not exist: choose {', '.join(choices[:-1])} or "
                f"{choices[-1]}."
            )
        return text

    return read


def read_tags(flag: str, text: str) -> tuple[str, ...]:
    """Tags with commas between."""
    tags = tuple(tag.strip() for tag in text.split(","))
    if not all(tags):
        raise UserError(f"{flag} {text!r} has an empty tag: write {flag} first,second.")
    return tags


def read_names(flag: str, text: str) -> tuple[str, str]:
    """Two of the notebook's names."""
    names = [name.strip() for name in text.split(",")]
    if len(names) != 2 or not all(map(_can_be_named, names)) or names[0] == names[1]:
        raise UserError(
            f"{flag} {text!r} does not name two variables: write {flag} session,backend."
        )
    return names[0], names[1]


def _can_be_named(name: str) -> bool:
    return name.isidentifier() and not iskeyword(name)


def read_budget_text(flag: str, text: str) -> str:
    """A budget as it was typed, once it can be read."""
    read_budget(text, what=flag)
    return text


def read_budget(text: str, *, what: str = "--budget") -> tuple[float | None, float | None]:
    """Read a budget: a length of time or an amount of US dollars.

    Returns
    -------
    tuple of (float or None, float or None)
        Seconds and dollars; one of them is None.

    Raises
    ------
    UserError
        It is neither.
    """
    amount = re.fullmatch(r"\$(.*)|(.*?)\s*(?:\$|usd|dollars?)", text.strip(), re.IGNORECASE)
    if amount is None:
        if re.fullmatch(r"[\d.,]+", text.strip()):
            # IPython leaves as much of $20 on a line
            raise UserError(
                f"{what} {text!r} says neither dollars nor seconds: write {what} '${text}', or a "
                f"time such as {what} {text}s."
            )
        try:
            return float(parse_duration(text, what=what)), None
        except NotALength:
            raise UserError(
                f"{what} {text!r} is not a length of time, nor an amount of money: write {what} 5m "
                f"or {what} '$20'."
            ) from None
    figure = (amount[1] or amount[2] or "").strip()
    # a comma parts thousands; where it might part cents, nothing is guessed
    plain = re.fullmatch(r"\d+(\.\d*)?|\.\d+|\d{1,3}(,\d{3})+(\.\d*)?", figure)
    dollars = float(figure.replace(",", "")) if plain else 0.0
    if dollars <= 0:
        raise UserError(
            f"{what} {text!r} is not an amount of money: write {what} '$20' or '$1.50', or a time "
            f"such as {what} 5m."
        )
    return None, dollars
