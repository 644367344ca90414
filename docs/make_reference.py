"""Makes ``docs/reference.md`` from the docstrings and tables of the package.

``make reference`` runs it. With ``--check`` it writes nothing and says whether the page is current.
"""

from __future__ import annotations

import argparse
import inspect
import json
import re
import sys
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from numpy_docstrings import (
    code,
    entries,
    first_sentence,
    inline,
    own_docstring,
    split,
    table,
    to_markdown,
)

import qsession_widgets
from qsession_widgets import advice, cli, events, live, magics, options, snapshot, usage
from qsession_widgets.durations import words
from qsession_widgets.emulator import cli as emulator_cli
from qsession_widgets.emulator import faults, queue, records
from qsession_widgets.emulator import options as emulator_options
from qsession_widgets.emulator.api import coverage

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference.md"
INTRODUCTION = """\
Everything there is to type, set or call, from the docstrings and tables of the code. `make
reference` makes this page; a test fails when it is not current. What the words mean and how a
session behaves is shown in the
[walkthroughs](https://github.com/qsession-widgets/qsession-widgets/tree/main/notebooks)
(`qsession tutorial` opens them)."""

Parser = argparse.ArgumentParser


def main() -> int:
    """Write the page, or say whether it is current."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when it is old")
    check = parser.parse_args().check
    text = page()
    if not check:
        PAGE.write_text(text, encoding="utf-8")
        return 0
    if not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != text:
        print("docs/reference.md is not what the code says: run `make reference`.", file=sys.stderr)
        return 1
    return 0


def page() -> str:
    """The whole page."""
    sections = {
        "Magics": magic_section(),
        "Options": option_section(),
        "Settings": setting_section(),
        "JupyterLab": lab_section(),
        "Commands": command_section(),
        "Python": python_section(),
        "Snapshots": snapshot_section(),
        "Events": event_section(),
        "Errors": error_section(),
        "Emulator": emulator_section(),
        "Coverage": coverage_section(),
    }
    contents = []
    for title, text in sections.items():
        contents.append(f"* [{title}](#{anchor(title)})")
        below = re.findall(r"^### (.+)$", text, re.M)
        if below:
            links = (f"[{name}](#{anchor(name)})" for name in below)
            contents[-1] += ": " + " · ".join(links)
    body = "\n\n".join(f"## {title}\n\n{text}" for title, text in sections.items())
    return f"# Reference\n\n{INTRODUCTION}\n\n" + "\n".join(contents) + f"\n\n{body}\n"


def anchor(title: str) -> str:
    """The address that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


# -------------------------------------------------------------------------------------------------
# In a notebook


def magic_section() -> str:
    """``%%session``, ``%%batch`` and the actions of ``%session``."""
    above = [
        ("`%%session [options]`", "opens a session, or goes on in the one that is open, and runs "
         "the cell in it"),
        ("`%%batch [options]`", "the same with a batch"),
    ]  # fmt: skip
    actions = [
        (f"`{' '.join(['%session', action.name, action.takes]).strip()}`", action.meaning)
        for action in usage.ACTIONS
    ]
    return "\n\n".join(
        [
            "`%load_ext qsession_widgets` adds them to a notebook. Above a cell:",
            table(("magic", ""), above),
            "On a line of its own:",
            table(("magic", ""), actions),
        ]
    )


def option_section() -> str:
    """The options of ``%%session`` and ``%%batch``."""
    remote = [option for option in options.OPEN_OPTIONS if not option.field.startswith("local.")]
    local = [option for option in options.OPEN_OPTIONS if option not in remote]
    known = inspect.signature(qsession_widgets.open_session).parameters

    def row(option: options.Option) -> tuple[str, str, str]:
        keyword = option.field if option.field in known else ""
        typed = f"{option.flag} {option.value}".strip()
        return f"`{typed}`", option.meaning, keyword and f"`{keyword}`"

    return "\n\n".join(
        [
            "Of `%%session` and `%%batch`; `%session attach` takes those that make sense for a "
            "session that is open already.",
            table(("option", "", "in `open_session`"), map(row, remote)),
            "How the local emulator is started when the session needs it and it does not run yet:",
            table(("option", ""), [row(option)[:2] for option in local]),
            "Of `%session list`:",
            table(("option", ""), [row(option)[:2] for option in options.LIST_OPTIONS]),
        ]
    )


def setting_section() -> str:
    """The configurable traits."""
    traits = magics.SessionMagics.class_traits(config=True)
    rows = [
        (f"`SessionMagics.{name}`", type(trait).__name__, inline(trait.help))
        for name, trait in sorted(traits.items())
        if trait.this_class.__module__.startswith("qsession_widgets")
    ]
    return "\n\n".join(
        [
            "Defaults of the options, for one notebook with `%config SessionMagics.backend = "
            '"fake_fez"`, or for all of them with `c.SessionMagics.backend = "fake_fez"` in '
            "`ipython_config.py`. A value is what would be typed after the option; empty stands "
            "for none.",
            table(("setting", "type", ""), rows),
        ]
    )


def lab_section() -> str:
    """The settings and commands of the JupyterLab extension."""
    schema = json.loads((ROOT / "js" / "schema" / "plugin.json").read_text(encoding="utf-8"))
    settings = [
        (f"`{name}`", item["title"], item["description"], f"`{json.dumps(item['default'])}`")
        for name, item in schema["properties"].items()
    ]
    menu = schema["jupyter.lab.menus"]["main"][0]["items"][-1]["submenu"]
    commands = [f"`{item['command']}`" for item in menu["items"] if "command" in item]
    return "\n\n".join(
        [
            f"{schema['description']} Settings, under *Settings → Settings Editor → "
            f"{schema['title']}*:",
            table(("setting", "", "", "default"), settings),
            f"Commands, in the palette under *{schema['title']}* and in the menu *Kernel → "
            f"{menu['label']}*, to give shortcuts to: {', '.join(commands)}.",
        ]
    )


# -------------------------------------------------------------------------------------------------
# In a terminal


def command_section() -> str:
    """The ``qsession`` command and what it can do."""
    commands = {**_commands(cli.build_parser()), **_commands(emulator_cli._parser())}
    shared = {name for name in commands if name.startswith("qsession emulator ")}
    blocks = _command_group({n: c for n, c in commands.items() if n not in shared})
    blocks += ["### qsession emulator", "The emulator that notebooks share."]
    blocks += _command_group({n: commands[n] for n in commands if n in shared}, level="####")
    return "\n\n".join(blocks)


def _command_group(commands: dict[str, tuple[str, Parser]], level: str = "###") -> list[str]:
    """Table of some commands, of the options most of them have, and of each one's own."""
    arguments = {name: _arguments(parser) for name, (_, parser) in commands.items()}
    rows = [row for found in arguments.values() for row in found]
    common = [row for row in dict.fromkeys(rows) if rows.count(row) > len(commands) / 2]
    emulators = _arguments(_emulator_parser())
    usages = []
    for name, (help, _) in commands.items():
        places = "".join(f" {row[0]}" for row in arguments[name] if not row[0].startswith("-"))
        dashes = " [options] -- COMMAND ..." if name == "qsession run" else ""
        usages.append((f"`{name}{places}{dashes}`", help))
    blocks = [table(("command", ""), usages)]
    if common:
        blocks += ["Most of them take:", table(("option", ""), _as_code(common))]
    for name, found in arguments.items():
        options = [row for row in found if row not in common and row[0].startswith("-")]
        own = [row for row in options if row not in emulators]
        if options:
            blocks.append(f"{level} {name}")
        if own:
            blocks.append(table(("option", ""), _as_code(own)))
        if len(own) < len(options):
            blocks.append("Takes [the emulator's options](#options-of-the-emulator).")
    return blocks


def _commands(parser: Parser, before: str = "qsession") -> dict[str, tuple[str, Parser]]:
    """Every command below a parser, with its help; those that only lead to others are left out."""
    found: dict[str, tuple[str, Parser]] = {}
    for action in parser._actions:
        if not isinstance(action, argparse._SubParsersAction):
            continue
        help = {choice.dest: choice.help or "" for choice in action._choices_actions}
        for name, below in action.choices.items():
            whole = f"{before} {name}"
            deeper = _commands(below, whole)
            if deeper:
                found.update(deeper)
            elif below.add_help or name == "serve":
                found[whole] = (inline(help.get(name, "")), below)
    return found


def _arguments(parser: Parser) -> list[tuple[str, str]]:
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
            typed = f"[{typed}]" if action.nargs == "?" else typed
        rows.append((typed, inline(action.help or "")))
    return rows


def _as_code(rows: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(f"`{typed}`", help) for typed, help in rows]


def _emulator_parser() -> Parser:
    parser = argparse.ArgumentParser()
    emulator_options.add_arguments(parser)
    return parser


# -------------------------------------------------------------------------------------------------
# In Python


def python_section() -> str:
    """The public names, and what a session can do."""
    blocks = ["`from qsession_widgets import …`"]
    for name in sorted(qsession_widgets.__all__, key=str.lower):
        thing = getattr(qsession_widgets, name)
        if name == "__version__" or thing is snapshot.SessionSnapshot:
            continue
        blocks.append(f"### {name}")
        blocks += _class(thing) if isinstance(thing, type) else _function(name, thing)
    blocks += [
        "### Session and Batch",
        "What `open_session` gives back, and what a notebook finds under `session`: the client "
        "library's own classes, to be passed as `mode` like them, with these besides.",
        _members(live._Watched),
    ]
    return "\n\n".join(blocks)


def snapshot_section() -> str:
    """What is known of a session, and what is derived from it."""
    functions = [
        snapshot.interactive_timeout,
        snapshot.maximum_time,
        snapshot.empty_timeout,
        snapshot.idle_timeout,
        snapshot.usage,
    ]
    blocks = [
        "`session.snapshot` is what is known of a session at one moment. All times are seconds "
        "since the epoch on the service's clock, all durations seconds.",
    ]
    for kind in (snapshot.SessionSnapshot, snapshot.JobRecord, snapshot.ServiceInfo):
        blocks += [f"### {kind.__name__}", *_class(kind)]
    blocks += [
        "### Derived numbers",
        "In `qsession_widgets.snapshot`; `now` is a time on the service's clock.",
    ]
    for function in functions:
        blocks += _function(function.__name__, function)
    for kind in (snapshot.Countdown, snapshot.Usage):
        blocks += [f"#### {kind.__name__}", *_class(kind)]
    return "\n\n".join(blocks)


def _function(name: str, thing: Any) -> list[str]:
    return [f"```python\n{_signature(name, thing)}\n```", to_markdown(thing)]


def _signature(name: str, thing: Any) -> str:
    signature = inspect.signature(thing)
    words, star = [], False
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not star:
            star = True
            words.append("*")
        default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
        words.append(f"{parameter.name}: {parameter.annotation}{default}")
    line = f"{name}({', '.join(words)}) -> {signature.return_annotation}"
    if len(line) <= 90:
        return line
    rows = [f"    {word}," for word in words]
    return "\n".join([f"{name}(", *rows, f") -> {signature.return_annotation}"])


def _class(kind: type) -> list[str]:
    members = _members(kind)
    return [to_markdown(kind), *([members] if members else [])]


def _members(kind: type) -> str:
    """Table of a class's own public methods and properties."""
    rows = []
    for name, member in vars(kind).items():
        if name.startswith("_"):
            continue
        if isinstance(member, property):
            rows.append((f"`{name}`", first_sentence(member.fget)))
        elif isinstance(member, (classmethod, staticmethod)):
            rows.append((f"`{name}{_call(member.__func__)}`", first_sentence(member.__func__)))
        elif inspect.isfunction(member):
            rows.append((f"`{name}{_call(member)}`", first_sentence(member)))
    return table(("member", ""), rows) if rows else ""


def _call(function: Any) -> str:
    names = list(inspect.signature(function).parameters)[1:]
    return f"({', '.join(names)})"


# -------------------------------------------------------------------------------------------------
# What goes wrong


def error_section() -> str:
    """The service's codes and the client's exceptions with advice, and how sessions end."""

    def meaning(known: advice.Advice) -> tuple[str, str]:
        return f"{known.what}.", known.do

    codes = [(f"`{code}`", *meaning(known)) for code, known in sorted(advice.ADVICE.items())]
    statuses = [
        f"`{status}` as {next(code for code, other in advice.ADVICE.items() if other is known)}"
        for status, known in sorted(advice.STATUSES.items())
    ]
    raised = [(f"`{name}`", *meaning(known)) for name, known in sorted(advice.EXCEPTIONS.items())]
    ends = [(f"`{reason}`", how) for reason, how in events.ENDS.items()]
    return "\n\n".join(
        [
            "A cell, the panel or a command says one sentence in place of a traceback, with the "
            "service's own words and its trace id below. From Python it is a `UserError`.",
            "### Codes",
            table(("code", "what happened", "what to do"), codes),
            f"An answer without a code is read by its HTTP status: {', '.join(statuses)}.",
            "### Exceptions of the client library",
            table(("exception", "what happened", "what to do"), raised),
            "### How sessions end",
            table(("the service's `state_reason`", "in words"), ends),
        ]
    )


def event_section() -> str:
    """What `--events` writes, and what is told as text."""
    return "\n\n".join(
        [
            "What happens to a session, told as lines of text where no page shows the panel, and "
            "as one JSON object a line in the file that `--events PATH` names. Form "
            f"{events.SCHEMA}.",
            table(("`event`", ""), ((f"`{kind}`", what) for kind, what in events.KINDS.items())),
            "### Fields of an event",
            table(("field", ""), ((f"`{name}`", what) for name, what in events.FIELDS.items())),
        ]
    )


# -------------------------------------------------------------------------------------------------
# The emulator


def emulator_section() -> str:
    """Options, plans, queue and faults of the local emulator."""
    plans = [
        (
            f"`{plan.name}`",
            "yes" if plan.sessions else "refused with 1352",
            words(plan.interactive_ttl),
            words(plan.max_ttl),
            words(plan.max_execution_time),
            f"${plan.price_per_second:.2f}" if plan.price_per_second else "free",
        )
        for plan in records.PLANS.values()
    ]
    head = (
        "plan",
        "sessions",
        "interactive timeout",
        "longest maximum time",
        "longest job",
        "a second",
    )
    return "\n\n".join(
        [
            "A service on this machine that speaks the Qiskit Runtime REST API to the unmodified "
            "client. Notebooks start it when they need it, `qsession emulator start` starts it by "
            "hand, and `qsession run -- python script.py` gives a program one of its own.",
            "### Options of the emulator",
            table(("option", ""), _as_code(_arguments(_emulator_parser()))),
            "### Plans",
            table(head, plans),
            "### The queue of other users",
            "`--queue 120` makes a job wait two minutes; `--queue wait=120,users=5,sessions=0.1` "
            "says more:",
            _values(queue.Crowd),
            "### Faults",
            "An emulator started with `--faults` makes requests fail on demand: `POST "
            "/emulator/v1/faults` takes a JSON object with these.",
            _values(faults.Fault),
        ]
    )  # fmt: skip


def _values(kind: Any) -> str:
    """Table of a dataclass's fields with their defaults and meanings."""
    defaults = {item.name: f"`{item.default!r}`" for item in fields(kind)}
    rows = []
    for names, _, meaning in entries(split(own_docstring(kind))["Attributes"]):
        shown = dict.fromkeys(defaults[name] for name in names.split(", "))
        rows.append((code(names), " ".join(shown).replace("`None`", ""), meaning))
    return table(("name", "default", ""), rows)


def coverage_section() -> str:
    """What of the service's API the emulator has; the whole list is a page of its own."""
    text = coverage.FILE.read_text(encoding="utf-8")
    calls = re.findall(r"^\| (`[A-Z]+ /[^|]*`) \| (yes|no) \| (.*?) ?\|$", text, re.M)
    done = sum(answer == "yes" for _, answer, _ in calls)
    missing = [(call, remark) for call, answer, remark in calls if answer == "no"]
    special = [(call, remark) for call, answer, remark in calls if answer == "yes" and remark]
    return "\n\n".join(
        [
            f"The emulator answers {done} of the {len(calls)} calls of the service's REST API; "
            "[COVERAGE.md](../qsession_widgets/emulator/COVERAGE.md) lists them all. It does not "
            "answer:",
            table(("call", "why"), missing),
            "It answers in its own way:",
            table(("call", "how"), special),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
