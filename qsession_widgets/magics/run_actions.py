"""``%session runs`` and ``%session forget``: the runs whose jobs can be taken up again."""

from __future__ import annotations

import time
from pathlib import PurePath

from ..errors import UserError
from ..formatting import format_duration
from ..resume.records import forget, lock, recorded
from ..resume.runs import RUNS
from ..text_table import terminal_width, text_table


def list_runs() -> None:
    """Print the runs that are recorded, the last one first."""
    from ..resume.choice import runs

    rows = [("Run", "Notebook", "Name", "Jobs", "Last job", "State")]
    for record in runs():
        if not record.asked:
            continue
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
    if len(rows) == 1:
        print("No run is recorded: each %%session records what it asks for.")
        return
    print(text_table(rows, right=(3,), width=terminal_width()))
    print("%%session --resume RUN takes one up; %session forget RUN removes its record.")


def forget_runs(wanted: str) -> None:
    """Remove the record of one run, or of all.

    Parameters
    ----------
    wanted : str
        Its id, or ``--all``.

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
    if wanted not in {run_id for run_id, _, _ in recorded()}:
        raise UserError(f"There is no run {wanted!r}: %session runs lists what there is.")
    current = RUNS.record
    if current is not None and wanted in (current.id, *current.taken):
        raise UserError(
            f"The run {wanted} is this kernel's, or one that it has taken up: it can be forgotten "
            "once this kernel has ended."
        )
    if not forget(wanted):
        raise UserError(
            f"The run {wanted} is under way: it can be forgotten once its kernel has ended."
        )
    print(f"{wanted} is forgotten: its jobs stay at the service, and are not taken up any more.")


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
