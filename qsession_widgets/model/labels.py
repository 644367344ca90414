"""Sums of the jobs of each label."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .job import JobRecord


@dataclass(frozen=True)
class LabelSum:
    """The jobs of one label in a few numbers.

    Attributes
    ----------
    label : str
        The label; empty for the jobs that have none.
    jobs : int
        How many there are, whatever became of them.
    reused : int
        How many of them an earlier run had paid for.
    qpu_seconds : float
        QPU time that is charged for the others, as far as the service has said.
    """

    label: str
    jobs: int
    reused: int
    qpu_seconds: float


def label_sums(jobs: Iterable[JobRecord]) -> list[LabelSum]:
    """The sums of each label, in the order of their first jobs; empty where no job has a label."""
    groups: dict[str, list[JobRecord]] = {}
    for job in jobs:
        if job.stray and not job.reused:
            # it ran outside, and is no part of what the session cost
            continue
        groups.setdefault(job.label, []).append(job)
    if not any(groups):
        return []
    return [
        LabelSum(
            label,
            len(those),
            sum(job.reused for job in those),
            sum(job.charged_seconds or 0.0 for job in those if not job.reused),
        )
        for label, those in groups.items()
    ]
