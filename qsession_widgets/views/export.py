"""Write a session down: its snapshot as JSON, its jobs as CSV, its receipt as HTML, its chart."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable
from dataclasses import asdict, fields
from pathlib import Path

from ..errors import UserError, nearest
from ..snapshot import JobRecord, SessionSnapshot


def export(snapshot: SessionSnapshot, now: float, path: str | Path) -> Path:
    """Write a snapshot into a file; its ending says how.

    Parameters
    ----------
    snapshot : SessionSnapshot
        The session.
    now : float
        Service clock.
    path : str or Path
        Ends in ``.json``, ``.csv``, ``.html`` or ``.png``; ``~`` is the home folder. A file that is
        there is replaced.

    Returns
    -------
    Path
        Where it was written.

    Raises
    ------
    UserError
        Another ending, a path that cannot be written, or a picture without kaleido.
    """
    target = Path(path).expanduser()
    make = _FORMATS.get(target.suffix.lower())
    if make is None:
        close = nearest(target.suffix, list(_FORMATS), limit=1)
        raise UserError(
            f"Cannot export to {target.name!r}: end it in {', '.join(_FORMATS)}."
            + (f" Did you mean {target.stem}{close}?" if close else "")
        )
    content = make(snapshot, now)
    part = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        # never half a file where a whole one was
        part.write_bytes(content)
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise UserError(
            f"Cannot write {target}: {error.strerror or error}. Name a folder that exists and may "
            "be written."
        ) from None
    return target


def _json(snapshot: SessionSnapshot, _now: float) -> bytes:
    return (json.dumps(snapshot.to_json(), indent=1) + "\n").encode()


def _csv(snapshot: SessionSnapshot, _now: float) -> bytes:
    text = io.StringIO()
    columns = [item.name for item in fields(JobRecord)]
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    for job in snapshot.jobs:
        writer.writerow({name: _cell(value) for name, value in asdict(job).items()})
    return text.getvalue().encode()


def _cell(value: object) -> object:
    # a spreadsheet would run what looks like a formula
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@"):
        return "'" + value
    return value


def _html(snapshot: SessionSnapshot, now: float) -> bytes:
    from html import escape

    from .receipt import to_html

    title = escape(f"Session on {snapshot.backend}")
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f'<body style="font-family:sans-serif">\n{to_html(snapshot, now)}\n</body>\n</html>\n'
    ).encode()


def _png(snapshot: SessionSnapshot, now: float) -> bytes:
    from importlib.util import find_spec

    if find_spec("kaleido") is None:
        raise UserError(
            "A picture needs the package kaleido: pip install kaleido, or export to .html, which "
            "holds the same picture."
        )
    from .timeline import timeline

    try:
        return bytes(timeline(snapshot, now=now).to_image(format="png", scale=2))
    except Exception as error:
        # kaleido starts a browser, which can fail in many ways of its own
        first = str(error).strip().partition("\n")[0]
        raise UserError(
            f"kaleido could not draw the picture ({first}): export to .html, which holds the same."
        ) from None


_FORMATS: dict[str, Callable[[SessionSnapshot, float], bytes]] = {
    ".json": _json,
    ".csv": _csv,
    ".html": _html,
    ".png": _png,
}
