"""Notices about what earlier kernels of a notebook have left at a service: sessions and submits."""

from __future__ import annotations

from collections.abc import Iterator

from ..discovery.leftovers import left_openings, left_submits, leftovers
from ..messages.outcomes import left_open, left_opening, left_submit
from .binding import Binding
from .job_mode import JobMode
from .opening import OpenResult


def left_behind_notices(result: OpenResult, notebook: str, binding: Binding) -> Iterator[str]:
    """Sentences about sessions and jobs of earlier kernels that are not taken up by an opening.

    Parameters
    ----------
    result : OpenResult
        What came of the opening.
    notebook : str
        Path of the notebook; without one nothing is asked, and nothing said.
    binding : Binding
        The sessions of this kernel.
    """
    if not isinstance(result.bound, JobMode):
        for left in leftovers(result.target, notebook):
            if binding.with_id(left.entry.session_id) is None:
                yield left_open(left.entry.backend, left.entry.session_id)
    for opening, ids in left_openings(result.target, notebook):
        yield left_opening(opening.backend, ids)
    if result.run is None:
        for submit, job_id in left_submits(result.target, notebook):
            yield left_submit(submit.primitive, submit.session_id, job_id)
