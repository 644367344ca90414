"""Sessions side by side, worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from panel import states

from qsession_widgets import UserError, compare
from qsession_widgets.model import usage
from qsession_widgets.views.receipt import to_json


def test_idle_share_and_cost_per_job() -> None:
    jobs = [states.job("done", 10.0, 20.0, 30.0), states.job("done", 40.0, 45.0, 60.0)]
    a = states.session(jobs, active_periods=(states.since(20.0, 120.0),), state="inactive")
    b = states.session(jobs, mode="batch", name="all at once")
    found = compare(a, b)
    # a hundred seconds active, 25 of them with a job
    assert (found.a.jobs, found.a.usage) == (2, 100.0)
    assert found.a.idle_share == pytest.approx(0.75)
    assert found.a.cost_per_job == pytest.approx(80.0)
    assert (found.a.median_queued, found.a.median_ran) == (7.5, 12.5)
    # a batch pays for the QPU only: three quarters of each run, by these states, shown as 18 s
    assert found.b.name == "all at once"
    assert found.b.idle_share == 0
    assert found.b.cost_per_job == pytest.approx(1.6 * 18 / 2)
    text = repr(found)
    assert "75%" in text
    assert "≈ $80.00" in text


def test_another_price_counts_for_both() -> None:
    found = compare(states.closed(), states.idle(), price_per_second=2.0)
    assert found.a.cost == pytest.approx(2 * found.a.usage)
    assert found.b.cost == pytest.approx(2 * usage(states.idle(), states.NOW).total)


def test_what_ticks_costs_the_same_as_in_the_receipt() -> None:
    ticking = states.session([], active_periods=(states.since(20.0, 30.75),), state="inactive")
    receipt = to_json(ticking)
    # 10.75 s are shown as 10 s
    assert receipt["cost"] == pytest.approx(16.0)
    assert sum(receipt["cost_by_cause"].values()) == pytest.approx(receipt["cost"], abs=0.02)
    assert compare(ticking, ticking).a.cost == pytest.approx(receipt["cost"])


def test_the_figure_shows_what_the_numbers_say() -> None:
    found = compare(states.idle(), states.closed())
    figure = found.figure
    split = {bar.name: bar.x for bar in figure.data[:3]}
    assert sum(values[1] for values in split.values()) == pytest.approx(found.a.usage)
    assert split["idle"][0] == pytest.approx(found.b.idle)
    assert list(figure.data[0].y) == [found.b.name, found.a.name]
    assert found.a.name != found.b.name
    assert found.to_dataframe()[found.a.name]["jobs"] == found.a.jobs


def test_three_are_compared_as_two_are() -> None:
    batch = states.session([states.job("done", 10.0, 20.0, 30.0)], mode="batch", name="all at once")
    found = compare(states.closed(), states.closed(), batch)
    assert [each.name[-3:] for each in found.each] == ["(a)", "(b)", "nce"]
    assert list(found.figure.data[0].y) == [each.name for each in reversed(found.each)]
    assert list(found.to_dataframe().columns) == [each.name for each in found.each]
    assert len(repr(found).splitlines()[0].split("  ")) >= 4


def test_without_a_price_or_a_job() -> None:
    free = replace(states.LOCAL, price_per_second=None)
    found = compare(replace(states.opened(), service=free), replace(states.idle(), service=free))
    assert (found.a.idle_share, found.a.cost_per_job, found.b.cost) == (None, None, None)
    assert "usage per job (s)" in found.figure.layout.xaxis2.title.text
    assert "\u2013" in repr(found)


def test_something_else_is_refused_in_a_sentence() -> None:
    with pytest.raises(UserError, match="not str"):
        compare("7b695108", states.idle())  # type: ignore[arg-type]
