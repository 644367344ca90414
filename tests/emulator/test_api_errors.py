"""Whatever is sent, the answer is the service's: a status, a code, one sentence, and no 500."""

from __future__ import annotations

import json
import re
import time
from email.utils import parsedate_to_datetime
from urllib.parse import quote

import httpx
import hypothesis.strategies as st
import jwt
import pytest
from emulator.conftest import CIRCUIT, Api
from hypothesis import HealthCheck, given, settings

from qsession_widgets.emulator.http.auth import OWNER, Identity
from qsession_widgets.emulator.process.connection_file import Connection

JOB = {"program_id": "sampler", "backend": "aer", "params": {"pubs": [[CIRCUIT]], "version": 2}}
SESSION = {"mode": "dedicated", "backend": "aer"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/jobs/unknown", 404),
        ("GET", "/jobs/unknown/results", 404),
        ("GET", "/jobs/unknown/logs", 404),
        ("GET", "/jobs/unknown/metrics", 404),
        ("POST", "/jobs/unknown/cancel", 404),
        ("DELETE", "/jobs/unknown", 404),
        ("GET", "/sessions/unknown", 404),
        ("DELETE", "/sessions/unknown/close", 404),
        ("GET", "/backends/unknown/status", 404),
        ("GET", "/backends/unknown/configuration", 404),
        ("GET", "/backends/unknown/properties", 404),
        ("GET", "/backends/aer/defaults", 404),
        ("PUT", "/backends", 405),
        ("GET", "/workloads?limit=51", 400),
        ("GET", "/workloads?limit=0", 400),
        ("GET", "/workloads?mode=other", 400),
        ("GET", "/workloads?status=other", 400),
        ("GET", "/workloads?next=%25%25", 400),
        ("GET", "/workloads?next=a&previous=b", 400),
        ("GET", "/workloads?created_after=yesterday", 400),
        ("GET", "/jobs?sort=UP", 400),
        ("GET", "/jobs?limit=many", 400),
        ("GET", "/jobs?created_before=9999999", 400),
        ("GET", "/tags?search=ab", 400),
        ("GET", f"/jobs/{quote('../%2e%2e/etc', safe='')}", 404),
    ],
)
def test_address_or_query_that_makes_no_sense(
    api: Api, method: str, path: str, status: int
) -> None:
    assert api.refused(method, path)[0] == status


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"program_id": None}, "program_id"),
        ({"program_id": 7}, "program_id"),
        ({"backend": ""}, "backend"),
        ({"params": [1]}, "params"),
        ({"tags": "red"}, "tags"),
        ({"tags": ["x"] * 9}, "tags"),
        ({"tags": ["x" * 87]}, "tags"),
        ({"tags": ["\ud800"]}, "tags"),
        ({"cost": -1}, "cost"),
        ({"cost": "1"}, "cost"),
        ({"cost": 10**30}, "cost"),
        ({"private": "yes"}, "private"),
        ({"log_level": "loud"}, "log_level"),
        ({"start_session": True}, "start_session"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_job_that_makes_no_sense(api: Api, change: dict[str, object], named: str) -> None:
    status, error = api.refused(
        "POST", "/jobs", content=json.dumps({**JOB, **change}), headers=JSON
    )
    assert status == 400
    assert error["code"] == 1208
    assert named in error["message"]
    assert api.get("/jobs")["count"] == 0


@pytest.mark.parametrize(
    ("change", "status", "named"),
    [
        ({"mode": "other"}, 400, "mode"),
        ({"backend": None}, 400, "backend"),
        ({"backend": "fake_nowhere"}, 404, "fake_nowhere"),
        ({"max_ttl": 0}, 400, "max_ttl"),
        ({"max_ttl": 28801}, 400, "28800"),
        ({"max_ttl": "1h"}, 400, "max_ttl"),
        ({"max_ttl": 1.5}, 400, "max_ttl"),
        ({"instance": "crn:v1:other"}, 400, "instance"),
        ({"max_tll": 5}, 400, "max_tll"),
    ],
)
def test_session_that_makes_no_sense(
    api: Api, change: dict[str, object], status: int, named: str
) -> None:
    answered, error = api.refused("POST", "/sessions", json={**SESSION, **change})
    assert answered == status
    assert named in error["message"]


JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"program_id":' * 5_000,
        b'{"cost": ' + b"9" * 10_000 + b"}",
        b'{"program_id": "sampler", "program_id": NaN}',
    ],
)
def test_body_that_is_no_object(api: Api, body: bytes) -> None:
    assert api.refused("POST", "/jobs", content=body, headers=JSON)[0] == 400
    assert api.refused("POST", "/sessions", content=body, headers=JSON)[0] == 400


def test_session_belongs_to_its_backend(api: Api) -> None:
    session = api.open_session("aer")
    status, error = api.refused(
        "POST", "/jobs", json={**JOB, "backend": "fake_manila", "session_id": session}
    )
    assert status == 400
    assert "aer" in error["message"]
    assert api.refused("POST", "/jobs", json={**JOB, "session_id": "none"})[0] == 404


def test_closed_session_stays_closed(api: Api) -> None:
    session = api.open_session()
    assert api("PATCH", f"/sessions/{session}", json={"accepting_jobs": True}).status_code == 204
    assert api.get(f"/sessions/{session}")["accepting_jobs"] is True
    assert api("PATCH", f"/sessions/{session}", json={"accepting_jobs": False}).status_code == 204
    assert api.refused("PATCH", f"/sessions/{session}", json={"accepting_jobs": True})[0] == 400
    status, error = api.refused("POST", "/jobs", json={**JOB, "session_id": session})
    assert (status, error["code"]) == (409, 1217)
    assert error["message"] == "Session has been closed."


def test_unfinished_job_is_not_deleted(api: Api) -> None:
    api.fault("/queue", paused=True)
    job = api.submit()
    assert api.refused("DELETE", f"/jobs/{job}")[0] == 400
    assert api("POST", f"/jobs/{job}/cancel").status_code == 204
    assert api.refused("POST", f"/jobs/{job}/cancel")[0] == 409
    assert api("GET", f"/jobs/{job}/results").status_code == 204


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["program_id", "backend", "params", "tags", "mode", "max_ttl", "session_id"]
                )
                | st.text(max_size=5),
                inner,
                max_size=5,
            )
        ),
    )
)
def test_no_json_breaks_it(api: Api, body: object) -> None:
    for path in ("/jobs", "/sessions"):
        content = json.dumps(body).encode("utf-8", "surrogatepass")
        response = api("POST", path, content=content, headers=JSON)
        assert response.status_code in (200, 400, 404, 409)


# --------------------------------------------------------------------------------------------------
# Who asks


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer x.y.z", "apikey", "apikey wrong", "Basic dTpw", "apikey \xe9"],
)
def test_no_credentials_no_answer(api: Api, authorization: str | None) -> None:
    headers = {"Service-CRN": api.crn}
    if authorization is not None:
        headers["Authorization"] = authorization  # type: ignore[assignment]
    url = api.connection.url
    for path in ("/api/v1/jobs", "/api/v1/sessions/x", "/emulator/v1/status"):
        encoded = {name: value.encode("latin-1") for name, value in headers.items()}
        response = httpx.get(url + path, headers=encoded)
        assert response.status_code == 401
        assert response.json()["errors"][0]["code"] == 1201


def test_a_page_in_a_browser_learns_nothing(api: Api) -> None:
    # it has no key and gets no permission, and its own name led to this machine is not answered
    public = {("get", "/api/v1/versions"), ("get", "/catalog/{plan_id}")}
    # what gives tokens in exchange for something else
    exchanges = {"/identity/token", "/emulator/v1/room/token"}
    headers = {"Origin": "http://attacker.example"}
    rebound = {"Host": "attacker.example", **headers}
    checked = 0
    for path, operations in api.get("/openapi.json")["paths"].items():
        url = api.connection.url + re.sub(r"\{\w+\}", "x", path)
        for method in operations:
            answer = httpx.request(method, url, headers=headers)
            assert not [name for name in answer.headers if name.startswith("access-control")]
            if (method, path) not in public and path not in exchanges:
                assert answer.status_code == 401, (method, path)
                checked += 1
            elif path in exchanges:
                assert answer.status_code in (400, 401), (method, path)
            assert httpx.request(method, url, headers=rebound).status_code == 421
    assert checked > 30


def token(connection: Connection, key: str) -> httpx.Response:
    form = {"grant_type": "urn:ibm:params:oauth:grant-type:apikey", "apikey": key}
    return httpx.post(connection.url + "/identity/token", data=form)


def test_token_opens_and_expires(still: Api) -> None:
    # the other emulator's client would go on with a token that is expired, as with IBM
    connection = still.connection
    assert token(connection, "wrong").status_code == 401
    assert httpx.post(connection.url + "/identity/token", data={}).status_code == 400
    given = token(connection, connection.key).json()
    claims = jwt.decode(given["access_token"], options={"verify_signature": False})
    assert claims["exp"] == given["expiration"] > time.time() + 3000
    headers = {"Authorization": f"Bearer {given['access_token']}", "Service-CRN": still.crn}
    url = f"{connection.url}/api/v1/jobs"
    assert httpx.get(url, headers=headers).status_code == 200

    forged = jwt.encode(claims, "another secret, also long enough to sign", "HS256")
    unsigned = jwt.encode(claims, None, "none")
    for bad in (forged, unsigned):
        changed = {**headers, "Authorization": f"Bearer {bad}"}
        assert httpx.get(url, headers=changed).status_code == 401

    still.fault("/tokens")
    refused = httpx.get(url, headers=headers)
    assert refused.status_code == 401
    assert "expired" in refused.json()["errors"][0]["message"]


def test_instances_do_not_see_each_other(api: Api, alice: Api, bob: Api) -> None:
    session = alice.open_session()
    job = alice.submit(session_id=session, tags=["secret"])
    alice.wait(job)
    for other in (bob, api):
        assert other.get("/jobs")["jobs"] == []
        assert other.get("/jobs", session_id=session)["jobs"] == []
        assert other.get("/workloads")["workloads"] == []
        assert other.get("/tags", search="secret")["tags"] == []
        for method, path in (
            ("GET", f"/jobs/{job}"),
            ("GET", f"/jobs/{job}/results"),
            ("GET", f"/jobs/{job}/logs"),
            ("GET", f"/jobs/{job}/metrics"),
            ("POST", f"/jobs/{job}/cancel"),
            ("DELETE", f"/jobs/{job}"),
            ("GET", f"/sessions/{session}"),
            ("DELETE", f"/sessions/{session}/close"),
        ):
            status, error = other.refused(method, path)
            assert status == 404
            assert error["message"].endswith("not found.")
        body = {"tags": []}
        assert other.refused("PUT", f"/jobs/{job}/tags", json=body)[0] == 404
        close = {"accepting_jobs": False}
        assert other.refused("PATCH", f"/sessions/{session}", json=close)[0] == 404
        assert other.refused("POST", "/jobs", json={**JOB, "session_id": session})[0] == 404
    assert alice.get(f"/jobs/{job}")["tags"] == ["secret"]
    (times,) = api.get("/emulator/v1/queue/aer")["others"]
    assert len(times) == 3


def test_key_of_an_instance_reaches_nothing_else(api: Api, alice: Api) -> None:
    alice.http.headers["Service-CRN"] = api.crn
    status, error = alice.refused("GET", "/jobs")
    assert (status, error["code"]) == (404, 1279)
    del alice.http.headers["Service-CRN"]
    assert alice.refused("GET", "/jobs")[0] == 400
    assert alice.refused("POST", "/emulator/v1/stop")[0] == 403
    assert alice.refused("GET", "/emulator/v1/faults")[0] == 403
    found = httpx.post(
        api.connection.url + "/v3/resources/search",
        headers={"Authorization": alice.http.headers["Authorization"]},
    ).json()
    assert [item["name"] for item in found["items"]] == ["alice"]


def test_no_instance_is_the_owner_whatever_it_is_called() -> None:
    # one of this name is refused, and was not always
    identity = Identity.of({"default": "premium", "owner": "open"})
    users = {item.name: identity.user_of_key(item.key) for item in identity.instances.values()}
    assert users == {"default": "default", "owner": "owner"}
    assert identity.user_of_key(identity.key) == OWNER != "owner"


# --------------------------------------------------------------------------------------------------
# Every answer


def test_answers_carry_the_date_and_a_trace(api: Api) -> None:
    traces = set()
    for path in ("/versions", "/jobs", "/nothing"):
        response = api("GET", path)
        date = parsedate_to_datetime(response.headers["date"]).timestamp()
        assert abs(date - time.time()) < 5
        assert response.headers.get_list("date") == [response.headers["date"]]
        traces.add(response.headers["x-request-id"])
    assert len(traces) == 3


def test_api_version_is_a_date(api: Api) -> None:
    headers = {"IBM-API-Version": "2026-04-15"}
    assert api("GET", "/jobs", headers=headers).status_code == 200
    assert api.refused("GET", "/jobs", headers={"IBM-API-Version": "latest"})[0] == 400
    assert [item["status"] for item in api.get("/versions")["versions"]] == ["live"] * 3
