"""Every private name of the client library that `service.client` and `sessions.seams` rely on."""

import importlib.metadata
import inspect
import sys

import pytest
import qiskit_ibm_runtime
import requests
from ibm_cloud_sdk_core import ApiException, IAMTokenManager
from qiskit_ibm_runtime import QiskitRuntimeService, RuntimeJobV2
from qiskit_ibm_runtime.api.session import RetrySession

from qsession_widgets.client import connection_gate, selection
from qsession_widgets.client.joined import JoinedService, send_keys_only_home
from qsession_widgets.client.private_api import set_active
from qsession_widgets.client.rest import ServiceClient
from qsession_widgets.client.selection import choose
from qsession_widgets.errors import ServiceError, UserError
from qsession_widgets.sessions.patches import (
    ModePatch,
    ResultPatch,
    SubmitPatch,
    own_default_session,
)


def test_the_service_gives_its_line_to_the_api() -> None:
    assert "instance" in inspect.signature(QiskitRuntimeService._get_api_client).parameters
    another = QiskitRuntimeService._create_new_cloud_api_client
    assert "instance" in inspect.signature(another).parameters
    line = RetrySession("http://127.0.0.1:1")
    assert line.base_url == "http://127.0.0.1:1"
    assert {"auth", "verify", "proxies"} <= set(dir(line))


def test_a_client_that_is_newer_than_any_tested_is_named_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[str] = []
    monkeypatch.setattr(selection.NOTICES, "emit", said.append)
    selection._say_untried.cache_clear()
    for found in ("0.50.2", "0.51.9", "1.0.0", "1.0.0"):
        monkeypatch.setattr(importlib.metadata, "version", lambda _, found=found: found)
        selection.check_runtime_version()
    (sentence,) = said
    assert sentence.startswith("qiskit-ibm-runtime 1.0.0 is newer than 0.51, the newest")
    assert "'qiskit-ibm-runtime==0.51.*'" in sentence


def test_submits_pass_by_where_they_are_looked_for() -> None:
    for owner, names in (
        (QiskitRuntimeService, {"program_id", "inputs", "options", "session_id"}),
        (qiskit_ibm_runtime.Session, {"program_id", "inputs", "options"}),
        (qiskit_ibm_runtime.Batch, {"program_id", "inputs", "options"}),
    ):
        assert names <= set(inspect.signature(owner._run).parameters)


def test_a_session_has_a_flag_and_an_instance() -> None:
    source = inspect.getsource(qiskit_ibm_runtime.Session.__init__)
    assert "self._active" in source
    assert "self._instance = self._backend._instance" in source
    session = qiskit_ibm_runtime.Session.__new__(qiskit_ibm_runtime.Session)
    set_active(session, False)
    assert session._active is False


def test_outside_of_a_with_block_there_is_no_session() -> None:
    assert own_default_session() is None


def test_the_seams_leave_no_trace() -> None:
    modules = [
        module
        for name, module in sys.modules.items()
        if name.startswith("qiskit_ibm_runtime.") and hasattr(module, "get_mode_service_backend")
    ]
    names = {module.__name__.partition(".")[2] for module in modules}
    assert {"base_primitive", "noise_learner.noise_learner"} <= names
    before = [module.get_mode_service_backend for module in modules]
    run, read = QiskitRuntimeService._run, RuntimeJobV2.result
    mode, submit = ModePatch(lambda: None, lambda _session: None), SubmitPatch(lambda _submit: None)
    result = ResultPatch(lambda _job_id, _result: None)
    for _ in range(2):
        mode.install()
        submit.install()
        result.install()
    during = [module.get_mode_service_backend for module in modules]
    assert all(now is not then for now, then in zip(during, before, strict=True))
    assert QiskitRuntimeService._run is not run
    assert RuntimeJobV2.result is not read
    assert inspect.signature(RuntimeJobV2.result) == inspect.signature(read)
    for _ in range(2):
        mode.remove()
        submit.remove()
        result.remove()
    assert [module.get_mode_service_backend for module in modules] == before
    assert QiskitRuntimeService._run is run
    assert RuntimeJobV2.result is read


def test_a_key_that_iam_refuses_is_an_error_of_the_service() -> None:
    def refuse(_request: object) -> None:
        raise ApiException(400, message="Provided API key could not be found.")

    line = ServiceClient.with_key("http://127.0.0.1:9", "key", "crn")
    line._http.auth = refuse
    with pytest.raises(ServiceError, match="API key could not be found") as refused:
        line.session("an-id")
    assert refused.value.status == 400


def test_no_account_is_connected_to_while_the_environment_leads_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("QISKIT_IBM_TOKEN", "a key")
    monkeypatch.setattr(connection_gate, "SECONDS", 0.01)
    busy = pytest.raises(UserError, match="Another service is being connected")
    with connection_gate.changing_environment(alone=False), busy:
        choose("ibm")
    with connection_gate.reading_environment():
        # an account that does not answer holds up neither another one nor this machine's emulator
        with connection_gate.reading_environment():
            pass
        with connection_gate.changing_environment(alone=False):
            pass
        with busy, connection_gate.changing_environment(alone=True):
            pass
    with connection_gate.changing_environment(alone=True):
        pass


def test_a_key_goes_to_no_other_service() -> None:
    ours = JoinedService("class", "https://127.0.0.1:1", "qs_mine", "crn")
    send_keys_only_home(ours)
    with pytest.raises(UserError, match="Another account's key"):
        IAMTokenManager("another", url=ours.url).get_token()
    for manager in (
        IAMTokenManager(ours.key, url=ours.url),
        IAMTokenManager("another", url="https://127.0.0.1:2"),
    ):
        with pytest.raises(requests.ConnectionError):
            manager.get_token()
