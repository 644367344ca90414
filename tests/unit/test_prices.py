"""Prices by plan: the list's, the user's own, and which one a figure says that it used."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from qsession_widgets.cli.main import main
from qsession_widgets.client import prices
from qsession_widgets.client.accounts import owner_key
from qsession_widgets.client.prices import VARIABLE, price_of, prices_file, read_price
from qsession_widgets.emulator.rules.records import PLANS
from qsession_widgets.errors import UserError
from qsession_widgets.messages.labels import price_words
from qsession_widgets.model import ServiceInfo
from qsession_widgets.price_list import LIST_PRICES
from qsession_widgets.registry.lookup import own_price, priced
from qsession_widgets.registry.schema import RegistryEntry


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without prices or accounts."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "jupyter"))
    monkeypatch.delenv(VARIABLE, raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("plan", "price", "source"),
    [
        ("payg", 1.60, "list"),
        ("Pay-As-You-Go", 1.60, "list"),
        ("flex", 1.20, "list"),
        ("Premium", 0.80, "list"),
        ("open", None, ""),
        ("on-prem", None, ""),
        ("", None, ""),
    ],
)
def test_each_plan_has_its_list_price(plan: str, price: float | None, source: str) -> None:
    assert price_of(plan) == (pytest.approx(price) if price else None, source)


def test_every_plan_that_the_emulator_plays_is_on_the_list() -> None:
    assert set(PLANS) == set(LIST_PRICES)
    assert all(price.source.startswith("https://") for price in LIST_PRICES.values())


@pytest.mark.parametrize(
    ("text", "price"),
    [("0.65", 0.65), ("$0.65/s", 0.65), ("$39/min", 0.65), ("39 / minutes", 0.65)],
)
def test_a_price_is_read_by_the_second_or_the_minute(text: str, price: float) -> None:
    assert read_price(text) == pytest.approx(price)


@pytest.mark.parametrize(
    "text", ["", "cheap", "-1", "1,5", "$39/h", "$39/month", "1/ms", "nan", "9" * 400]
)
def test_what_is_no_price_is_a_sentence(text: str) -> None:
    with pytest.raises(UserError, match=r"is no price: write dollars a second, such as 0\.65"):
        read_price(text)


def test_a_price_of_ones_own_goes_before_the_list(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["price", "set", "$39/min", "--plan", "Premium"]) == 0
    assert "counts $0.65/s on the Premium Plan" in capsys.readouterr().out
    assert price_of("premium") == (pytest.approx(0.65), "own")
    assert price_of("flex") == (pytest.approx(1.2), "list")
    assert prices_file().stat().st_mode & 0o077 == 0, "nobody else's business"
    assert main(["price", "set", "1"]) == 0
    assert (price_of("flex"), price_of("on-prem")) == ((1.0, "own"), (1.0, "own"))
    assert price_of("premium")[0] == pytest.approx(0.65), "the nearer one counts"
    assert price_of("open") == (None, "")
    assert main(["price", "unset", "--plan", "premium"]) == 0
    assert price_of("premium") == (1.0, "own")
    assert main(["price", "unset", "--plan", "premium"]) == 1
    assert "There is no price of yours on the Premium Plan" in capsys.readouterr().err


def test_a_price_for_one_account_holds_for_its_key_only(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = home / ".qiskit" / "qiskit-ibm.json"
    saved.parent.mkdir()
    channel = "ibm_quantum_platform"
    accounts = {name: {"channel": channel, "token": f"key of {name}"} for name in ("lab", "home")}
    saved.write_text(json.dumps(accounts))
    assert main(["price", "set", "0.5", "--account", "lab"]) == 0
    assert price_of("premium", owner_key("key of lab")) == (0.5, "own")
    assert price_of("premium", owner_key("key of home")) == (pytest.approx(0.8), "list")
    assert price_of("premium") == (pytest.approx(0.8), "list"), "the emulator has no account"
    assert main(["price", "set", "0.5", "--account", "lap"]) == 1
    assert "Did you mean lab?" in capsys.readouterr().err


def test_the_variable_goes_before_the_file_and_the_configuration_before_both(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    main(["price", "set", "1"])
    monkeypatch.setenv(VARIABLE, "$30/min")
    assert price_of("premium") == (0.5, "environment")
    assert price_of("open") == (None, "")
    monkeypatch.setattr(prices, "_configured", "0.4")
    assert price_of("premium") == (0.4, "config"), "the notebook's own goes before it"
    monkeypatch.setattr(prices, "_configured", "")
    monkeypatch.setenv(VARIABLE, "dear")
    with pytest.raises(UserError, match=f"The variable {VARIABLE} cannot be used"):
        price_of("premium")


def test_the_open_plan_takes_no_price(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["price", "set", "1", "--plan", "open"]) == 1
    assert "The Open Plan is free" in capsys.readouterr().err


def test_a_plan_that_nobody_has_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    for typed, meant in (("premum", "premium"), ("felx", "flex"), ("pay-as-you", "pay-as-you-go")):
        assert main(["price", "set", "1", "--plan", typed]) == 1
        assert f"There is no plan '{typed}': did you mean {meant}" in capsys.readouterr().err
    assert prices.own_prices() == []
    assert main(["price", "set", "1", "--plan", "campus"]) == 0
    assert "That plan is not on IBM's list" in capsys.readouterr().out
    assert price_of("Campus Plan") == (1.0, "own")


@pytest.mark.parametrize("content", ["nonsense", "[3]", '[{"dollars_per_second": -1}]'])
def test_a_broken_file_is_a_sentence(content: str, capsys: pytest.CaptureFixture[str]) -> None:
    prices_file().parent.mkdir()
    prices_file().write_text(content)
    assert main(["price", "show"]) == 1
    assert "remove it, and set them again" in capsys.readouterr().err


def test_show_lists_both_with_source_and_date(capsys: pytest.CaptureFixture[str]) -> None:
    main(["price", "set", "0.5", "--plan", "flex"])
    capsys.readouterr()
    assert main(["price", "show"]) == 0
    said = capsys.readouterr().out
    assert "Premium        $0.80/s  $48 a minute, by subscription  https://www.ibm.com" in said
    assert "May 2026" in said
    assert "Yours on the Flex Plan: $0.50/s" in said
    assert main(["price", "show", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["own"][0]["plan"] == "flex"


def test_a_figure_says_which_price_it_used() -> None:
    info = ServiceInfo("ibm", "IBM Quantum", "premium", 0.8, price_source="list")
    assert price_words(info) == "at $0.80/s, list price of Premium"
    assert price_words(replace(info, price_source="own")) == "at $0.80/s, your price"
    named = price_words(replace(info, price_source="environment"))
    assert named == "at $0.80/s, your price (QSESSION_PRICE)"
    assert price_words(replace(info, price_per_second=None, price_source="")) == ""


def test_a_session_keeps_its_plan_and_price_whatever_holds_later() -> None:
    def noted(service: ServiceInfo) -> RegistryEntry:
        return RegistryEntry("s", "http://127.0.0.1:1", "", 1, **own_price(service))

    def emulator(plan: str) -> ServiceInfo:
        price, source = price_of(plan)
        return ServiceInfo(
            "local", "local emulator", plan, price, charged=False, price_source=source
        )

    payg, flex, free = emulator("payg"), emulator("flex"), emulator("open")
    later = emulator("premium")
    assert price_words(priced(later, noted(flex))) == "at $1.20/s, list price of Flex"
    assert priced(later, noted(payg)) == payg
    assert priced(later, noted(free)).price_per_second is None
    assert priced(later, replace(noted(flex), plan="", price=None)) == later
    # a price that is set while a session is open holds from the next one on
    assert main(["price", "set", "0.5", "--plan", "premium"]) == 0
    assert price_words(emulator("premium")) == "at $0.50/s, your price"
    assert priced(emulator("premium"), noted(later)) == later
    mine = emulator("premium")
    assert main(["price", "unset", "--plan", "premium"]) == 0
    assert priced(emulator("premium"), noted(mine)) == mine
