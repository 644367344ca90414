"""Makes ``docs/reference.md`` and the man page from the docstrings and tables of the package.

``make reference`` runs it. With ``--check`` it writes nothing and says whether they are current.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from sections import emulator, man_page, notebook, python, terminal

from qsession_widgets.cli.examples import EXAMPLES
from qsession_widgets.emulator.process import examples as emulator_examples

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference.md"
MAN_PAGE = ROOT / "docs" / "qsession.1"
INTRODUCTION = """\
Everything there is to type, set or call, from the docstrings and tables of the code. `make
reference` makes this page; a test fails when it is not current. What the words mean and how a
session behaves is shown in the
[walkthroughs](https://github.com/qsession-widgets/qsession-widgets/tree/main/notebooks)
(`qsession tutorial` opens them)."""


def main() -> int:
    """Write the pages, or say whether they are current."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when it is old")
    check = parser.parse_args().check
    texts = {PAGE: page(), MAN_PAGE: man_page.man_page({**EXAMPLES, **emulator_examples.EXAMPLES})}
    for path, text in texts.items():
        if not check:
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            name = path.relative_to(ROOT).as_posix()
            print(f"{name} is not what the code says: run `make reference`.", file=sys.stderr)
            return 1
    return 0


def page() -> str:
    """The whole page."""
    sections = {
        "Magics": notebook.magic_section(),
        "Options": notebook.option_section(),
        "Settings": notebook.setting_section(),
        "JupyterLab": notebook.lab_section(),
        "Commands": terminal.command_section(),
        "Python": python.python_section(),
        "Snapshots": python.snapshot_section(),
        "Events": python.event_section(),
        "Errors": python.error_section(),
        "Emulator": emulator.emulator_section(),
        "Coverage": emulator.coverage_section(),
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


if __name__ == "__main__":
    sys.exit(main())
