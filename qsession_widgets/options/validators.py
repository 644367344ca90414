"""Converts the text of an option into its value, or raises an `InvalidOption`.

Each reader takes the option's name, for the error, and the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from keyword import iskeyword

from ..client import joined
from ..errors import InvalidOption

_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_PART = r"(\d+(?:\.\d+)?)\s*(days?|hours?|hrs?|minutes?|mins?|seconds?|secs?|[dhms])"
LONGEST = 366 * 86400
"""Seconds: more than anything lasts here, and less than what the service fails to read."""


def read_text(_option: str, text: str) -> str:
    """A text as it is."""
    return text


def read_true(_option: str, _text: str) -> bool:
    """An option without a value."""
    return True


def read_run(option: str, text: str) -> str:
    """A run to take up: ``auto`` where none is named, ``any``, or its id, name or file.

    Raises
    ------
    InvalidOption
        It begins like an option.
    """
    word = text.strip()
    if word.startswith("-"):
        raise InvalidOption(option, text, "not_a_run")
    return "auto" if word in ("", "True") else word


def read_seconds(option: str, text: str) -> int:
    """A length of time in seconds: a number, the client's own notation, or words of it.

    Parameters
    ----------
    option : str
        The option's name.
    text : str
        ``90``, ``30m``, ``"2h 30m 40s"``, ``1d``; ``1.5h``, ``"30 minutes"``.

    Returns
    -------
    int
        Seconds, at least 1; parts of a second are rounded.

    Raises
    ------
    InvalidOption
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
        raise InvalidOption(option, text, "not_a_duration")
    if seconds < 1:
        raise InvalidOption(option, text, "too_short")
    if seconds > LONGEST:
        raise InvalidOption(option, text, "too_long")
    return seconds


def read_number(option: str, text: str) -> float:
    """A number."""
    try:
        return float(text)
    except ValueError:
        raise InvalidOption(option, text, "not_a_number") from None


def read_duration(option: str, text: str) -> float:
    """A length of time in seconds that may be less than one: a number, or as in `read_seconds`."""
    try:
        return float(text)
    except ValueError:
        return float(read_seconds(option, text))


def read_share(option: str, text: str) -> float:
    """A number above 0 and at most 1."""
    value = read_number(option, text)
    if not 0 < value <= 1:
        raise InvalidOption(option, text, "not_a_share")
    return value


def read_whole(option: str, text: str) -> int:
    """A whole number, 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise InvalidOption(option, text, "not_whole")
    return int(text)


def read_count(option: str, text: str) -> int:
    """A number of jobs, 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise InvalidOption(option, text, "not_a_count")
    return int(text)


def read_one_of(*choices: str) -> Callable[[str, str], str]:
    """One of a few words."""

    def read(option: str, text: str) -> str:
        if text not in choices:
            raise InvalidOption(option, text, "not_one_of", choices=choices)
        return text

    return read


def read_service(*kinds: str) -> Callable[[str, str], str]:
    """One of a few words, or the name of a service that was joined."""

    def read(option: str, text: str) -> str:
        # only then, because every cell with the option would read files otherwise
        known = kinds if text in kinds else (*kinds, *joined.names())
        return read_one_of(*known)(option, text)

    return read


def read_tags(option: str, text: str) -> tuple[str, ...]:
    """Tags with commas between."""
    tags = tuple(tag.strip() for tag in text.split(","))
    if not all(tags):
        raise InvalidOption(option, text, "empty_tag")
    return tags


def read_names(option: str, text: str) -> tuple[str, str]:
    """Two of the notebook's names."""
    names = [name.strip() for name in text.split(",")]
    if len(names) != 2 or not all(map(_can_be_named, names)) or names[0] == names[1]:
        raise InvalidOption(option, text, "not_two_names")
    return names[0], names[1]


def _can_be_named(name: str) -> bool:
    return name.isidentifier() and not iskeyword(name)


def read_budget_text(option: str, text: str) -> str:
    """A budget as it was typed, after a check that it can be read."""
    read_budget(text, option)
    return text


def read_budget(text: str, option: str = "budget") -> tuple[float | None, float | None]:
    """Read a budget: a length of time or an amount of US dollars.

    Returns
    -------
    tuple of (float or None, float or None)
        Seconds and dollars; one of them is None.

    Raises
    ------
    InvalidOption
        It is neither.
    """
    amount = re.fullmatch(r"\$(.*)|(.*?)\s*(?:\$|usd|dollars?)", text.strip(), re.IGNORECASE)
    if amount is None:
        if re.fullmatch(r"[\d.,]+", text.strip()):
            # IPython leaves as much of $20 on a line
            raise InvalidOption(option, text, "no_unit", example=f"${text}")
        try:
            return float(read_seconds(option, text)), None
        except InvalidOption as error:
            if error.problem != "not_a_duration":
                raise
            raise InvalidOption(option, text, "not_a_budget", example="$20") from None
    figure = (amount[1] or amount[2] or "").strip()
    # a comma parts thousands; where it might part cents, nothing is guessed
    plain = re.fullmatch(r"\d+(\.\d*)?|\.\d+|\d{1,3}(,\d{3})+(\.\d*)?", figure)
    dollars = float(figure.replace(",", "")) if plain else 0.0
    if dollars <= 0:
        raise InvalidOption(option, text, "not_an_amount", example="$20")
    return None, dollars
