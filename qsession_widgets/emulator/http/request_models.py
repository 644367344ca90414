"""Bodies of requests, which are checked before anything is done.

Unknown fields of a request are refused: a misspelt limit that is silently ignored costs somebody
an evening.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from ..device_catalog import State

Tag = Annotated[str, StringConstraints(max_length=86)]
Tags = Annotated[list[Tag], Field(max_length=8)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class RequestBody(BaseModel):
    """A body of which every field is known."""

    model_config = ConfigDict(extra="forbid")


class CreateSession(RequestBody):
    """``POST /sessions``."""

    mode: Literal["dedicated", "batch"] = "dedicated"
    backend: Name | None = None
    backend_name: Name | None = None
    instance: str | None = None
    max_ttl: Annotated[int, Field(ge=1, le=2147483647, strict=True)] | None = None


class UpdateSession(RequestBody):
    """``PATCH /sessions/{id}``."""

    accepting_jobs: Annotated[bool, Field(strict=True)]


class CreateJob(RequestBody):
    """``POST /jobs``."""

    program_id: Name
    backend: Name
    params: dict[str, Any] = Field(default_factory=dict)
    session_id: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    tags: Tags = []
    cost: Annotated[int, Field(ge=0, le=2147483647, strict=True)] | None = None
    log_level: (
        Literal["critical", "error", "warning", "info", "debug"]
        | Literal["CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG"]
        | None
    ) = None
    private: Annotated[bool, Field(strict=True)] = False
    calibration_id: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None
    runtime: Name | None = None
    start_session: bool | None = None
    session_time: int | None = None


class SetSimulation(RequestBody):
    """``PUT /emulator/v1/sessions/{id}/simulation``."""

    method: Literal["exact", "stabilizer", "matrix_product_state", "pauli_propagation"] | None = (
        None
    )
    noise: Literal["device", "pauli", "none"] | None = None
    precision_limit: Annotated[float, Field(gt=0, le=1)] | None = None
    strict: Annotated[bool, Field(strict=True)] | None = None


class PutDevice(RequestBody):
    """``PUT /emulator/v1/devices/{name}``."""

    state: State


class ReplaceTags(RequestBody):
    """``PUT /jobs/{id}/tags``."""

    tags: Tags
