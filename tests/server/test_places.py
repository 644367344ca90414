"""Sessions that were opened with another account, or in another instance, as notes tell."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from qsession_widgets.registry.entries import folder
from qsession_widgets.registry.schema import RegistryEntry

from .conftest import Service
from .running import Page

SAVED = "default-ibm-quantum-platform"


class Accounts:
    """The file in which the client library keeps accounts."""

    def __init__(self, path: Path, url: str):
        self.path = path
        self._url = url

    def save(self, **accounts: tuple[str, str | None]) -> None:
        """Save accounts by name, each a key and an instance, in place of all others."""
        saved = {
            name.replace("_", "-"): {
                "channel": "ibm_quantum_platform",
                "url": self._url,
                "token": key,
                "instance": instance,
            }
            for name, (key, instance) in accounts.items()
        }
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps(saved))
        part.replace(self.path)


@pytest.fixture
def accounts(variables: dict[str, str], service: Service) -> Iterator[Accounts]:
    """Where accounts are saved; none is."""
    path = Path(variables["HOME"], ".qiskit", "qiskit-ibm.json")
    path.parent.mkdir(exist_ok=True)
    yield Accounts(path, service.connection.api)
    path.unlink(missing_ok=True)
    for note in folder().glob("*.json"):
        note.unlink()


@pytest.fixture
def alice(service: Service) -> Iterator[Service]:
    """The instance of the default account."""
    alice = Service(service.connection, "alice")
    with alice.http:
        yield alice


@pytest.fixture
def carol(service: Service) -> Iterator[Service]:
    """Another instance, asked with the key that reaches all of them."""
    carol = Service(service.connection, "carol")
    carol.key = service.key
    carol.http.headers["Authorization"] = f"apikey {service.key}"
    with carol.http:
        yield carol


def leave(session_id: str, account: str, of: Service) -> Path:
    """Write down, as a kernel does, that it opened a session there."""
    note = RegistryEntry(
        session_id=session_id,
        url=of.connection.api,
        notebook="/somewhere/vqe.ipynb",
        process=os.getpid(),
        instance=of.crn,
        account=account,
        opened_at=time.time(),
    )
    folder().mkdir(parents=True, exist_ok=True)
    path = folder() / f"{session_id}.json"
    path.write_text(json.dumps(asdict(note)))
    return path


def key_of(account: str, of: Service) -> str:
    """The key of the service in which a note says that a session was opened."""
    return f"ibm:{account}@{of.crn.split(':')[7]}"


def test_where_a_note_says_a_session_was_opened_is_asked_until_the_account_is_gone(
    page: Page, service: Service, alice: Service, carol: Service, accounts: Accounts
) -> None:
    mine = {"default_ibm_quantum_platform": (alice.key, alice.crn)}
    accounts.save(**mine, every=(service.key, None))
    hers, far = alice.open(), carol.open()
    page.until_listed(hers, "ibm")
    assert far not in page.api("GET", "overview").text
    leave(far, "every", carol)
    key = key_of("every", carol)
    entry = page.until_listed(far, key)
    assert entry["opened_by"]["label"] == "vqe.ipynb"
    known = page.until_service(key, lambda one: one["answered_at"])
    # by its name, for its account reaches more than one
    assert known["info"]["label"] == "local emulator · carol · no charge"
    assert known["account"] == "the saved account 'every'"
    assert service.key not in page.api("GET", "overview").text
    # a note on what the default account has already makes no second service of it
    leave(hers, SAVED, alice)
    second = alice.open()
    page.until_listed(second, "ibm")
    assert key_of(SAVED, alice) not in [one["key"] for one in page.overview()["services"]]

    accounts.save(**mine)
    page.until_problem(
        key, f"The saved account 'every' is not there any more, and with it was opened {far}"
    )
    refused = page.command(key, far, "close")
    assert (refused.status_code, carol("GET", f"/sessions/{far}")["state"]) == (409, "open")
    accounts.save(**mine, every=(service.key, None))
    page.until_service(key, lambda one: one["problem"] is None)
    assert page.command(key, far, "close").json()["message"] == "Session closed."
    page.until_listed(far, key, state="closed")


def test_a_note_whose_account_is_gone_is_told(
    page: Page, service: Service, carol: Service, accounts: Accounts
) -> None:
    far = carol.open()
    note = leave(far, "gone", carol)
    key = key_of("gone", carol)
    known = page.until_problem(key, "The saved account 'gone' is not there any more")
    assert f"was opened {far} (by vqe.ipynb): save it again" in known["problem"]
    assert known["answered_at"] is None
    note.unlink()
    page.until(lambda document: key not in [one["key"] for one in document["services"]])


def test_another_instance_of_the_default_account(
    page: Page, service: Service, carol: Service, accounts: Accounts
) -> None:
    accounts.save(default_ibm_quantum_platform=(service.key, None))
    far = carol.open("batch")
    note = leave(far, SAVED, carol)
    key = key_of(SAVED, carol)
    # where the account has no instance of its own, it may have been taken for that
    document = page.until(
        lambda document: [
            one["service"] for one in document["workloads"] if one["snapshot"]["session_id"] == far
        ]
    )
    (listed,) = (
        one["service"] for one in document["workloads"] if one["snapshot"]["session_id"] == far
    )
    assert listed in (key, "ibm")
    note.unlink()
    carol("DELETE", f"/sessions/{far}/close")
    page.until_listed(far, listed, state="closed")
