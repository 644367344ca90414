"""Write a session down: snapshot as JSON, jobs and series as CSV, receipt as HTML, a figure."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from html import escape
from pathlib import Path

from ..errors import UserError
from ..explanations import nearest
from ..model import JobRecord, SessionSnapshot
from .figures import JOB_FIGURES, written, written_job
from .objective import COLUMNS

MOST_BYTES = 10_000_000
"""The most a page that is exported may weigh."""


def export(snapshot: SessionSnapshot, now: float, path: str | Path) -> list[Path]:
    """Write a snapshot into a file; its ending says how.

    Parameters
    ----------
    snapshot : SessionSnapshot
        The session.
    now : float
        Service clock.
    path : str or Path
        Ends in ``.json``, ``.csv``, ``.html``, ``.svg``, ``.pdf`` or ``.png``; ``~`` is the home
        folder. A file that is there is replaced. JSON has what `receipt.to_json` gives; HTML the
        receipt with all jobs; CSV the jobs, each with ``queued`` and ``ran`` in seconds and its
        ``cost`` of QPU time in US dollars; values of series go into a second file beside it,
        ``x_metrics.csv`` for ``x.csv``. Times are in ISO 8601 with their zone.

    Returns
    -------
    list of Path
        The files that were written.

    Raises
    ------
    UserError
        Another ending, a path that cannot be written, or a PDF or PNG without matplotlib.
    """
    files = contents(snapshot, now, Path(path).expanduser())
    for file, content in files.items():
        _write(file, content)
    return list(files)


def contents(snapshot: SessionSnapshot, now: float, target: Path) -> dict[Path, bytes]:
    """The files that `export` writes, and what is in them.

    Raises
    ------
    UserError
        Another ending, or a PDF or PNG without matplotlib.
    """
    make = _FORMATS.get(target.suffix.lower())
    if make is None:
        close = nearest(target.suffix, list(_FORMATS), limit=1)
        raise UserError(
            f"Cannot export to {target.name!r}: end it in {', '.join(_FORMATS)}."
            + (f" Did you mean {target.stem}{close}?" if close else "")
        )
    files = {target: make(snapshot, now)}
    if target.suffix.lower() == ".csv" and snapshot.points:
        beside = target.with_name(f"{target.stem}_metrics{target.suffix}")
        files[beside] = _table(COLUMNS, written(snapshot)["points"])
    return files


def _write(target: Path, content: bytes) -> None:
    part = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        # never half a file where a whole one was
        part.write_bytes(content)
        part.replace(target)
    except OSError as error:
        # below a file there is none either, and that is another error
        with contextlib.suppress(OSError):
            part.unlink()
        raise UserError(
            f"Cannot write {target}: {error.strerror or error}. Name a folder that exists and may "
            "be written."
        ) from None


def _json(snapshot: SessionSnapshot, now: float) -> bytes:
    from .receipt import to_json

    return (json.dumps(to_json(snapshot, now), indent=1) + "\n").encode()


def _csv(snapshot: SessionSnapshot, _now: float) -> bytes:
    columns = [*(item.name for item in fields(JobRecord)), *JOB_FIGURES]
    return _table(columns, (written_job(job, snapshot) for job in snapshot.jobs))


def _table(columns: Sequence[str], records: Iterable[Mapping[str, object]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    for record in records:
        writer.writerow({name: _cell(value) for name, value in record.items()})
    return text.getvalue().encode()


def _cell(value: object) -> object:
    if isinstance(value, list):
        value = "; ".join(
            " ".join(map(str, each)) if isinstance(each, list) else str(each) for each in value
        )
    # a spreadsheet would run what looks like a formula
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    return value


def _html(snapshot: SessionSnapshot, now: float) -> bytes:
    from .receipt import to_html

    title = escape(f"Session on {snapshot.backend}")
    receipt = to_html(snapshot, now, jobs=len(snapshot.jobs), room=MOST_BYTES)
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f'<body style="font-family:sans-serif">\n{receipt}\n</body>\n</html>\n'
    ).encode()


def _picture(snapshot: SessionSnapshot, now: float) -> str:
    from .svg_timeline import draw

    if not (picture := draw(snapshot, now)):
        raise UserError("There is no job to draw: export to .html, which has the receipt.")
    return picture


def _svg(snapshot: SessionSnapshot, now: float) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{_picture(snapshot, now)}\n'.encode()


def _pdf(snapshot: SessionSnapshot, now: float) -> bytes:
    from .figure_file import as_figure_file

    return as_figure_file(_picture(snapshot, now), "pdf")


def _png(snapshot: SessionSnapshot, now: float) -> bytes:
    from .figure_file import as_figure_file

    return as_figure_file(_picture(snapshot, now), "png")


_FORMATS: dict[str, Callable[[SessionSnapshot, float], bytes]] = {
    ".json": _json,
    ".csv": _csv,
    ".html": _html,
    ".svg": _svg,
    ".pdf": _pdf,
    ".png": _png,
}
