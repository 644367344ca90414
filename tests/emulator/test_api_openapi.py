"""The service describes itself, and answers as it says."""

from __future__ import annotations

import re
from typing import Any

import pytest
from emulator.conftest import Api

from qsession_widgets.emulator.http import coverage
from qsession_widgets.emulator.http.response_models import ANSWERS


def test_every_route_is_described(api: Api) -> None:
    schema = api.get("/openapi.json")
    text = str(schema)
    for reference in set(re.findall(r"#/components/schemas/(\w+)", text)):
        assert reference in schema["components"]["schemas"]
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            assert operation["summary"]
            assert "4XX" in operation["responses"]
            if path.startswith("/api/v1/") and path != "/api/v1/versions":
                assert operation["security"]
    for method, path in ANSWERS:
        content = schema["paths"]["/api/v1" + path][method]["responses"]["200"]["content"]
        assert content["application/json"]["schema"]["$ref"]


def test_answers_are_what_is_described(api: Api) -> None:
    from pydantic import ConfigDict

    session = api.open_session()
    done = api.submit(session_id=session, tags=["some tag"], private=True)
    api.wait(done)
    calibration = api.get("/backends/aer/properties")["calibration_id"]
    failed = api.submit(params={"pubs": "nonsense"}, calibration_id=calibration)
    api.wait(failed)
    where: dict[tuple[str, str], list[tuple[str, dict[str, Any]]]] = {
        ("get", "/sessions/{session_id}"): [(f"/sessions/{session}", {})],
        ("get", "/jobs/{job_id}"): [(f"/jobs/{done}", {}), (f"/jobs/{failed}", {})],
        ("get", "/jobs/{job_id}/metrics"): [(f"/jobs/{job}/metrics", {}) for job in (done, failed)],
        ("get", "/backends/{name}/status"): [("/backends/aer/status", {})],
        ("get", "/backends"): [("/backends", {}), ("/backends", {"fields": "wait_time_seconds"})],
        ("get", "/tags"): [("/tags", {"search": "some"})],
    }
    checked = 0
    for (method, path), model in ANSWERS.items():
        if method != "get":
            continue
        strict = type(model.__name__, (model,), {"model_config": ConfigDict(extra="forbid")})
        for address, query in where.get((method, path), [(path, {})]):
            (strict if path != "/backends" else model).model_validate(api.get(address, **query))
            checked += 1
    assert checked >= len(ANSWERS) - 2


def test_list_of_what_is_covered_is_up_to_date() -> None:
    assert coverage.FILE.read_text("utf-8") == coverage.report()


def test_what_is_not_covered_says_why() -> None:
    rows = re.findall(r"^\| `(.+)` \| (yes|no) \| (.*) \|$", coverage.report(), re.MULTILINE)
    assert len(rows) == len(coverage.SERVICE)
    assert [address for address, done, remark in rows if done == "no" and not remark] == []


@pytest.mark.parametrize("path", ["/versions", "/instance", "/instances/configuration"])
def test_small_routes(api: Api, path: str) -> None:
    assert api.get(path)
