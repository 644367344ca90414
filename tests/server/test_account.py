"""The saved account, which comes and goes while pages look on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from qsession_widgets.server.overview import ACCOUNT_REMOVED

from .conftest import Service
from .running import Page, find

Save = Callable[[], None]


@pytest.fixture
def file(variables: dict[str, str]) -> Iterator[Path]:
    """Where the client library keeps accounts."""
    path = Path(variables["HOME"], ".qiskit", "qiskit-ibm.json")
    path.parent.mkdir(exist_ok=True)
    yield path
    path.unlink(missing_ok=True)


@pytest.fixture
def alice(service: Service) -> Iterator[Service]:
    """The instance that plays the account."""
    alice = Service(service.connection, "alice")
    with alice.http:
        yield alice


def save(file: Path, alice: Service) -> None:
    """Save the account, as ``QiskitRuntimeService.save_account`` does."""
    account = {
        "channel": "ibm_quantum_platform",
        "url": alice.connection.api,
        "token": alice.key,
        "instance": alice.crn,
    }
    # in one step: the server may be reading it
    part = file.with_suffix(".part")
    part.write_text(json.dumps({"default-ibm-quantum-platform": account}))
    part.replace(file)


def test_the_account_is_asked_too_and_removed_while_open(
    page: Page, service: Service, alice: Service, file: Path
) -> None:
    mine, hers = service.open(), alice.open()
    save(file, alice)
    known = page.until_service("ibm", lambda one: one["answered_at"])
    assert known["account"] == "the saved account"
    assert page.until_listed(hers, "ibm")["snapshot"]["mode"] == "dedicated"
    page.until_listed(mine, "local")
    assert alice.key not in page.api("GET", "overview").text

    file.unlink()
    page.until_problem("ibm", ACCOUNT_REMOVED)
    entry = find(page.overview(), hers)
    assert entry is not None, "it still costs money"
    assert entry["snapshot"]["problem"] == ACCOUNT_REMOVED
    refused = page.command("ibm", hers, "close")
    assert (refused.status_code, refused.json()["message"]) == (409, ACCOUNT_REMOVED)
    assert alice("GET", f"/sessions/{hers}")["state"] == "open"

    save(file, alice)
    page.until_service("ibm", lambda one: one["problem"] is None)
    assert page.command("ibm", hers, "close").json()["message"] == "Session closed."
    page.until_listed(hers, "ibm", state="closed")


def test_a_file_that_cannot_be_read(page: Page, service: Service, file: Path) -> None:
    mine = service.open()
    file.write_text("{")
    page.until_problem("ibm", "The file of saved accounts ")
    page.until_listed(mine, "local")
    file.unlink()
    page.until(lambda document: "ibm" not in [one["key"] for one in document["services"]])


def test_an_account_that_is_refused(
    page: Page, service: Service, alice: Service, file: Path
) -> None:
    save(file, alice)
    text = file.read_text().replace(alice.key, "wrong" * 8)
    file.write_text(text)
    page.until_problem("ibm", "Could not connect to IBM Quantum with the saved account")
    assert "wrong" not in json.dumps(page.overview())
