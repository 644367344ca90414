"""``qsession watch ID``: a session in a terminal, until it is closed.

On a terminal a few lines are drawn again every second; elsewhere, in a pipe or a log, a line is
printed for each event; with ``--json``, one JSON object for each change.
"""

from __future__ import annotations

import json
import queue
import select
import shutil
import sys
import textwrap
from dataclasses import asdict, replace
from typing import Any, TextIO

from ..formatting import format_countdown, format_duration
from ..messages import events
from ..messages.causes import queue_words
from ..messages.forecast import outlook_words
from ..messages.labels import (
    cost_words,
    headline,
    late_words,
    price_words,
    program_word,
    timeout_stands,
    usage_words,
)
from ..messages.notices import notices
from ..model import (
    JobRecord,
    SessionSnapshot,
    empty_timeout,
    interactive_timeout,
    maximum_time,
    usage,
)
from ..model.causes import queue_ahead
from ..model.events import changes
from ..model.outlook import outlook
from ..model.timestamps import stamped
from ..monitoring.monitor import Monitor
from ..views.forecast import estimate_row

TICK = 1.0
"""Seconds between two drawings."""
JOBS = 5
"""The number of latest jobs that are drawn."""


def watch(monitor: Monitor, *, as_json: bool = False, out: TextIO | None = None) -> None:
    """Show a session until it is closed and nothing about it changes any more.

    Parameters
    ----------
    monitor : Monitor
        Knows the session; it is started here and stopped at the end.
    as_json : bool
        Print a JSON object for each change. It holds every field of the snapshot but the jobs (see
        `SessionSnapshot.facts`), and in ``jobs`` those that are new or changed since the line
        before.
    out : text file, optional
        Where to print; standard output when not given.
    """
    target = sys.stdout if out is None else out
    show: _View = _Json(target) if as_json else _Live(target) if target.isatty() else _Lines(target)
    changed: queue.SimpleQueue[SessionSnapshot] = queue.SimpleQueue()
    unsubscribe = monitor.subscribe(changed.put)
    try:
        show(monitor.snapshot, monitor.now())
        monitor.start()
        while not monitor.finished():
            try:
                snapshot = changed.get(timeout=TICK)
            except queue.Empty:
                if _nobody_reads(target):
                    raise BrokenPipeError from None
                show.tick(monitor.snapshot, monitor.now())
            else:
                show(snapshot, monitor.now())
        while not changed.empty():
            show(changed.get(), monitor.now())
    finally:
        unsubscribe()
        monitor.stop()


def _nobody_reads(out: TextIO) -> bool:
    """True if the other end of a pipe is closed: where nothing happens, no writing would tell."""
    if not hasattr(select, "poll"):
        return False
    try:
        poll = select.poll()
        poll.register(out.fileno(), select.POLLERR)
        return any(event & select.POLLERR for _, event in poll.poll(0))
    except (OSError, ValueError):
        # a file that is none of the system's
        return False


class _View:
    def __init__(self, out: TextIO):
        self._out = out

    def __call__(self, snapshot: SessionSnapshot, now: float) -> None:
        """Show a new snapshot."""

    def tick(self, snapshot: SessionSnapshot, now: float) -> None:
        """Time has passed, and nothing else."""

    def _print(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()


class _Json(_View):
    def __init__(self, out: TextIO):
        super().__init__(out)
        self._known: dict[str, JobRecord] = {}

    def __call__(self, snapshot: SessionSnapshot, now: float) -> None:
        changed = [job for job in snapshot.jobs if self._known.get(job.id) != job]
        self._known.update((job.id, job) for job in changed)
        line = stamped({**snapshot.facts(), "jobs": [asdict(job) for job in changed]})
        self._print(json.dumps(line) + "\n")


class _Lines(_View):
    def __init__(self, out: TextIO):
        super().__init__(out)
        self._last: SessionSnapshot | None = None

    def __call__(self, snapshot: SessionSnapshot, now: float) -> None:
        old, self._last = self._last, snapshot
        lines = (
            status_lines(snapshot, now)
            if old is None
            else [events.line(event) for event in changes(old, snapshot, now)]
        )
        self._print("".join(f"{line}\n" for line in lines))


class _Live(_View):
    def __init__(self, out: TextIO):
        super().__init__(out)
        self._drawn = 0

    def __call__(self, snapshot: SessionSnapshot, now: float) -> None:
        self.tick(snapshot, now)

    def tick(self, snapshot: SessionSnapshot, now: float) -> None:
        columns, rows = shutil.get_terminal_size()
        lines = [line[: columns - 1] for line in status_lines(snapshot, now)][: max(1, rows - 1)]
        # up to where the last drawing began, and from there to the end of the screen: erased
        up = f"\x1b[{self._drawn}F\x1b[J" if self._drawn else ""
        self._drawn = len(lines)
        self._print(up + "\n".join(lines) + "\n")


def status_lines(snapshot: SessionSnapshot, now: float) -> list[str]:
    """A session in a few lines of text: state, countdowns, usage, latest jobs.

    Parameters
    ----------
    snapshot : SessionSnapshot
        The session.
    now : float
        Service clock.
    """
    word = "Batch" if snapshot.mode == "batch" else "Session"
    name = f" {snapshot.name!r}" if snapshot.name else ""
    lines = [
        f"{word}{name} {snapshot.session_id} on {snapshot.backend} · {snapshot.service.label}",
        f"{'State':<8} {headline(snapshot)}",
    ]
    lines += [f"{name:<8} {text}" for name, text in countdown_rows(snapshot, now)]
    spent = usage(snapshot, now)
    cost = ""
    if spent.cost is not None:
        where = " ·" if snapshot.service.charged else "; the same work on IBM would cost"
        cost = f"{where} {cost_words(spent)} {price_words(snapshot.service)}"
    lines.append(f"{'Usage':<8} {usage_words(spent)}{cost}")
    for name, words in estimate_row(snapshot, spent):
        lines += textwrap.wrap(f"{name:<8} {words}", 79, subsequent_indent=" " * 9)
    if (ahead := queue_ahead(snapshot, now)) is not None:
        lines.append(f"{'Queue':<8} {queue_words(ahead)}")
    if late := late_words(snapshot):
        lines.append(f"{'Maximum':<8} {late}")
    counts = [f"{n} {status}" for status, n in snapshot.facts()["counts"].items() if n]
    expected = f" of {snapshot.expected_jobs}" if snapshot.expected_jobs else ""
    jobs = sum(not job.stray or job.reused for job in snapshot.jobs)
    lines.append(f"{'Jobs':<8} {jobs}{expected}{': ' if counts else ''}{' · '.join(counts)}")
    if (to_come := outlook(snapshot, now)) is not None:
        lines.append(f"{'To come':<8} {outlook_words(to_come)}")
    lines += [f"  {_job(job, now)}" for job in snapshot.jobs[-JOBS:]]
    for sentence in notices(snapshot, now):
        # a terminal cuts what is too long for it
        lines += textwrap.wrap(f"{'Note':<8} {sentence}", 79, subsequent_indent=" " * 9)
    if snapshot.problem is not None:
        lines.append(f"{'Problem':<8} {snapshot.problem}")
    return lines


def countdown_rows(snapshot: SessionSnapshot, now: float) -> list[tuple[str, str]]:
    """The session's clocks: a name, and how much is left; none of a closed session."""
    if snapshot.state == "closed":
        return []
    passed = snapshot.state == "inactive" and not snapshot.pending()
    ittl = interactive_timeout(snapshot, now)
    return [
        (name, f"{format_countdown(left.remaining)} {runs if left.running else stands}")
        for name, left, runs, stands in (
            (
                "ITTL",
                ittl if ittl is None or not passed else replace(ittl, remaining=0.0),
                "until the interactive timeout deactivates it",
                f"interactive timeout, {timeout_stands(snapshot)}",
            ),
            (
                "Maximum",
                maximum_time(snapshot, now),
                "until its maximum time is over",
                "maximum time, from its first job on",
            ),
            (
                "Unused",
                empty_timeout(snapshot, now),
                "until it is closed, unless a job comes",
                "",
            ),
        )
        if left is not None
    ]


def _job(job: JobRecord, now: float) -> str:
    text = f"{job.id}  {program_word(job.program):<10} {job.status:<9}"
    # until the service has told when a job ran, its times are those of the polls in between
    end: Any = now if job.status == "running" else job.finished if job.exact else None
    if job.started is not None and end is not None:
        text += f" {format_duration(max(0.0, end - job.started))}"
    return text + (" reused" if job.reused else " outside of it" if job.stray else "")
