"""The list of recorded runs, and their removal, for a notebook and for a terminal."""

from __future__ import annotations

import time
from pathlib import PurePath
from typing import Any

from ..errors import UserError
from ..formatting import format_duration
from ..messages.resume import no_such_run, run_list_remark
from ..text_table import terminal_width, text_table, wrap
from .choice import in_shell, run_begun, runs
from .records import RunRecord, forget, lock, recorded
from .runs import RUNS


def list_runs() -> None:
    """Print the runs that are recorded, the last one first."""
    rows = [("Run", "Notebook", "Name", "Jobs", "Last job", "State")]
    for record in _with_jobs():
        ago = format_duration(max(0.0, time.time() - record.changed))
        rows.append(
            (
                record.id,
                PurePath(record.notebook).name or "unknown",
                record.name,
                str(record.jobs),
                f"{ago} ago",
                _state(record.id, record.finished),
            )
        )
    width = terminal_width()
    if rows[1:]:
        print(text_table(rows, right=(3,), width=width))
    print(wrap(run_list_remark(bool(rows[1:]), in_shell()), width))


def runs_as_json() -> list[dict[str, Any]]:
    """The recorded runs as plain JSON types, the last one first; times in seconds since 1970."""
    return [
        {
            "id": record.id,
            "notebook": record.notebook,
            "name": record.name,
            "jobs": record.jobs,
            "begun": record.begun,
            "changed": record.changed,
            "state": _state(record.id, record.finished),
        }
        for record in _with_jobs()
    ]


def forget_run(wanted: str) -> None:
    """Remove the record of one run, or of all.

    Parameters
    ----------
    wanted : str
        Its id, or its first characters; or ``--all``.

    Raises
    ------
    UserError
        There is no such run, or a process is at it.
    """
    if not wanted:
        raise UserError(
            "%session forget needs to know which: %session forget RUN, or --all of them."
        )
    if wanted == "--all":
        gone = sum(forget(run_id) for run_id, _, _ in list(recorded()))
        kept = len(list(recorded()))
        print(
            f"{gone} run{'' if gone == 1 else 's'} forgotten"
            + (f"; {kept} under way or taken up stay{'s' if kept == 1 else ''}." if kept else ".")
        )
        return
    found = run_begun(wanted)
    if found is None:
        raise UserError(no_such_run(wanted, in_shell()))
    current = RUNS.record
    if current is not None and found in (current.id, *current.taken):
        raise UserError(
            f"The run {found} is this kernel's, or one that it has taken up: it can be forgotten "
            "once this kernel has ended."
        )
    if not forget(found):
        raise UserError(
            f"The run {found} is under way: it can be forgotten once its kernel has ended."
        )
    print(f"{found} is forgotten: its jobs stay at the service, and are not taken up any more.")


def _with_jobs() -> list[RunRecord]:
    return [record for record in runs() if record.asked]


def _state(run_id: str, finished: bool) -> str:
    current = RUNS.record
    if current is not None and current.id == run_id:
        return "this kernel's"
    if current is not None and run_id in current.taken:
        return "taken up here"
    held = lock(run_id)
    if held is None:
        return "under way"
    held.release()
    return "finished" if finished else "stopped"
