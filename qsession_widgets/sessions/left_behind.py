"""Notices about what earlier kernels of a notebook have left at a service: sessions and submits."""

from __future__ import annotations

from collections.abc import Iterator

from ..discovery.leftovers import left_openings, left_submits, leftovers, open_fields
from ..messages.left_behind import left_opening, left_session, left_submit, left_untagged
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
        Path of the notebook; without one, only a run that was taken up says what it has left.
    binding : Binding
        The sessions of this kernel.
    """
    if not isinstance(result.bound, JobMode):
        open_ones = {left.entry.session_id: left.raw for left in leftovers(result.target, notebook)}
        if result.run is not None:
            ids = [one for one in result.run.sessions()[:1] if one not in open_ones]
            open_ones |= open_fields(
                result.target, [one for one in ids if binding.with_id(one) is None]
            )
        for session_id, raw in open_ones.items():
            if binding.with_id(session_id) is None:
                word = "batch" if raw.get("mode") == "batch" else "session"
                yield left_session(str(raw.get("backend_name")), session_id, word)
    for opening, ids in left_openings(result.target, notebook):
        yield left_opening(opening.backend, ids)
    # a run that is taken up looks for its own by their tags
    for submit, job_ids in left_submits(result.target, notebook, tagged=result.run is None):
        if submit.untagged is None:
            yield left_submit(submit.primitive, submit.session_id, job_ids[0])
        else:
            yield left_untagged(submit.primitive, submit.session_id, job_ids)
