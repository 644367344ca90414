"""Completion of the ``qsession`` command in a shell, by argcomplete where that is installed."""

from __future__ import annotations

import argparse

ASKS = "_ARGCOMPLETE"
"""The variable that a shell sets to ask what may come next."""


def complete(parser: argparse.ArgumentParser) -> None:
    """Answer the shell and leave; return where argcomplete is not installed.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The parser of the command line; that of the emulator's commands is put into it.
    """
    try:
        import argcomplete
    except ImportError:
        return
    from ..emulator.process.cli import build_parser as emulator_parser

    _commands(parser).update(_commands(emulator_parser()))
    argcomplete.autocomplete(parser, always_complete_options="long")


def _commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    below = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    found: dict[str, argparse.ArgumentParser] = next(below).choices
    return found
