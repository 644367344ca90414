"""Routes of jobs: submit, look, list, wait, results, logs, metrics, tags, cancel, delete."""

from __future__ import annotations

import json
import secrets
from itertools import islice
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import PlainTextResponse, Response

from ... import admission, removal
from ...rules.records import EmulatedJob
from ...rules.refusals import INVALID_JOB, invalid
from .. import serializers, validation
from ..common import (
    ERRORS,
    AskedBy,
    AuthenticatedRequest,
    json_response,
    json_text,
    moment,
    no_content,
)
from ..request_models import CreateJob, ReplaceTags

router = APIRouter(responses=ERRORS)

RUN_HERE = ("sampler", "estimator", "executor", "noise-learner")

LONGEST_JOB = 10800
"""Seconds; a longer ``cost`` is taken for this much."""

LONGEST_WAIT = 0.1
"""Real seconds for which a question about an unfinished job is held, in case it changes meanwhile.

The client asks every 0.1 s and sleeps in between; held for as long, it hears of the end when it
happens.
"""

PAGE = 200

_ID_LETTERS = "0123456789abcdefghijklmnopqrstuv"


def _new_id(now: float) -> str:
    """A job id like IBM's: twenty lower-case letters and digits, later ones sorting last."""
    number = (int(now * 1000) & (1 << 44) - 1) << 56 | secrets.randbits(56)
    return "".join(_ID_LETTERS[number >> 5 * place & 31] for place in reversed(range(20)))


@router.post("/jobs", response_model=None)
async def create(asked: AskedBy, body: CreateJob) -> Response:
    """Accept a job."""
    _known_program(body.program_id)
    if body.start_session:
        raise invalid(
            "start_session is not supported any more.",
            "Open a session with POST /sessions and send its id as session_id.",
            INVALID_JOB,
        )
    validation.check(body.program_id, body.params)
    asked.backend(body.backend, body.calibration_id)
    emulator = asked.emulator
    longest = min(LONGEST_JOB, emulator.plan(asked.instance).max_execution_time)
    job = admission.submit(
        emulator,
        asked.instance,
        json.dumps(body.params),
        EmulatedJob(
            id=_new_id(asked.now),
            program_id=body.program_id,
            backend=body.backend,
            instance=asked.instance.crn,
            created=asked.now,
            session_id=body.session_id,
            max_execution_time=min(body.cost, longest) if body.cost else longest,
            user=asked.caller.user,
            tags=tuple(dict.fromkeys(body.tags)),
            private=body.private,
            calibration_id=body.calibration_id,
            cost=body.cost,
        ),
    )
    answer: dict[str, object] = {"id": job.id, "backend": job.backend, "private": job.private}
    if job.session_id is not None:
        answer["session_id"] = job.session_id
    if job.calibration_id is not None:
        answer["calibration_id"] = job.calibration_id
    return json_response(answer)


def _known_program(program_id: str) -> None:
    """Refuse what the emulator does not run.

    Not with 404, which the client reports as the service's word that there is no such program.
    """
    if program_id not in RUN_HERE:
        raise invalid(
            f"This local emulator does not run the program {program_id[:80]}; it runs "
            f"{', '.join(RUN_HERE[:-1])} and {RUN_HERE[-1]}.",
            "Run this job on IBM Quantum.",
            INVALID_JOB,
        )


@router.get("/jobs", response_model=None)
async def list_jobs(
    asked: AskedBy,
    limit: int = PAGE,
    offset: int = 0,
    pending: bool | None = None,
    program: str | None = None,
    backend: str | None = None,
    created_after: str | None = None,
    created_before: str | None = None,
    sort: Literal["ASC", "DESC"] = "DESC",
    tags: Annotated[list[str] | None, Query()] = None,
    session_id: str | None = None,
    exclude_params: bool = True,
    include_mocks: bool | None = None,
) -> Response:
    """The instance's jobs, newest first unless told otherwise."""
    if not 1 <= limit <= PAGE:
        limit = PAGE
    if not 0 <= offset <= 2**31 - 1:
        offset = 0
    after = moment(created_after, "created_after")
    before = moment(created_before, "created_before", whole=True)
    wanted = set(tags or ())
    found = [
        job
        for job in _candidates(asked, session_id)
        if (pending is None or pending != job.final)
        and (program is None or job.program_id == program)
        and (backend is None or job.backend == backend)
        and (after is None or job.created >= after)
        and (before is None or job.created <= before)
        and (not wanted or wanted <= set(job.tags))
    ]
    if sort == "DESC":
        found.reverse()
    page = [_described(asked, job, exclude_params) for job in islice(found, offset, offset + limit)]
    rest = json_text({"count": len(found), "limit": limit, "offset": offset})
    text = f'{{"jobs":[{",".join(page)}],{rest[1:]}'
    return Response(text, media_type="application/json")


def _candidates(asked: AuthenticatedRequest, session_id: str | None) -> list[EmulatedJob]:
    if session_id is None:
        return asked.emulator.jobs(asked.instance)
    session = asked.emulator.lifecycle.sessions.get(session_id)
    if session is None or session.instance != asked.instance.crn:
        return []
    return asked.emulator.lifecycle.jobs_of(session_id)


def _described(asked: AuthenticatedRequest, job: EmulatedJob, exclude_params: bool) -> str:
    text = json_text(serializers.job(job))
    if exclude_params:
        return text
    validation = None if job.private else asked.emulator.store.params(job.id)
    # they are JSON already, and to parse megabytes of it takes time in which nobody is answered
    return f'{text[:-1]},"params":{validation or "{}"}}}'


@router.get("/jobs/{job_id}", response_model=None)
async def read(asked: AskedBy, job_id: str, exclude_params: bool = False) -> Response:
    """A job; while it is not finished the answer waits a moment, in case it is about to change."""
    job = asked.emulator.job(asked.instance, job_id)
    if not job.final:
        await asked.emulator.changed(job_id, LONGEST_WAIT)
        job = asked.emulator.job(asked.instance, job_id)
    return Response(_described(asked, job, exclude_params), media_type="application/json")


@router.get(
    "/jobs/{job_id}/results",
    response_class=PlainTextResponse,
    responses={204: {"description": "There is none yet, or not any more"}},
)
async def results(asked: AskedBy, job_id: str) -> Response:
    """The result; nothing (204) while there is none. A private job's can be fetched once."""
    job = asked.emulator.job(asked.instance, job_id)
    text = asked.emulator.writer.result(job_id) if job.status == "Completed" else None
    if not text:
        return no_content()
    if job.private:
        asked.emulator.writer.drop_result(job_id)
    # as the service does: a client that goes by the type takes the text as it is
    return PlainTextResponse(text)


@router.get("/jobs/{job_id}/logs", response_class=PlainTextResponse)
async def logs(asked: AskedBy, job_id: str) -> Response:
    """The log; empty while there is none."""
    asked.emulator.job(asked.instance, job_id)
    return PlainTextResponse(asked.emulator.writer.logs(job_id) or "")


@router.get("/jobs/{job_id}/metrics", response_model=None)
async def metrics(asked: AskedBy, job_id: str) -> Response:
    """When it ran, and what it is charged."""
    return json_response(serializers.metrics(asked.emulator.job(asked.instance, job_id)))


@router.post("/jobs/{job_id}/cancel", status_code=204, response_model=None)
async def cancel(asked: AskedBy, job_id: str) -> Response:
    """Cancel a job, queued or running."""
    asked.emulator.job(asked.instance, job_id)
    lifecycle = asked.emulator.lifecycle
    asked.emulator.apply(lambda now: lifecycle.cancel_job(now, job_id))
    return no_content()


@router.put("/jobs/{job_id}/tags", status_code=204, response_model=None)
async def replace_tags(asked: AskedBy, job_id: str, body: ReplaceTags) -> Response:
    """Give a job other tags."""
    asked.emulator.job(asked.instance, job_id)
    lifecycle = asked.emulator.lifecycle
    tags = tuple(dict.fromkeys(body.tags))
    asked.emulator.apply(lambda _: lifecycle.update_job(job_id, tags=tags))
    return no_content()


@router.delete("/jobs/{job_id}", status_code=204, response_model=None)
async def delete(asked: AskedBy, job_id: str) -> Response:
    """Forget a finished job and all that belongs to it."""
    removal.delete_job(asked.emulator, asked.instance, job_id)
    return no_content()


@router.get("/tags", response_model=None)
async def find_tags(
    asked: AskedBy,
    search: Annotated[str, Query(min_length=3, max_length=100)],
    type: Literal["job"] = "job",
) -> Response:
    """Tags of jobs in which a text occurs."""
    found = {tag for job in asked.emulator.jobs(asked.instance) for tag in job.tags}
    return json_response({"tags": sorted(tag for tag in found if search in tag)})
