"""Python and the page spell durations and amounts alike: both are tested with the same vectors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from qsession_widgets import formatting

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "formatting.json").read_text("utf-8"))


@pytest.mark.parametrize(
    ("name", "case"), [(name, case) for name, cases in VECTORS.items() for case in cases]
)
def test_a_figure_is_spelled_in_one_way(name: str, case: list[Any]) -> None:
    *given, shown = case
    own = {"dollars": _dollars, "shares": _shares}
    spell = own.get(name) or getattr(formatting, f"format_{name}")
    assert spell(*given) == shown


def _dollars(seconds: float | None, price: float | None, final: bool) -> str | None:
    dollars = formatting.dollars_of(seconds, price, final)
    return None if dollars is None else formatting.format_money(dollars)


def _shares(parts: list[float], dollars: float) -> list[str]:
    cents = formatting.share_cents(parts, dollars)
    return [formatting.format_money(share / 100) for share in cents]
