"""CommandParser of the ``qsession`` command: no abbreviations, and errors of one sentence."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING, Any, NoReturn

from ..explanations import nearest

if TYPE_CHECKING:
    pass


class CommandParser(argparse.ArgumentParser):
    """Reads a command line, and says in one sentence what is wrong with it."""

    def __init__(self, **kwargs: Any):
        # the beginning of a word is not enough for what ends sessions
        super().__init__(**{"allow_abbrev": False, **kwargs})

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Name an unknown option before argparse misses what its right name would have given."""
        for word in args or ():
            if word == "--" or (self._subparsers and not word.startswith("-")):
                break
            if word.startswith("--") and word.partition("=")[0] not in self._option_string_actions:
                self.error(f"there is nothing to do with {word}")
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Say it, and exit with status 2."""
        self.exit(2, f"{self._said(message)} {self.prog} --help lists what there is.\n")

    def _said(self, message: str) -> str:
        """Argparse's message about a command, as a sentence that offers what may be meant."""
        if chosen := re.search(r"invalid choice: '(.*?)' \(choose from (.*)\)", message):
            known = [word.strip(" '") for word in chosen[2].split(",")]
            close = nearest(chosen[1], known)
            offer = f"did you mean {close}?" if close else f"choose one of {', '.join(known)}."
            what = "is no action" if "ACTION" in message else "does not exist"
            return f"{chosen[1]!r} {what}: {offer}"
        if found := re.match(r"there is nothing to do with (-[^\s=]+)", message):
            close = nearest(found[1], list(self._option_string_actions))
            return f"There is no option {found[1]}" + (f": did you mean {close}?" if close else ".")
        if missing := re.search(r"are required: (.*)", message):
            return f"{self.prog} needs to know which: {self.prog} {missing[1].upper()}."
        if either := re.match(r"one of the arguments (--\w+) id is required", message):
            return f"{self.prog} needs to know which: {self.prog} ID, or {either[1]}."
        return f"{message[:1].upper()}{message[1:]}."
