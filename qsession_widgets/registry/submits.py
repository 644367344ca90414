"""Submits that are under way: a file for each, with the tag by which the service finds its job.

A job that has all the tags it may have carries none of ours: what else tells it stands in the file.
It is written before the request is sent and removed once the outcome is known. A kernel that dies
in between leaves it, and whether the job was accepted can be asked of the service: see
`qsession_widgets.client.job_outcome.find_job`, and ``left_by`` of ``untagged_jobs``. What keeps job
ids of its own has to hold the tag as well, or to record the id before `settle`. The files are for
their owner only and hold neither circuits nor keys. They survive the process, not a power failure:
waiting for the disk would take longer than most submits.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ..files import PRIVATE_FILE, private_folder
from .entries import LONGEST, file_name, folder
from .pending_requests import PendingRequest, files, read, sender

MOST = 500
"""Files that are kept, the newest."""
SWEEP_EVERY = 100
"""Submits of a process between two sweeps of the folder."""

_noted = 0


@dataclass(frozen=True, kw_only=True)
class Untagged:
    """The marks of a job that has no tag of ours.

    Attributes
    ----------
    tags : sequence of str
        The user's own tags.
    program : str
        The program that runs it.
    contents : str
        Fingerprint of what it asks for; empty where there is none.
    begun : float
        The service's time at which it was not there yet.
    before : sequence of str
        Jobs with these tags that were there then, of the last seconds.
    """

    tags: Sequence[str]
    program: str
    contents: str
    begun: float
    before: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class PendingSubmit(PendingRequest):
    """A submit whose outcome is not known.

    Attributes
    ----------
    tag : str
        The random tag that its job carries if it was accepted; without `untagged`.
    session_id : str
        The session; empty in job mode.
    primitive : str
        ``sampler``, ``estimator``, or another program.
    untagged : Untagged or None
        What tells a job that does not carry the tag.
    """

    tag: str
    session_id: str
    primitive: str
    untagged: Untagged | None = None

    def __post_init__(self) -> None:
        if isinstance(self.untagged, dict):
            object.__setattr__(self, "untagged", Untagged(**self.untagged))


def note(
    tag: str,
    *,
    session_id: str,
    backend: str,
    primitive: str,
    url: str,
    instance: str,
    untagged: Untagged | None = None,
) -> None:
    """Write a submit down before it is sent; nothing happens where the folder cannot be written.

    Parameters
    ----------
    tag, session_id, backend, primitive, url, instance, untagged
        See `PendingSubmit`.
    """
    submit = PendingSubmit(
        tag=tag,
        session_id=session_id,
        backend=backend,
        primitive=primitive,
        url=url,
        instance=instance,
        untagged=untagged,
        **sender(),
    )
    with contextlib.suppress(OSError):
        _sweep_now_and_then()
        # nobody reads a tag's file before it is whole: it is new, and a cut one is skipped
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(_file(tag), flags, PRIVATE_FILE)
        try:
            os.write(descriptor, json.dumps(asdict(submit)).encode())
        finally:
            os.close(descriptor)


def settle(tag: str) -> None:
    """Remove a submit whose outcome is known: the job's id is, or that there is no job."""
    with contextlib.suppress(OSError):
        _file(tag).unlink()


def pending() -> list[PendingSubmit]:
    """Submits of every process whose outcome is not known, oldest first."""
    return read(_folder(), PendingSubmit)


def sweep() -> None:
    """Remove the files of submits that nobody will ask for any more, and the oldest of too many."""
    aged = sorted((_changed_at(path), path) for path in files(_folder()))
    too_old = time.time() - LONGEST
    for number, (at, path) in enumerate(reversed(aged)):
        if at < too_old or number >= MOST:
            with contextlib.suppress(OSError):
                path.unlink()


def _sweep_now_and_then() -> None:
    global _noted
    if _noted % SWEEP_EVERY == 0:
        private_folder(_folder())
        sweep()
    _noted += 1


def _folder() -> Path:
    return folder() / "submits"


def _file(tag: str) -> Path:
    return _folder() / f"{file_name(tag)}.json"


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
