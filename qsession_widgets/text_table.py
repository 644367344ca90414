"""Tables of text that fit the terminal: the one printer of every table and list of facts."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Collection, Sequence

BETWEEN = "  "
"""Space between two columns."""


def terminal_width() -> int | None:
    """Columns of the terminal, or of ``COLUMNS``; None where a program reads what is printed."""
    if not os.environ.get("COLUMNS") and not (sys.stdout and sys.stdout.isatty()):
        return None
    return shutil.get_terminal_size().columns


def text_table(
    rows: Sequence[Sequence[str]], *, right: Collection[int] = (), width: int | None = None
) -> str:
    """A table whose first row is its head.

    Parameters
    ----------
    rows : sequence of sequence of str
        The head and the other rows, all of one length.
    right : collection of int
        Columns that are aligned to the right.
    width : int, optional
        The most columns. Where the table is wider, each row is printed as a block: its first cell,
        and below it a line for each other cell that is not empty, with the head's word for it.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    if width is not None and sum(widths) + len(BETWEEN) * (len(widths) - 1) > width:
        head, *others = rows
        return "\n".join(_block(head, cells, width) for cells in others)
    return "\n".join(_line(cells, widths, right) for cells in rows)


def text_facts(
    facts: Sequence[tuple[str, str]], *, width: int | None = None, indent: int = 0, least: int = 0
) -> str:
    """Names and what stands behind them, one below the other; long ones go on below themselves.

    Parameters
    ----------
    facts : sequence of (str, str)
        The names and their values.
    width : int, optional
        The most columns; as many as a value needs, when not given.
    indent : int
        Columns to leave free on the left.
    least : int
        Columns that the names take at least.
    """
    column = max([least, *(len(name) for name, _ in facts)])
    lines = []
    for name, value in facts:
        start = f"{'':{indent}}{name:<{column}} "
        if width is None:
            lines.append(start + value)
            continue
        if len(start) + max(map(len, value.split()), default=0) > width:
            # an id is to be copied whole: below its name there is more room
            lines.append(start)
            start = " " * (indent + len(BETWEEN))
        lines.append(_wrapped(value, width, start))
    return "\n".join(line.rstrip() for line in lines)


def wrap(text: str, width: int | None) -> str:
    """A sentence in lines of a width; words that are longer, such as paths, stay whole."""
    return text if width is None else "\n".join(_wrapped(line, width) for line in text.split("\n"))


def _wrapped(text: str, width: int, start: str = "") -> str:
    return textwrap.fill(
        text,
        max(width, len(start) + 1),
        initial_indent=start,
        subsequent_indent=" " * len(start),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _block(head: Sequence[str], cells: Sequence[str], width: int) -> str:
    facts = [(name, text) for name, text in zip(head[1:], cells[1:], strict=True) if text]
    return "\n".join([cells[0], text_facts(facts, width=width, indent=len(BETWEEN))])


def _line(cells: Sequence[str], widths: Sequence[int], right: Collection[int]) -> str:
    padded = (
        f"{text:{'>' if at in right else '<'}{width}}"
        for at, (text, width) in enumerate(zip(cells, widths, strict=True))
    )
    return BETWEEN.join(padded).rstrip()
