"""The man page of the ``qsession`` command, from the same parsers as its help."""

from __future__ import annotations

import re

from arguments import Parser, arguments_of, commands_below, emulator_parser

from qsession_widgets.cli.main import build_parser
from qsession_widgets.command_help import Examples
from qsession_widgets.emulator.process import cli as emulator_cli

HEAD = """\
.\\" Made by `make reference`.
.TH QSESSION 1 "" qsession-widgets
.SH NAME
qsession \\- Qiskit Runtime sessions from a terminal, and an emulator of the service
.SH SYNOPSIS
.B qsession
.I ACTION
[options]
.SH DESCRIPTION
Sessions and batches of every saved IBM account and of this machine's emulators: what is open, what
it costs, and its end. Programs run against an emulator of their own without an account."""

TAIL = """\
.SH EXIT STATUS
0 when all went well; 1 when something did not, which a sentence on standard error explains; 2 when
the command could not be read. That of the command for
.BR "qsession run" .
.SH ENVIRONMENT
.TP
.B QISKIT_IBM_TOKEN
The key of an account that is not saved.
.TP
.B JUPYTER_RUNTIME_DIR
Where sessions, runs and emulators are recorded.
.TP
.B COLUMNS
The width that tables are made to fit.
.SH SEE ALSO
https://qsession-widgets.github.io/qsession-widgets/"""


def man_page(examples: Examples) -> str:
    """The page, in the language of troff.

    Parameters
    ----------
    examples : mapping
        Examples of each command.
    """
    commands = {**commands_below(build_parser()), **commands_below(emulator_cli.build_parser())}
    emulators = arguments_of(emulator_parser())
    parts = [HEAD, ".SH COMMANDS"]
    for name, (_, parser) in commands.items():
        parts += _command(name, parser, emulators, examples.get(name, ()))
    parts += [".SH OPTIONS OF THE EMULATOR", *map(_item, emulators), TAIL]
    return "\n".join(parts) + "\n"


def _command(
    name: str, parser: Parser, emulators: list[tuple[str, str]], examples: Examples
) -> list[str]:
    found = arguments_of(parser)
    own = [row for row in found if row not in emulators]
    places = "".join(f" {typed}" for typed, _ in found if not typed.startswith("-"))
    dashes = " [options] -- COMMAND ..." if name == "qsession run" else ""
    lines = [f".SS {_text(name + places + dashes)}", _text(parser.description or "")]
    lines += [_item(row) for row in own]
    if len(own) < len(found):
        lines += [".P", "Takes the options of the emulator, below."]
    for typed, meaning in examples:
        lines += [".P", f".EX\n    {_text(typed)}\n.EE", f".RS 8\n{_text(meaning)}.\n.RE"]
    return [line for line in lines if line]


def _item(row: tuple[str, str]) -> str:
    typed, meaning = row
    return f".TP\n.B {_text(typed)}\n{_text(meaning)}"


def _text(text: str) -> str:
    """Text as troff reads it: nothing in it is a command, and hyphens can be copied."""
    plain = re.sub(r"`([^`]+)`", r"\1", text).replace("\\", r"\e").replace("-", r"\-")
    return re.sub(r"(?m)^(?=[.'])", r"\\&", plain)
