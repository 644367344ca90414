"""Schemathesis reads the service's own description and sends what it allows, and what it does not.

Every answer must be one that is described: its status, its type and its content, and never a 500.
The same requests each time, so that a failure can be looked at again.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis
from emulator.conftest import CIRCUIT, Api
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from qsession_widgets.emulator.options import EmulatorOptions
from qsession_widgets.emulator.process import launcher

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
SECONDS = 10.0
"""Within which anything is answered."""

EACH = 8
"""Requests of each kind to each address."""


@pytest.fixture(scope="module")
def target() -> Iterator[Api]:
    """An emulator that has something to be asked for, and nobody else's."""
    connection = launcher.find_or_start(EmulatorOptions(workers=1, seed=1), "schemathesis")
    api = Api(connection)
    yield api
    api.http.close()
    launcher.stop("schemathesis")


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_what_is_described_is_what_is_answered(target: Api, mode: GenerationMode) -> None:
    session = target.open_session()
    job = target.submit(session_id=session)
    target.wait(job)
    known = {"session_id": session, "job_id": job, "name": "fake_manila", "plan_id": "open"}
    schema = schemathesis.openapi.from_dict(target.get("/openapi.json"))
    schema.config.update(base_url=target.connection.url)
    asked = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        # the rest of the test needs it
        if operation.path.endswith("/stop"):
            continue

        @given(
            case=operation.as_strategy(generation_mode=mode),
            real=st.sampled_from([True, True, False]),
        )
        @settings(
            max_examples=EACH,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def ask(case: Case, real: bool) -> None:
            nonlocal asked
            # what exists is asked for as well, and kept until the last address was asked
            if real and case.method != "DELETE":
                case.path_parameters.update(
                    {name: known[name] for name in case.path_parameters if name in known}
                )
                if isinstance(case.body, dict) and "backend" in case.body:
                    case.body["backend"] = "aer"
            response = case.call(headers=dict(target.http.headers), timeout=SECONDS)
            case.validate_response(response, checks=CHECKS)
            asked += 1

        try:
            ask()
        except Unsatisfiable:
            # an address that takes nothing cannot be asked wrongly
            assert mode is GenerationMode.NEGATIVE
    assert asked > 100
    # and it goes on
    assert target.wait(target.submit(params={"pubs": [[CIRCUIT]], "version": 2}))
