"""Sentences about jobs of an earlier run that are taken up again."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ..formatting import format_duration, format_money

SENT_ANEW = "and is sent anew"

REASONS: Mapping[str, str] = {
    "failed": f"failed or was cancelled in that run, {SENT_ANEW}",
    "gone": f"is not at the service any more, {SENT_ANEW}",
    "private": f"is private, so that its result can be read only once, {SENT_ANEW}",
    "differs": f"is stored with other parameters than this call has, {SENT_ANEW}",
    "unreadable": f"cannot be compared with this call, {SENT_ANEW}",
    "unanswered": f"could not be asked for, as the service did not answer, {SENT_ANEW}",
    "calibration": (
        f"ran before the device was calibrated anew, {SENT_ANEW}; --resume any takes it all the "
        "same"
    ),
    "uncalibrated": (
        "ran on a device of which it is not known whether it was calibrated anew since, "
        f"{SENT_ANEW}; --resume any takes it all the same"
    ),
}
"""Reasons why a job that was paid for is not taken up, by code."""

_NAMES = {
    "options": "options",
    "values": "values of parameters",
    "observables": "observables",
    "place": "the service, instance, device or its settings",
}


def taken_up(run_id: str, changed: float, jobs: int, taken_at: float | None = None) -> str:
    """A sentence about the run whose jobs are taken up."""
    now = time.time() if taken_at is None else taken_at
    many = f"{jobs} job{'' if jobs == 1 else 's'}"
    return (
        f"Takes up {run_id}, which stopped {format_duration(max(0.0, now - changed))} ago after "
        f"{many}: what asks for the same again gets its job, and is not paid again."
    )


def taken_already(run_id: str) -> str:
    """A sentence about a run that is named once more in the kernel that has taken it up."""
    return (
        f"The run {run_id} is taken up here already: what was asked for again since is sent anew."
    )


def cell_again(jobs: int) -> str:
    """A sentence about a cell that failed, and takes up its own jobs when it is run again."""
    many = "the job" if jobs == 1 else f"the {jobs} jobs"
    return f"This cell failed when it was run last, and takes up {many} that it had paid for then."


def opens_later(word: str) -> str:
    """A sentence about a session that is not open yet."""
    return f"A {word} opens with the first new job, or the first use of its id."


def opened_now(word: str, backend: str, capped: str) -> str:
    """A sentence about a session that was deferred, and is open from here on."""
    return f"This {word} on {backend} is open from here on.{capped}"


def not_opened(word: str, reused: str) -> str:
    """A sentence about a deferred session that ended before it was opened.

    Parameters
    ----------
    word : str
        Session or batch.
    reused : str
        What `reused_words` says of its jobs; empty without any.
    """
    return f"No {word} was opened{': ' + reused if reused else ''}."


NOT_FROM_A_CHILD = (
    "This {word} is not open yet, and belongs to the process that this one was forked from, which "
    "opens it with its first new job: send session.session_id here, which opens it there, or open "
    "one of its own here with open_session."
)

MAY_BE_OPEN = (
    "This {word} may have been opened, as the answer did not come: %session list shows it then, "
    "and %session close ID ends it."
)

TAKES_UP = (
    "The next new job, or use of its id, goes on in it if it was opened, and opens a {word} "
    "otherwise; %session list shows what is open."
)

ENDED_UNOPENED = (
    "This {word} takes no more jobs: it was ended before it was opened. Open a new one with "
    "%%{word}."
)


def run_list(in_shell: bool) -> str:
    """The magic that lists runs, or the command that does so in a terminal."""
    return "%session runs" if in_shell else "qsession runs"


def run_list_remark(any_runs: bool, in_shell: bool) -> str:
    """A remark below the list of runs."""
    if not any_runs:
        return "No run is recorded: each session of a notebook or script records what it asks for."
    if in_shell:
        return "%%session --resume RUN takes one up; %session forget RUN removes its record."
    return (
        "qsession run --resume RUN -- COMMAND takes one up that qsession run has made, %%session "
        "--resume RUN or open_session(resume=RUN) any; qsession forget RUN removes its record."
    )


def no_such_run(wanted: str, in_shell: bool) -> str:
    """A sentence about a run that is not recorded."""
    return f"There is no run {wanted!r}: {run_list(in_shell)} lists what there is."


def nothing_to_take_up(finished: bool, known: bool, in_shell: bool = True) -> str:
    """A sentence about a resume that finds no run.

    Parameters
    ----------
    finished : bool
        Whether the last run finished.
    known : bool
        Whether it is known where the notebook or script is stored.
    in_shell : bool
        False in a script.
    """
    what, by_id = ("notebook", "--resume ID") if in_shell else ("script", 'resume="ID"')
    if not known:
        why = (
            f"where this {what} is stored is not known here. Set the variable QSESSION_NOTEBOOK to "
            f"{'its path' if in_shell else 'any text that stays the same'}, or name a run that "
            f"{run_list(in_shell)} lists."
        )
    elif finished:
        why = (
            f"the last run of this {what} finished. {run_list(in_shell)} lists what {by_id} can "
            "take up all the same."
        )
    else:
        why = (
            f"no run of this {what} stopped within the last 24 hours. {run_list(in_shell)} lists "
            f"what {by_id} can take up."
        )
    return f"Nothing to resume: {why}"


def record_full(jobs: int) -> str:
    """A sentence about a run that has more jobs than are recorded."""
    return (
        f"The record of this run is full with {_amount(jobs)} jobs: --resume takes up those, and "
        "none that is sent from here on."
    )


def not_taken_up(job_id: str, reason: str) -> str:
    """A sentence about a job that was paid for and is not taken up; its id is empty if unknown."""
    which = f"Job {job_id}" if job_id else "The job of this call"
    return f"{which} {REASONS[reason]}."


def older_calibration(job_id: str) -> str:
    """A sentence about a job that is taken up although the device may have changed since."""
    return (
        f"Job {job_id} ran before the device was calibrated anew, as far as is known; it is taken "
        "up all the same (--resume any)."
    )


def almost(now: Mapping[str, Any], then: Mapping[str, Any]) -> str | None:
    """A sentence about a call that asks for almost the same as one before; None without one.

    Parameters
    ----------
    now, then : mapping
        Parts of the two fingerprints.
    """
    differ = {name for name in {*now, *then} if now.get(name) != then.get(name)}
    begin = "Nothing of that run fits this call, which is sent anew: "
    laid_out = {"circuits", "observables"} | ({"values"} if now.get("prepared") else set())
    if "circuits" in differ and differ <= laid_out:
        return (
            f"{begin}its circuit was transpiled differently: set seed_transpiler, or keep the ISA "
            "circuit."
        )
    if len(differ) != 1:
        return None
    (name,) = differ
    amounts = now.get(name), then.get(name)
    if name in ("shots", "precision") and all(isinstance(one, Amount) for one in amounts):
        return f"{begin}{name} {_amount(now.get(name))}, were {_amount(then.get(name))}."
    if name in ("options", "place"):
        return f"{begin}{_NAMES[name]} differ."
    return None


Amount = int | float | None
"""Values of shots or a precision in a record, unless it was damaged."""


def _amount(value: Amount) -> str:
    if isinstance(value, int):
        return f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    return "not given" if value is None else f"{value:g}"


def reused_words(jobs: int, of: int, dollars: float | None, charged: bool) -> str:
    """The number of reused jobs, and the cost that is not paid again."""
    words = f"{jobs:,} of {of} job{'' if of == 1 else 's'} reused"
    if dollars is None:
        return words
    what = "not paid again" if charged else "on IBM would not be paid again"
    return f"{words}, ≈ {format_money(dollars)} {what}"
