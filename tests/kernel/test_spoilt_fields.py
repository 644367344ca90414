"""Records in which one field makes no sense: read as they are, or one sentence, no traceback."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from qiskit.exceptions import QiskitError
from requests.adapters import HTTPAdapter

from qsession_widgets.client import transport
from qsession_widgets.errors import UserError

from .cells import Notebook
from .table import CIRCUITS

Path = tuple[Any, ...]

MISSING = object()
SPOILT = (None, 7, "text", [1], MISSING)
READS: dict[str, tuple[str, ...]] = {
    "job": (
        *("service.job(job_id)", "fresh().status()", "fresh().creation_date", "fresh().inputs"),
        *("fresh().session_id", "fresh().usage_estimation"),
    ),
    "metrics": ("fresh().metrics()", "fresh().usage()", "fresh().properties()"),
    "result": ("fresh().result()",),
    "session": (
        *("session.details()", "session.status()", "session.usage()"),
        "Session.from_id(session.session_id, service)",
    ),
    "jobs": ("service.jobs(limit=1)",),
}
"""What the user's code reads of each record, of things that are built while a session is bound."""
FRESH = """
def fresh():
    job._status, job._creation_date, job._session_id = 'INITIALIZING', None, None
    job._usage_estimation = {}
    return job
job_id, service = job.job_id(), session.service
"""


def kind_of(url: str) -> str:
    path = url.partition("?")[0]
    parts = path.rsplit("/", 2)
    if parts[2] in ("metrics", "results"):
        return parts[2].replace("results", "result")
    return {"jobs": "job", "sessions": "session"}.get(parts[1], parts[2])


def fields(value: Any, path: Path = ()) -> Iterator[Path]:
    inside = value.items() if isinstance(value, dict) else enumerate(value[:1])
    for name, part in inside:
        yield (*path, name)
        if isinstance(part, dict | list) and len(path) < 3:
            yield from fields(part, (*path, name))


def spoilt(record: Any, path: Path, value: Any) -> bytes:
    changed = json.loads(json.dumps(record))
    at = changed
    for name in path[:-1]:
        at = at[name]
    if value is MISSING:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return json.dumps(changed).encode()


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, bytes | None], None]:
    """Puts a body in the place of every answer about a kind of record; None takes it away."""
    send = HTTPAdapter.send
    bodies: dict[str, bytes] = {}

    def sends(
        adapter: HTTPAdapter, request: requests.PreparedRequest, **options: Any
    ) -> requests.Response:
        body = bodies.get(kind_of(str(request.url))) if request.method == "GET" else None
        if body is None:
            return send(adapter, request, **options)
        response = requests.Response()
        response.status_code, response._content, response.url = 200, body, str(request.url)
        response.request = request
        return response

    def put(kind: str, body: bytes | None) -> None:
        bodies.clear()
        if body is not None:
            bodies[kind] = body

    monkeypatch.setattr(HTTPAdapter, "send", sends)
    monkeypatch.setattr(transport, "READ_AGAIN", ())
    return put


@pytest.fixture
def done(notebook: Notebook) -> Notebook:
    """A notebook with a session that was polled for the last time, and a job that is over."""
    notebook.good(CIRCUITS)
    run = "job = SamplerV2().run([(measured,)])"
    notebook.good("%%session --service local --backend aer", run, "job.result()")
    notebook["session"]._live.monitor.stop()
    notebook.good(*FRESH.splitlines())
    return notebook


def recorded(ask: Callable[..., Any], done: Notebook, kind: str) -> Any:
    job_id, session_id = done["job_id"], done["session"].session_id
    path = {
        "job": f"/jobs/{job_id}",
        "metrics": f"/jobs/{job_id}/metrics",
        "result": f"/jobs/{job_id}/results",
        "session": f"/sessions/{session_id}",
        "jobs": "/jobs?limit=1",
    }[kind]
    return ask("GET", path)


@pytest.mark.parametrize("kind", READS)
def test_no_field_of_a_record_is_an_error_of_pythons_own(
    done: Notebook, ask: Callable[..., Any], answer: Callable[[str, bytes | None], None], kind: str
) -> None:
    record = recorded(ask, done, kind)
    reads = {code: compile(code, "read", "eval") for code in READS[kind]}
    wrong = []
    tried = 0
    for path in fields(record):
        for value in SPOILT:
            if (path, value) in ((("count",), 7), (("jobs", 0), MISSING)):
                # a page without what it counts: the client library asks for the rest for ever
                continue
            answer(kind, spoilt(record, path, value))
            for code, compiled in reads.items():
                tried += 1
                try:
                    eval(compiled, done.shell.user_ns)
                except (UserError, QiskitError):
                    pass
                except Exception as error:
                    wrong.append(f"{'.'.join(map(str, path))} = {value!r}: {code}: {error!r}")
    answer(kind, None)
    assert tried > 20
    assert not wrong, "\n".join(wrong[:40]) + f"\n{len(wrong)} of {tried}"


def test_what_cannot_be_read_is_told_by_its_field(
    done: Notebook, ask: Callable[..., Any], answer: Callable[[str, bytes | None], None]
) -> None:
    record = recorded(ask, done, "job")
    answer("job", spoilt(record, ("state", "status"), None))
    for cell in ("fresh().status()", "fresh().result()"):
        sentence = done(cell).sentence()
        assert "cannot be read: state.status is null, where a text belongs" in sentence
    answer("result", spoilt(recorded(ask, done, "result"), ("__type__",), 7))
    said = done("print(type(fresh().result()))").said
    assert "Traceback" not in said
