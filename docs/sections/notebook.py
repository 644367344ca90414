"""What is typed and set in a notebook: magics, options, settings, and JupyterLab."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

from numpy_docstrings import (
    inline,
    table,
)

import qsession_widgets
from qsession_widgets.discovery import fan_out
from qsession_widgets.magics import help_text, magics
from qsession_widgets.options import table as options

ROOT = Path(__file__).resolve().parents[2]


def magic_section() -> str:
    """``%%session``, ``%%batch`` and the actions of ``%session``."""
    above = [
        ("`%%session [options]`", "opens a session, or reuses the one that is open, and runs "
         "the cell in it"),
        ("`%%batch [options]`", "the same with a batch"),
    ]  # fmt: skip
    actions = [
        (f"`{' '.join(['%session', action.name, action.takes]).strip()}`", action.meaning)
        for action in help_text.ACTIONS
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
            "Any of these asks for the local emulator, and says how it is started when it does not "
            "run yet:",
            table(("option", ""), [row(option)[:2] for option in local]),
            "Of `%session list`, which asks every saved account and each instance that it reaches, "
            "and every emulator that runs, all at once; one that does not answer within "
            f"{fan_out.TIMEOUT:g} s is named below the table. `--account` looks at one account "
            "only, `--instance` at one instance:",
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
