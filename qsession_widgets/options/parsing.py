"""Reads a magic's line, or Python's arguments, into options."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from ..client.selection import KINDS
from ..errors import InvalidOption, UserError
from ..explanations import nearest
from .open_options import Mode, OpenOptions
from .table import OPEN_OPTIONS, Option

# in a path of Windows' a backslash parts folders
ESCAPE = "" if os.sep == "\\" else "\\"


def split(line: str, escape: str = ESCAPE) -> list[str]:
    """Split a magic's line as a shell would.

    Parameters
    ----------
    line : str
        The line.
    escape : str
        What takes its meaning from the character behind it; empty for nothing.

    Raises
    ------
    UserError
        A quotation mark has no partner, or a variable that the line names has no value.
    """
    lexer = shlex.shlex(line, posix=True)
    lexer.whitespace_split = True
    lexer.escape = escape
    try:
        words = list(lexer)
    except ValueError:
        raise UserError(
            # without the line, in which a key may stand
            "A quotation mark has no partner in this line: add the one that is missing."
        ) from None
    for word in words:
        # IPython has put in the values of those that it knows
        if missing := re.search(r"\{(\w+)\}|\$([A-Za-z_]\w*)", word):
            raise UserError(
                f"There is no variable {missing[1] or missing[2]!r}, whose value {missing[0]} "
                "stands for: define it in a cell before this one, or write the value itself."
            )
    return words


def parse_open(
    line: str, *, mode: Mode = "dedicated", defaults: Mapping[str, str] | None = None
) -> OpenOptions:
    """Read the options of a ``%%session`` or ``%%batch`` line.

    Parameters
    ----------
    line : str
        What follows the magic's name.
    mode : {"dedicated", "batch"}
        Which magic it is.
    defaults : mapping, optional
        Values by flag for what the line does not say, as they would be typed.

    Raises
    ------
    UserError
        An option that does not exist, one without its value, or a value that makes no sense.
    """
    magic = "%%batch" if mode == "batch" else "%%session"
    typed = read_flags(split(line), OPEN_OPTIONS, magic)
    return build(typed, mode=mode, defaults=defaults)


def build(
    typed: Mapping[str, str],
    *,
    mode: Mode = "dedicated",
    defaults: Mapping[str, str] | None = None,
) -> OpenOptions:
    """Options from values by flag, as they would be typed; see `parse_open` for errors."""
    values: dict[str, Any] = {"mode": mode}
    local: dict[str, Any] = {}
    simulation: dict[str, Any] = {}
    parts = {"": values, "local": local, "simulation": simulation}
    known = {**(defaults or {}), **typed}
    for option in OPEN_OPTIONS:
        if option.flag not in known:
            continue
        value = option.read(option.name, known[option.flag])
        owner, _, name = option.field.rpartition(".")
        parts[owner][name] = value
    service = values.get("service", "auto")
    emulated = [*local, *(simulation if service in KINDS else ())]
    if emulated and service not in ("auto", "local"):
        names = ",".join("local-" + name.replace("_", "-") for name in emulated)
        raise InvalidOption(names, None, "for_emulator")
    if emulated:
        # who rehearses must not end up on a device because an account is saved
        values["service"] = "local"
    elsewhere = [name for name in ("instance", "account") if f"--{name}" in typed]
    if elsewhere and values.get("service", "auto") not in ("auto", "ibm"):
        raise InvalidOption(",".join(elsewhere), None, "for_ibm")
    given = frozenset(option.field for option in OPEN_OPTIONS if option.flag in typed)
    return OpenOptions(local=local, simulation=simulation, given=given, **values)


def make(**given: Any) -> OpenOptions:
    """Options from values of Python's, checked like typed ones; None means left out.

    Raises
    ------
    UserError
        A value makes no sense.
    """
    mode = given.pop("mode", "dedicated")
    if mode not in ("dedicated", "batch"):
        raise UserError(f"mode {mode!r} does not exist: choose dedicated or batch.")
    typed = {}
    for option in OPEN_OPTIONS:
        value = given.get(option.field)
        if value is None or value is False or value == "" or value == ():
            continue
        if option.field == "tags" and not isinstance(value, str):
            value = ",".join(value)
        typed[option.flag] = str(value)
    if not isinstance(given.get("backend"), (str, type(None))):
        raise UserError(
            "backend is a name, such as 'ibm_fez' or 'fake_fez', not "
            f"a {type(given['backend']).__name__}."
        )
    local = dict(given.pop("local", None) or {})
    service = given.get("service") or "auto"
    if local and service not in ("auto", "local"):
        raise UserError(
            f"emulator_options are for the local emulator: leave out service={service!r}."
        )
    try:
        local = _check_local(local)
        made = build(typed, mode=mode)
    except InvalidOption as error:
        raise error.spelled("python") from None
    if not local:
        return made
    # which of them are the session's own, and not the emulator's
    own = {
        option.field.partition(".")[2]
        for option in OPEN_OPTIONS
        if option.field.startswith("simulation.")
    }
    simulation = {name: value for name, value in local.items() if name in own}
    local = {name: value for name, value in local.items() if name not in own}
    return replace(made, local=local, simulation=simulation, service="local")


def _check_local(given: dict[str, Any]) -> dict[str, Any]:
    """Options of the emulator, once each was found to be one; texts are read as typed ones."""
    from ..emulator.options import EmulatorOptions

    known = [*(item.name for item in fields(EmulatorOptions)), "name"]
    typed = {option.field.rpartition(".")[2]: option for option in OPEN_OPTIONS}
    checked = {}
    for name, value in given.items():
        if name not in known:
            close = nearest(name, known)
            raise UserError(
                f"The emulator has no option {name!r}: "
                + (f"did you mean {close}?" if close else f"there are {', '.join(known)}.")
            )
        option = typed.get(name)
        reads = option is not None and isinstance(value, str)
        checked[name] = option.read(option.name, value) if option and reads else value
    return checked


def read_flags(words: list[str], options: tuple[Option, ...], magic: str) -> dict[str, str]:
    """The text after each flag; empty after one that takes no value.

    Raises
    ------
    UserError
        A flag that does not exist, or is given twice, or lacks its value.
    """
    known = {option.flag: option for option in options}
    values: dict[str, str] = {}
    rest = list(words)
    before = ""
    while rest:
        word = rest.pop(0)
        flag, equals, value = word.partition("=")
        if flag not in known:
            raise UserError(_unknown(word, flag, options, before, magic))
        if flag in values:
            raise UserError(f"{flag} is given twice: once is enough.")
        option = known[flag]
        if not option.value:
            if equals:
                raise UserError(f"{flag} takes no value: leave {value!r} out.")
        elif not equals and option.value_optional:
            if rest and rest[0] and not rest[0].startswith("--"):
                value = rest.pop(0)
        elif not equals:
            if not rest or not rest[0] or rest[0].startswith("--"):
                raise UserError(f"{flag} needs a value: {flag} {option.value}.")
            value = rest.pop(0)
        values[flag] = value
        before = flag if option.value else ""
    return values


def _unknown(word: str, flag: str, options: tuple[Option, ...], before: str, magic: str) -> str:
    """A sentence about a word that is no option, nor the value of one."""
    flags = [option.flag for option in options]
    named = "--" + flag.lstrip("-").replace("_", "-")
    if word in ("-h", "--help"):
        return f"{magic} has no option {word}: %session help explains all there is."
    if word.startswith("-"):
        close = named if named in flags else nearest(flag, flags)
        end = f": did you mean {close}?" if close else "."
        return f"{magic} has no option {flag}{end} %session help lists them."
    if named in flags:
        return f"{magic} does not know {word!r}: did you mean --{word}?"
    if before:
        return (
            f"{magic} does not know {word!r}, which follows the value of {before}: a value with a "
            f"space in it stands in quotation marks. %session help lists the options."
        )
    example = next((option for option in options if option.flag == "--backend"), options[0])
    return (
        f"{magic} does not know {word!r}: it takes options only, such as {example.flag} "
        f"{word if example.value == 'NAME' else example.value}. %session help lists them."
    )
