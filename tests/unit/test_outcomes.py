"""The sentence for each result of a close or a cancel, and for what is to be said of a session."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest

from qsession_widgets.messages.end_reasons import end_reason
from qsession_widgets.messages.forecast import error_words, ways_line
from qsession_widgets.messages.notices import notices
from qsession_widgets.messages.outcomes import ended
from qsession_widgets.model import EndCode, EndReason, EndResult, SessionSnapshot
from qsession_widgets.model.forecast import Assumed, Forecast, Range, WayForecast

VECTORS = Path(__file__).parents[1] / "vectors" / "outcomes.json"
CASES: list[dict[str, Any]] = json.loads(VECTORS.read_text("utf-8"))["cases"]
ENDS: list[dict[str, Any]] = json.loads(VECTORS.read_text("utf-8"))["ends"]
DEFAULT: dict[str, Any] = json.loads(VECTORS.with_name("countdowns.json").read_text("utf-8"))[
    "default_snapshot"
]

FORECASTS: list[dict[str, Any]] = json.loads(VECTORS.read_text("utf-8"))["forecasts"]
SAID: list[dict[str, Any]] = json.loads(VECTORS.with_name("notices.json").read_text())["cases"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["sentence"])
def test_each_result_has_its_sentence(case: dict[str, Any]) -> None:
    assert ended(EndResult(**case["result"]), **case["about"]) == case["sentence"]


def test_every_code_has_a_case() -> None:
    assert {case["result"]["code"] for case in CASES} == set(get_args(EndCode))


@pytest.mark.parametrize("case", ENDS, ids=lambda case: case["words"])
def test_each_reason_for_an_end_has_its_words_and_figures(case: dict[str, Any]) -> None:
    snapshot = SessionSnapshot.from_json({**DEFAULT, "jobs": [], **case["snapshot"]})
    assert end_reason(snapshot, case["now"]) == case["words"]


def test_every_reason_for_an_end_has_a_case() -> None:
    named = {case["snapshot"].get("end_reason") for case in ENDS}
    assert named == {*get_args(EndReason), None}


@pytest.mark.parametrize("case", SAID, ids=lambda case: case["sentence"])
def test_what_is_to_be_said_of_a_session(case: dict[str, Any]) -> None:
    charged = not case.get("local")
    service = {**DEFAULT["service"], "price_per_second": 1.6, "charged": charged}
    whole = {**DEFAULT, **case["snapshot"], "service": service, "jobs": []}
    snapshot = SessionSnapshot.from_json(whole)
    assert " ".join(notices(snapshot, 1000.0)) == case["sentence"]
    assert SessionSnapshot.from_json(snapshot.to_json()) == snapshot


@pytest.mark.parametrize("case", FORECASTS, ids=lambda case: case["words"])
def test_the_three_ways_on_ibm_and_their_error_have_the_same_words(case: dict[str, Any]) -> None:
    assumed = Assumed(price=case["price"], ratios=tuple(case["ratios"]))
    session, batch, job = (
        WayForecast(
            seconds := Range(*bounds[0:2]),
            used := Range(*bounds[2:4]),
            used.at(assumed.price),
            (bounds[4], bounds[5]),
            (seconds.low, used.low),
        )
        for bounds in (case["ways"][at : at + 6] for at in (0, 6, 12))
    )
    found = Forecast(3, session, batch, job, assumed, estimated=True)
    assert ways_line(found, plan=case["plan"]) == case["words"]
    assert error_words(assumed.ratios) == case["error"]
