"""The jobs of a session as a table of HTML, which a receipt unfolds without a script."""

from __future__ import annotations

from ..formatting import as_html
from ..messages.job_rows import HEADS, job_cells, jobs_word
from ..model import READ_SERIES, SessionSnapshot

CELL = "text-align:left"
FIGURES = HEADS.index("Queued")
"""The first column of figures; those behind it are figures, too."""
MOST_LETTERS = 200
"""Characters of a cell, at most: a service's error may be of any length."""


def job_table(snapshot: SessionSnapshot, now: float, *, most: int, room: int) -> str:
    """The newest jobs, newest first; empty without any, or where there is no room for one.

    Parameters
    ----------
    snapshot : SessionSnapshot
        The session.
    now : float
        Service clock.
    most : int
        Jobs that it has at most.
    room : int
        Bytes that it may weigh.
    """
    jobs = snapshot.jobs
    newest = jobs[: -most - 1 : -1]
    wanted = {job.id for job in newest}
    values = {
        point.job_id: point
        for point in snapshot.points
        if point.series == READ_SERIES and point.job_id in wanted
    }
    heads = "".join(f'<th align="left" style="{CELL}">{head}</th>' for head in HEADS)
    rows: list[str] = []
    left = room - len(heads) - 200
    for job in newest:
        cells = job_cells(job, values.get(job.id), snapshot, now)
        # words may take several lines, figures one
        cells[FIGURES:] = [cell.replace(" ", "\N{NO-BREAK SPACE}") for cell in cells[FIGURES:]]
        row = "".join(f'<td style="{CELL}">{_text(cell)}</td>' for cell in cells)
        row = f'<tr style="background-color:transparent">{row}</tr>'
        left -= len(row.encode())
        if left < 0:
            break
        rows.append(row)
    if not rows:
        return ""
    return (
        f"<details><summary>{jobs_word(len(rows), len(jobs))}</summary>"
        f'<table cellpadding="3" style="border-collapse:collapse;font-size:85%"><tr>{heads}</tr>'
        f"{''.join(rows)}</table></details>"
    )


def _text(cell: str) -> str:
    return as_html(cell if len(cell) <= MOST_LETTERS else f"{cell[: MOST_LETTERS - 2]} …")
