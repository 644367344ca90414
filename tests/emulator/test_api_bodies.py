"""Bodies of requests: how large they may be and from whom, and the names in a job's parameters."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from emulator.conftest import CIRCUIT, Api

from qsession_widgets.emulator.http import validation
from qsession_widgets.emulator.http.middleware import FROM_ANYBODY, LARGEST_BODY
from qsession_widgets.emulator.process.connection_file import Connection


def sent(api: Api, path: str, *headers: str, pieces: Iterable[bytes] = ()) -> bytes:
    """The whole answer to a request that is written by hand, piece by piece."""
    url = urlsplit(api.connection.url)
    with socket.create_connection((url.hostname, url.port), timeout=60) as connection:
        head = "\r\n".join([f"POST {path} HTTP/1.1", "Host: localhost", *headers, "", ""])
        connection.sendall(head.encode())
        for piece in pieces:
            connection.sendall(piece)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def chunk(size: int) -> bytes:
    """A piece of a body of which nothing announces how large it will be."""
    return f"{size:x}\r\n".encode() + b"x" * size + b"\r\n"


def key(api: Api) -> str:
    return f"Authorization: {api.http.headers['Authorization']}"


@pytest.fixture(scope="module", autouse=True)
def half_a_body(connection: Connection) -> Iterator[Future[bytes]]:
    """The answer to a body that never comes whole; the tests before it pass while it is awaited."""
    # as of two processes that write to one connection, each announcing a body of its own
    api = Api(connection)
    headers = (key(api), "Content-Length: 100", "Content-Type: application/json")
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(sent, api, "/api/v1/jobs", *headers, pieces=[b"{"])
    api.http.close()


def test_body_that_is_too_large(api: Api) -> None:
    answer = sent(api, "/api/v1/jobs", key(api), f"Content-Length: {LARGEST_BODY + 1}")
    assert answer.startswith(b"HTTP/1.1 413")
    assert b'"errors"' in answer


def test_body_that_grows_too_large(api: Api) -> None:
    pieces = [chunk(2**20)] * (LARGEST_BODY // 2**20) + [chunk(1)]
    headers = (key(api), "Transfer-Encoding: chunked", "Content-Type: application/json")
    answer = sent(api, "/api/v1/jobs", *headers, pieces=pieces)
    assert answer.startswith(b"HTTP/1.1 413")
    assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("authorization", ["X: y", "Authorization: apikey wrong"])
@pytest.mark.parametrize("path", ["/api/v1/jobs", "/experimental/api/v1/jobs", "/nothing"])
def test_large_body_of_a_stranger_is_not_awaited(api: Api, path: str, authorization: str) -> None:
    # nothing of it is sent, and there is an answer
    answer = sent(api, path, authorization, f"Content-Length: {FROM_ANYBODY + 1}")
    assert answer.startswith(b"HTTP/1.1 401")
    assert b'"code": 1201' in answer


def test_large_body_of_a_stranger_is_not_read_to_its_end(api: Api) -> None:
    headers = ("Transfer-Encoding: chunked", "Content-Type: application/json")
    pieces = [chunk(FROM_ANYBODY), chunk(1)]
    answer = sent(api, "/api/v1/jobs", *headers, pieces=pieces)
    assert answer.startswith(b"HTTP/1.1 401")
    assert answer.count(b"HTTP/1.1") == 1


def test_stranger_with_a_large_body_hears_why(api: Api) -> None:
    headers = {"Authorization": "apikey wrong", "Content-Type": "application/json"}
    answer = httpx.post(f"{api.connection.url}/api/v1/jobs", content=b" " * 2**23, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["errors"][0]["message"] == "The API key is not valid."


def test_a_key_needs_no_large_body(api: Api) -> None:
    length = f"Content-Length: {FROM_ANYBODY + 1}"
    for headers in ([length], [key(api), length]):
        answer = sent(api, "/identity/token", *headers)
        assert answer.startswith(b"HTTP/1.1 413")
        assert b"64 KiB" in answer


def test_large_body_with_a_key_or_a_token_is_taken(api: Api) -> None:
    form = {"grant_type": "urn:ibm:params:oauth:grant-type:apikey", "apikey": api.connection.key}
    answer = httpx.post(f"{api.connection.url}/identity/token", data=form)
    comment = "//" + "x" * 4 * FROM_ANYBODY
    for authorization in (
        api.http.headers["Authorization"],
        f"Bearer {answer.json()['access_token']}",
    ):
        api.http.headers["Authorization"] = authorization
        job = api.submit(params={"pubs": [[CIRCUIT + comment, None, 10]], "version": 2})
        assert api.wait(job)["status"] == "Completed"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"params":' + b"[" * 5000 + b"]" * 5000 + b"}", "it is nested too deeply"),
        (b'{"program_id": "\xff"}', "it is not UTF-8"),
        (b'{"cost": ' + b"9" * 10_000 + b"}", "a number has too many digits"),
    ],
)
def test_body_that_cannot_be_read(api: Api, body: bytes, why: str) -> None:
    headers = {"Content-Type": "application/json"}
    for path, code in (("/jobs", 1208), ("/sessions", 400)):
        status, error = api.refused("POST", path, content=body, headers=headers)
        assert (status, error["code"]) == (400, code)
        assert error["message"] == f"The body cannot be read: {why}."


def test_parameters_come_back_as_they_were_sent(api: Api) -> None:
    posted = {"pubs": [[CIRCUIT + "// \u00e9 \U0001f600", [], 5]], "options": {}, "version": 2}
    job, private = api.submit(params=posted), api.submit(params=posted, private=True)
    for ident in (job, private):
        api.wait(ident)
    assert api.get(f"/jobs/{job}")["params"] == posted
    assert api.get(f"/jobs/{private}")["params"] == {}
    assert "params" not in api.get(f"/jobs/{job}", exclude_params=True)
    listed = api.get("/jobs", exclude_params=False)
    assert [item["params"] for item in listed.pop("jobs")] == [{}, posted]
    assert listed == {"count": 2, "limit": 200, "offset": 0}
    assert [set(item) & {"params"} for item in api.get("/jobs")["jobs"]] == [set(), set()]


# --------------------------------------------------------------------------------------------------
# Names


@pytest.mark.parametrize(
    ("program", "change", "code", "says"),
    [
        (
            "sampler",
            {"optoins": {}},
            1208,
            "The sampler has no parameter optoins: did you mean options?",
        ),
        (
            "sampler",
            {"resilience_level": 1},
            1208,
            "The sampler has no parameter resilience_level: "
            "it has options, pubs, shots, support_qiskit, version.",
        ),
        (
            "sampler",
            {"options": {"defualt_shots": 7}},
            1519,
            "The sampler has no option defualt_shots: did you mean default_shots?",
        ),
        (
            "sampler",
            {"options": {"seed_estimator": 7}},
            1519,
            "The sampler has no option seed_estimator: it has ",
        ),
        (
            "estimator",
            {"options": {"resiliance": {}}},
            1519,
            "The estimator has no option resiliance: did you mean resilience?",
        ),
        (
            "estimator",
            {"options": {"simulator": {"seed": 7}}},
            1519,
            "The estimator has no option simulator.seed: ",
        ),
    ],
)
def test_misspelt_name_is_refused(
    api: Api, program: str, change: dict[str, Any], code: int, says: str
) -> None:
    body = {"pubs": [[CIRCUIT]], "version": 2, **change}
    job = {"program_id": program, "backend": "aer", "params": body}
    status, error = api.refused("POST", "/jobs", json=job)
    assert (status, error["code"]) == (400, code)
    assert error["message"].startswith(says)
    assert api.get("/jobs")["count"] == 0


def inputs(options: Any) -> dict[str, Any]:
    """What the client posts beside the PUBs."""
    return {"pubs": [], **type(options)._get_program_inputs(asdict(options))}


def test_everything_the_client_can_post_is_known() -> None:
    from qiskit_ibm_runtime.options import EstimatorOptions, SamplerOptions

    free = {"experimental": {"anything": {"at": "all"}, "execution": {"fast": True}}}
    simulator = {"seed_simulator": 1, "coupling_map": [[0, 1]], "basis_gates": ["cx"]}
    both: dict[str, Any] = {
        "default_shots": 1,
        "max_execution_time": 9,
        "simulator": simulator,
        **free,
    }
    both |= {"twirling": {"enable_gates": True}, "dynamical_decoupling": {"enable": True}}
    both |= {"execution": {"init_qubits": False}, "environment": {"log_level": "INFO"}}
    own: dict[str, Any] = {"default_precision": 0.1, "resilience_level": 2, "seed_estimator": 5}
    own |= {"resilience": {"zne_mitigation": True}}
    for program, options in (
        ("sampler", SamplerOptions(**both)),
        ("estimator", EstimatorOptions(**both, **own)),
    ):
        posted = inputs(options)
        assert set(validation.OPTIONS[program]) == set(posted["options"])
        validation.check(program, posted)


@pytest.mark.parametrize("program", ["sampler", "estimator"])
def test_names_are_those_of_the_service(program: str) -> None:
    models = pytest.importorskip(
        f"ibm_quantum_schemas.{program}.version_0_1", reason="an older client has none to compare"
    )
    for model, known in (
        (models.ParamsModel, validation.PARAMETERS[program]),
        (models.OptionsModel, validation.OPTIONS[program]),
        (models.SimulatorOptionsModel, validation.SIMULATOR),
    ):
        assert set(model.model_fields) == set(known)
        assert model.model_config["extra"] == "forbid"
    for name in ("DynamicalDecouplingOptionsModel", "TwirlingOptionsModel"):
        assert "extra" not in getattr(models, name).model_config


# --------------------------------------------------------------------------------------------------
# Last, for it was sent first


def test_body_that_never_comes_whole(half_a_body: Future[bytes]) -> None:
    answer = half_a_body.result()
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"did not come within" in answer
