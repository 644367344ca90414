"""Examples at the end of a command's ``--help``."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping

Examples = Mapping[str, tuple[tuple[str, str], ...]]
"""Command lines by command, as ``qsession close``: what is typed, and what it does."""


def add_examples(parser: argparse.ArgumentParser, examples: Examples) -> None:
    """Show each command's examples at the end of its help.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The parser of the whole command line; those of its commands are found below it.
    examples : mapping
        The examples of each command.
    """
    for command in with_those_below(parser):
        lines = examples.get(command.prog, ())
        if lines:
            widest = max(len(line) for line, _ in lines)
            shown = (f"  {line:<{widest}}  {meaning}".rstrip() for line, meaning in lines)
            command.epilog = "\n".join(["examples:", *shown])
            command.formatter_class = argparse.RawDescriptionHelpFormatter


def with_those_below(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Yield a parser and those of all its commands."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from with_those_below(below)
