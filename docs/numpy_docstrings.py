"""Docstrings in numpy's style as Markdown: prose stays prose, sections become tables."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence
from typing import Any

SECTIONS = ("Parameters", "Attributes", "Returns", "Yields", "Raises", "Examples", "Notes")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Make a table; bars in cells are escaped, and a line break in one becomes a space."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in rows:
        cells = (" ".join(str(cell).split()).replace("|", r"\|") for cell in row)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def inline(text: str) -> str:
    """Turn what stands between backquotes, one or two, into code."""
    return re.sub(r"``(.+?)``|`([^`]+)`", lambda m: f"`{m[1] or m[2]}`", text, flags=re.S)


def code(names: str) -> str:
    """Turn names in a row into code, each by itself."""
    return ", ".join(f"`{name}`" for name in names.split(", "))


def first_sentence(thing: Any) -> str:
    """The first paragraph of a docstring, as one line."""
    prose = split(own_docstring(thing))[""]
    return inline(" ".join(prose.split("\n\n")[0].split()))


def own_docstring(thing: Any) -> str:
    """A docstring that was written for this very thing; empty for one it got from elsewhere."""
    written = vars(thing).get("__doc__") if isinstance(thing, type) else thing.__doc__
    return inspect.cleandoc(written or "")


def split(docstring: str) -> dict[str, str]:
    """Part a docstring into its sections, by title; the prose before them is under ``""``."""
    parts: dict[str, list[str]] = {"": []}
    current = parts[""]
    lines = docstring.splitlines()
    for number, line in enumerate(lines):
        following = lines[number + 1] if number + 1 < len(lines) else ""
        if line in SECTIONS and re.fullmatch(r"-{3,}", following):
            current = parts.setdefault(line, [])
        elif not (re.fullmatch(r"-{3,}", line) and number and lines[number - 1] in SECTIONS):
            current.append(line)
    return {title: "\n".join(lines).strip("\n") for title, lines in parts.items()}


def entries(section: str) -> list[tuple[str, str, str]]:
    """Read a section's entries, as name, type and meaning."""
    found: list[tuple[str, str, str]] = []
    for block in re.split(r"\n(?=\S)", section):
        head, _, meaning = block.partition("\n")
        name, _, kind = head.partition(" : ")
        found.append((name.strip(), kind.strip(), inline(inspect.cleandoc(meaning))))
    return found


def to_markdown(thing: Any) -> str:
    """Render the docstring of a function or class."""
    parts = split(own_docstring(thing))
    blocks = [inline(parts.pop(""))]
    for title, text in parts.items():
        if title in ("Parameters", "Attributes"):
            named = [(code(name), inline(kind), meaning) for name, kind, meaning in entries(text)]
            if any(kind for _, kind, _ in named):
                head = ("parameter" if title == "Parameters" else "attribute", "type", "")
                blocks.append(table(head, named))
            else:
                blocks.append(table(("attribute", ""), [(n, m) for n, _, m in named]))
        elif title in ("Returns", "Yields", "Raises"):
            found = entries(text)
            said = [f"`{name}`: {meaning}" if meaning else name for name, _, meaning in found]
            blocks.append(
                f"{title}:\n\n" + "\n".join(f"* {' '.join(line.split())}" for line in said)
            )
        elif title == "Examples":
            blocks.append(f"```python\n{inspect.cleandoc(text)}\n```")
        else:
            blocks.append(inline(text))
    return "\n\n".join(filter(None, blocks))
