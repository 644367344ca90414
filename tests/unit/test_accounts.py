"""Which account is the default one, as the client library has it, and what instances are called."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from qiskit_ibm_runtime.accounts import AccountManager, AccountNotFoundError

from qsession_widgets.client.accounts import (
    IN_ENVIRONMENT,
    default_account,
    every_account,
    find_account,
)
from qsession_widgets.client.connected_service import describe_instance
from qsession_widgets.errors import UserError

PLATFORM, CLOUD = "ibm_quantum_platform", "ibm_cloud"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where accounts are saved."""
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / ".qiskit" / "qiskit-ibm.json"
    path.parent.mkdir()
    return path


def account(name: str, channel: str = PLATFORM, **fields: Any) -> dict[str, Any]:
    return {name: {"channel": channel, "token": f"key of {name}", "url": None, **fields}}


@pytest.mark.parametrize(
    "saved",
    [
        account("default-ibm-quantum-platform") | account("z"),
        account("a") | account("default-ibm-quantum-platform") | account("z"),
        account("a") | account("b", is_default_account=True) | account("c"),
        account("default-ibm-quantum-platform") | account("b", CLOUD, is_default_account=True),
        account("a") | account("b"),
        account("a", CLOUD) | account("b") | account("c", CLOUD),
        account("a", CLOUD) | account("default-ibm-cloud", CLOUD),
    ],
)
@pytest.mark.parametrize("channel", [None, CLOUD])
def test_the_default_account_is_the_client_librarys(
    file: Path, monkeypatch: pytest.MonkeyPatch, saved: dict[str, Any], channel: str | None
) -> None:
    if channel is not None:
        monkeypatch.setenv("QISKIT_IBM_CHANNEL", channel)
    file.write_text(json.dumps(saved))
    ours = default_account()
    assert ours is not None
    assert find_account() == ours.words == "the saved account"
    try:
        theirs = AccountManager.get(filename=str(file))
    except AccountNotFoundError:
        # which is said when somebody takes it
        assert ours.name == ""
    else:
        assert theirs is not None
        assert theirs.token == f"key of {ours.name}"
    assert {one.name for one in every_account()} - {""} == set(saved)
    assert "key of" not in repr(every_account())


def test_the_environment_goes_first(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert default_account() is None
    assert every_account() == []
    file.write_text(json.dumps(account("a") | account("old", "ibm_quantum")))
    monkeypatch.setenv("QISKIT_IBM_TOKEN", "key of a")
    here, saved = every_account()
    assert (here.name, here.words) == ("", IN_ENVIRONMENT)
    # one key is one account, however often it is there
    assert (saved.name, saved.owner_key) == ("a", here.owner_key)
    with pytest.raises(UserError, match="There is no saved account 'b': there are a, old"):
        find_account("b")


class Service:
    """What the client library has an object for: an account's instances."""

    def __init__(self, *plans: tuple[str, str]):
        start = "crn:v1:bluemix:public:quantum-computing"
        self.crns = [f"{start}:{one[0]}:a/x:{number}::" for number, one in enumerate(plans)]
        self._items = [
            {"crn": crn, "name": f"team {number}", "plan": plan}
            for number, (crn, (_, plan)) in enumerate(zip(self.crns, plans, strict=True))
        ]

    def instances(self) -> list[dict[str, str]]:
        return self._items

    def active_account(self) -> dict[str, str]:
        return {"token": "key of a"}

    def _get_api_client(self, _instance: str | None = None) -> Any:
        return SimpleNamespace(_session=SimpleNamespace(base_url="https://quantum.invalid/api/v1"))


def test_instances_of_one_account_can_be_told_apart() -> None:
    service: Any = Service(
        ("us-east", "premium"), ("us-east", "premium"), ("eu-de", "pay-as-you-go")
    )
    infos = [describe_instance(service, crn) for crn in service.crns]
    assert [info.label for info in infos] == [
        "IBM Quantum · us-east · Premium · team 0",
        "IBM Quantum · us-east · Premium · team 1",
        "IBM Quantum · eu-de · Pay-as-you-go · team 2",
    ]
    assert [info.price_per_second for info in infos] == [0.8, 0.8, 1.6]
    assert (infos[2].plan, infos[2].charged) == ("payg", True)
    alone: Any = Service(("us-east", "open"))
    assert describe_instance(alone, alone.crns[0]).label == "IBM Quantum · us-east · Open"
