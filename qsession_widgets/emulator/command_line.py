"""Parsing of the emulator's command lines: durations, and errors of one sentence."""

from __future__ import annotations

import argparse
import contextlib
import difflib
import re
from typing import Any, NoReturn

_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "": 1.0}
_PART = r"(\d+\.?\d*|\.\d+)\s*(days?|hours?|minutes?|mins?|seconds?|secs?|[dhms]|)\s*"


def duration(text: str) -> float:
    """Read a duration of a command line, in seconds: ``90``, ``1.5h``, ``"2m 30s"``.

    Raises
    ------
    argparse.ArgumentTypeError
        It is none.
    """
    word = text.strip().lower()
    with contextlib.suppress(ValueError):
        return float(word)
    parts = re.findall(_PART, word) if re.fullmatch(f"(?:{_PART})+", word) else []
    if not parts or (len(parts) > 1 and not all(unit for _, unit in parts)):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no duration: write seconds (90), or days, hours, minutes and seconds "
            '(1h, 45m, "2m 30s")'
        )
    return sum(float(number) * _UNITS[unit[:1]] for number, unit in parts)


class EmulatorParser(argparse.ArgumentParser):
    """Reads a command line, and says in one sentence what is wrong with it."""

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            known = list(map(str, action.choices))
            raise argparse.ArgumentError(None, f"there is no {value}: {offer(str(value), known)}")

    def nearest_option(self, word: str) -> str:
        """A question for the option that may be meant, with its beginning; empty without one."""
        close = difflib.get_close_matches(word.partition("=")[0], self._option_string_actions, 1)
        return f": did you mean {close[0]}?" if close else ""

    def error(self, message: str) -> NoReturn:
        """Say it, and exit with status 2."""
        text = f"{message[:1].upper()}{message[1:]}"
        end = "" if text.endswith("?") else "."
        self.exit(2, f"{text}{end} {self.prog} --help lists what there is.\n")


def offer(word: str, known: list[str]) -> str:
    """The name that may be meant, as a question, or all there are."""
    begun = [name for name in known if name.startswith(word)]
    close = begun if len(begun) == 1 else difflib.get_close_matches(word, known, 1)
    return f"did you mean {close[0]}?" if close else f"choose one of {', '.join(known)}"
