import json
import socket
from threading import Thread

import pytest
import requests
from qiskit.providers.exceptions import JobError
from qiskit_ibm_runtime.api.exceptions import RequestsApiError
from qiskit_ibm_runtime.exceptions import IBMError, RuntimeJobFailureError

from qsession_widgets.errors import ServiceError
from qsession_widgets.explanations import (
    advise,
    explain,
    is_unknown,
    nearest,
    never_sent,
    read_error_body,
    still_open,
    unanswered,
)
from qsession_widgets.messages.service_errors import ADVICE, EXCEPTIONS


def body(code: object, message: str, solution: str = "") -> str:
    error = {"code": code, "message": message, "solution": solution, "more_info": ""}
    return json.dumps({"errors": [error], "trace": "a1b2c3"})


@pytest.mark.parametrize("code", [1352, "1352"])
def test_the_services_error_is_found_in_the_clients_text(code: object) -> None:
    text = (
        f"400 Client Error: Bad Request for url: https://x/sessions. {body(code, 'No sessions.')}"
    )
    found = read_error_body(text)
    assert found["code"] == 1352
    assert found["message"] == "No sessions."
    assert found["trace"] == "a1b2c3"


@pytest.mark.parametrize("text", ["", "nothing here", "{broken", '{"errors": []}', '{"a": 1}'])
def test_a_text_without_an_error_is_borne(text: str) -> None:
    assert read_error_body(text)["code"] is None


@pytest.mark.parametrize("code", sorted(ADVICE))
def test_every_code_has_what_happened_and_what_to_do(code: int) -> None:
    error = RequestsApiError(f"400 Client Error. {body(code, 'Words of the service.')}", 400)
    text = explain(error, doing="open a session on ibm_fez")
    assert text.startswith("Could not open a session on ibm_fez: ")
    assert ADVICE[code].do in text
    assert f"The service said: Words of the service. (code {code})" in text
    assert "Trace id: a1b2c3" in text


def test_an_unknown_error_is_passed_on_with_its_solution() -> None:
    error = RequestsApiError("400. " + body(4711, "The moon is wrong.", "Wait."), 400)
    text = explain(error, doing="close the session")
    assert text.startswith("Could not close the session: The moon is wrong. Wait.")


def test_no_network_is_said_and_the_way_on_named() -> None:
    error = ServiceError("The service cannot be reached.")
    text = explain(error, doing="open a session", opening=True)
    assert "cannot be reached" in text
    assert "--service local" in text
    local = explain(error, doing="open a session", service="local", opening=True)
    assert "--service local" not in local


def test_what_could_not_be_ended_may_still_cost_and_nothing_else_is_offered() -> None:
    error = ServiceError("The service cannot be reached.")
    assert "--service local" not in explain(error, doing="close the session")
    assert "qsession close 8a1f" in still_open(error, "8a1f")
    assert "qsession close 8a1f" in still_open(ServiceError("no", status=503), "8a1f")
    assert still_open(ServiceError("no such session", status=404), "8a1f") == ""


def test_a_service_that_answers_with_errors_only_is_not_called_unreachable() -> None:
    tried = "HTTPSConnectionPool: Max retries exceeded (Caused by ResponseError('too many 500 error"
    error = RequestsApiError(f"{tried} responses'))", -1)
    assert unanswered(error)
    assert "the service answered 500 each time it was asked" in explain(error, doing="open it")
    local = explain(ServiceError("The service cannot be reached."), doing="close", service="local")
    assert "the local emulator does not answer" in local
    assert "qsession emulator start" in local


def test_the_nearest_names_are_offered() -> None:
    assert nearest("fake_fes", ["fake_fez", "aer", "ibm_kingston"]) == "fake_fez"
    assert nearest("zzz", ["fake_fez"]) == ""
    assert nearest("FakeFez", ["fake_fez", "fake_kyiv"]) == "fake_fez"
    assert nearest("fake_fezz", ["fake_fez", "fake_rome", "fake_perth"]) == "fake_fez"
    assert nearest("AerSimulator", ["fake_fez", "aer"]) == "aer"
    assert nearest("fez", ["fake_fez", "fake_kyiv"]) == "fake_fez"
    assert nearest("fake_ma", ["fake_manila", "fake_mumbai"]) == "fake_manila or fake_mumbai"


def _clients_exceptions() -> list[type[BaseException]]:
    import qiskit_ibm_runtime.accounts.exceptions as accounts
    import qiskit_ibm_runtime.api.exceptions as api
    import qiskit_ibm_runtime.exceptions as exceptions

    found = {
        kind
        for module in (accounts, api, exceptions)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, IBMError | JobError)
    }
    # it carries the service's answer, whose code is explained
    found.remove(RequestsApiError)
    # a base class says no more than that something went wrong
    return [kind for kind in found if not any(issubclass(k, kind) and k != kind for k in found)]


@pytest.mark.parametrize("kind", sorted(_clients_exceptions(), key=lambda kind: kind.__name__))
def test_every_exception_of_the_client_has_what_happened_and_what_to_do(
    kind: type[BaseException],
) -> None:
    advice = next(EXCEPTIONS[c.__name__] for c in kind.__mro__ if c.__name__ in EXCEPTIONS)
    text = explain(kind("Words of the client's."), doing="open a session")
    assert text.startswith("Could not open a session: ")
    assert advice.do in text
    assert "The client library said: " in text
    assert advice.do in str(advise(kind("Words of the client's.")))


def test_a_job_that_failed_for_a_known_reason_is_explained_by_it() -> None:
    error = RuntimeJobFailureError("Unable to retrieve job result. Error code 1517; not ISA")
    assert "Transpile it for this backend first" in str(advise(error))
    assert advise(ValueError("mine")) is None


def test_a_rehearsal_is_advised_only_where_it_is_none_yet() -> None:
    error = RequestsApiError("400. " + body(1352, "No sessions."), 400)
    assert "--service local" in explain(error, doing="open a session")
    assert "--service local" not in explain(error, doing="open a session", service="local")


@pytest.mark.parametrize(
    ("scheme", "answer", "sent"),
    [
        ("http", b"", True),
        ("https", b"", True),
        ("https", b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n", False),
        ("https", None, False),
    ],
    ids=["dropped", "tunnel dropped", "tunnel refused", "refused"],
)
def test_a_proxy_that_was_reached_may_have_passed_a_request_on(
    scheme: str, answer: bytes | None, sent: bool
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        proxy = f"http://127.0.0.1:{server.getsockname()[1]}"

        def serve() -> None:
            connection, _ = server.accept()
            connection.recv(65536)
            connection.sendall(answer or b"")
            connection.close()

        thread = Thread(target=serve)
        if answer is None:
            server.close()
        else:
            thread.start()
        proxies = {"http": proxy, "https": proxy}
        with pytest.raises(requests.ConnectionError) as caught:
            requests.post(f"{scheme}://service.test/jobs", proxies=proxies, timeout=30)
        if answer is not None:
            thread.join()
    assert never_sent(caught.value) is not sent
    assert is_unknown(caught.value) is sent
