"""Command lines as tables: what a parser of Python's knows, as it is typed, with its help."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from numpy_docstrings import inline

from qsession_widgets.emulator.options import add_arguments

Parser = argparse.ArgumentParser


def commands_below(parser: Parser, before: str = "qsession") -> dict[str, tuple[str, Parser]]:
    """Every command below a parser, with its help; those that only lead to others are left out."""
    found: dict[str, tuple[str, Parser]] = {}
    for action in parser._actions:
        if not isinstance(action, argparse._SubParsersAction):
            continue
        help = {choice.dest: choice.help or "" for choice in action._choices_actions}
        for name, below in action.choices.items():
            whole = f"{before} {name}"
            deeper = commands_below(below, whole)
            if deeper:
                found.update(deeper)
            elif below.add_help or name == "serve":
                found[whole] = (inline(help.get(name, "")), below)
    return found


def arguments_of(parser: Parser) -> list[tuple[str, str]]:
    """What a command takes, as it is typed, with its help."""
    rows = []
    for action in parser._actions:
        if isinstance(action, (argparse._HelpAction, argparse._SubParsersAction)):
            continue
        value = action.metavar or ("|".join(map(str, action.choices)) if action.choices else "")
        if action.option_strings:
            if not value and action.nargs != 0:
                value = action.dest.upper()
            typed = f"{action.option_strings[-1]} {value}".strip()
        else:
            typed = action.dest.upper()
            typed += " ..." if action.nargs in ("*", "+") else ""
            typed = f"[{typed}]" if action.nargs in ("?", "*") else typed
        rows.append((typed, inline(action.help or "")))
    return rows


def as_code(rows: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The same rows, with what is typed as code."""
    return [(f"`{typed}`", help) for typed, help in rows]


def emulator_parser() -> Parser:
    """What reads the options of an emulator."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser
