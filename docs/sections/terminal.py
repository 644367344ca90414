"""The ``qsession`` command."""

from __future__ import annotations

from arguments import Parser, arguments_of, as_code, commands_below, emulator_parser
from numpy_docstrings import table

from qsession_widgets.cli.main import build_parser
from qsession_widgets.emulator.process import cli as emulator_cli


def command_section() -> str:
    """The ``qsession`` command and what it can do."""
    commands = {**commands_below(build_parser()), **commands_below(emulator_cli.build_parser())}
    shared = {name for name in commands if name.startswith("qsession emulator ")}
    blocks = _command_group({n: c for n, c in commands.items() if n not in shared})
    blocks += ["### qsession emulator", "The emulator that notebooks share."]
    blocks += _command_group({n: commands[n] for n in commands if n in shared}, level="####")
    return "\n\n".join(blocks)


def _command_group(commands: dict[str, tuple[str, Parser]], level: str = "###") -> list[str]:
    """Table of some commands, of the options most of them have, and of each one's own."""
    arguments = {name: arguments_of(parser) for name, (_, parser) in commands.items()}
    rows = [row for found in arguments.values() for row in found]
    common = [row for row in dict.fromkeys(rows) if rows.count(row) > len(commands) / 2]
    emulators = arguments_of(emulator_parser())
    usages = []
    for name, (help, _) in commands.items():
        places = "".join(f" {row[0]}" for row in arguments[name] if not row[0].startswith("-"))
        dashes = " [options] -- COMMAND ..." if name == "qsession run" else ""
        usages.append((f"`{name}{places}{dashes}`", help))
    blocks = [table(("command", ""), usages)]
    if common:
        blocks += ["Most of them take:", table(("option", ""), as_code(common))]
    for name, found in arguments.items():
        options = [row for row in found if row not in common and row[0].startswith("-")]
        own = [row for row in options if row not in emulators]
        if options:
            blocks.append(f"{level} {name}")
        if own:
            blocks.append(table(("option", ""), as_code(own)))
        if len(own) < len(options):
            blocks.append("Takes [the emulator's options](#options-of-the-emulator).")
    return blocks
