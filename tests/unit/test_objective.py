from __future__ import annotations

import csv
import json
import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from qiskit.primitives import BitArray, DataBin, PrimitiveResult, PubResult

from qsession_widgets.errors import UserError
from qsession_widgets.model import SeriesPoint, SessionSnapshot, summaries
from qsession_widgets.model.objective import stalled
from qsession_widgets.sessions.job_facts import MOST_BYTES, top_counts
from qsession_widgets.sessions.objective import first_value, logged_points
from qsession_widgets.views.export import export
from qsession_widgets.views.figures import JOB_FIGURES, job_figures
from qsession_widgets.views.objective import MOST_SERIES, metrics_table
from qsession_widgets.views.receipt import to_html, to_json, to_text

from .test_receipt import closed

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "series.json").read_text("utf-8"))

POINTS = (
    SeriesPoint("expectation value", -1.13, 1001.0, 0.021, job_id="job0"),
    SeriesPoint("cost", 4.0, 1002.0, step=1.0, job_id="job0"),
    SeriesPoint("expectation value", -1.17, 1003.0, 0.02, job_id="job1"),
    SeriesPoint("expectation value", -1.1512, 1004.0, 0.019, job_id="job2"),
)


@pytest.fixture
def session() -> SessionSnapshot:
    return replace(closed(3), points=POINTS)


def result(*bins: DataBin) -> PrimitiveResult[PubResult]:
    return PrimitiveResult([PubResult(data) for data in bins])


def test_a_scalar_has_its_error() -> None:
    data = DataBin(evs=np.float64(-1.1), stds=np.float64(0.02))
    assert first_value(result(data)) == (-1.1, 0.02)
    assert first_value(result(DataBin(evs=np.array(0.5)))) == (0.5, None)


def test_of_several_the_first_is_taken() -> None:
    grid = DataBin(evs=np.array([[1.0, 2.0], [3.0, 4.0]]), stds=np.full((2, 2), 0.1), shape=(2, 2))
    assert first_value(result(grid, DataBin(evs=np.float64(9.0)))) == (1.0, 0.1)


@pytest.mark.parametrize(
    "other",
    [
        None,
        "text",
        {"evs": 1.0},
        result(),
        result(DataBin(evs=BitArray.from_samples(["0", "1"]))),
        result(DataBin(meas=BitArray.from_samples(["0", "1"]))),
        result(DataBin(evs=np.float64("nan"), stds=np.float64(0.1))),
        result(DataBin(evs=np.array([]), shape=(0,))),
        result(DataBin(evs=np.array(1 + 2j))),
    ],
)
def test_what_has_no_value_has_none(other: object) -> None:
    assert first_value(other) is None


def log(*unnamed: object, step: object = None, **series: object) -> list[SeriesPoint]:
    return logged_points(unnamed, step, series, time=5.0, job_id="job7")


def test_values_are_logged_with_time_and_job() -> None:
    assert log(step=3, energy=np.float32(0.5), cost=(2, 0.25), norm=np.array([7])) == [
        SeriesPoint("energy", 0.5, 5.0, None, 3.0, "job7"),
        SeriesPoint("cost", 2.0, 5.0, 0.25, 3.0, "job7"),
        SeriesPoint("norm", 7.0, 5.0, None, 3.0, "job7"),
    ]


@pytest.mark.parametrize(
    ("unnamed", "given", "said"),
    [
        ((), {}, "needs a series and its value"),
        ((), {"step": 3}, "needs a series and its value"),
        ((-1.1,), {}, "takes values by name only"),
        ((), {"energy": "low"}, "energy is a number, or (value, error), not 'low'."),
        ((), {"energy": None}, "not None."),
        ((), {"energy": True}, "not True."),
        ((), {"energy": 1j}, "not 1j."),
        ((), {"energy": (1, 2, 3)}, "not (1, 2, 3)."),
        ((), {"energy": np.zeros((2, 3))}, "not an array of shape (2, 3)."),
        ((), {"energy": [0.0] * 100}, "not a list."),
        ((), {"energy": float("nan")}, "energy is nan, and only finite numbers"),
        ((), {"energy": -np.inf}, "energy is -inf, and only finite numbers"),
        ((), {"energy": (1.0, "small")}, "the error of energy is a number, not 'small'."),
        ((), {"energy": (1.0, -0.1)}, "the error of energy is 0 or more, not -0.1."),
        ((), {"good": 1.0, "energy": "low"}, "energy is a number"),
        ((), {"step": "first", "energy": 1.0}, "step is a number, not 'first'."),
        ((), {"step": float("nan"), "energy": 1.0}, "step is nan"),
    ],
)
def test_bad_input_is_one_sentence(
    unnamed: tuple[object, ...], given: dict[str, object], said: str
) -> None:
    with pytest.raises(UserError) as caught:
        log(*unnamed, **given)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_summary_has_the_latest_and_the_lowest() -> None:
    read, cost = summaries(POINTS)
    assert (read.series, read.latest, read.best) == ("expectation value", POINTS[3], POINTS[2])
    assert (read.count, read.noisy) == (3, True)
    assert (cost.latest, cost.best, cost.count, cost.noisy) == (POINTS[1], POINTS[1], 1, False)


def test_the_receipt_has_a_line_for_each_series(session: SessionSnapshot) -> None:
    expected = {
        "expectation value": "latest -1.151 ± 0.019 · best (minimum) -1.170 ± 0.020 (picked from "
        "noise: likely too low) · 3 points",
        "cost": "latest 4 · best (minimum) 4 · 1 point",
    }
    lines = to_text(session).splitlines()
    page = re.sub(r"<[^>]*>", "\n", to_html(session))
    for name, words in expected.items():
        (line,) = [line for line in lines if line.startswith(name)]
        assert line.removeprefix(name).strip() == words
        assert words in page
    assert "picked from noise" not in to_text(replace(session, points=POINTS[1:2]))
    assert "best" not in to_text(closed(3))


def test_the_receipt_stays_short_with_many_series(session: SessionSnapshot) -> None:
    many = tuple(SeriesPoint(f"theta_{number}", 0.5, 1001.0) for number in range(100))
    text = to_text(replace(session, points=many))
    assert text.count("theta_") == MOST_SERIES
    assert "80 more, in session.metrics() and the exports" in text


def test_a_name_from_the_user_is_no_markup(session: SessionSnapshot) -> None:
    named = replace(session, points=(SeriesPoint("<b>$E$</b>", 1.0, 1001.0),))
    assert "<b>" not in to_html(named)


def test_the_table_has_utc_times(session: SessionSnapshot) -> None:
    table = metrics_table(session)
    assert list(table.columns) == ["time", "job_id", "series", "value", "error", "step"]
    assert str(table["time"].dt.tz) == "UTC"
    assert table["time"][0] == pd.Timestamp(1001.0, unit="s", tz="UTC")
    assert list(table["job_id"]) == ["job0", "job0", "job1", "job2"]
    assert list(table["value"]) == [-1.13, 4.0, -1.17, -1.1512]
    assert table["error"].isna().tolist() == [False, True, False, False]
    empty = metrics_table(closed(0))
    assert len(empty) == 0
    for column in ("time", "value", "error", "step"):
        assert empty[column].dtype == table[column].dtype


def test_the_tables_times_are_whole_milliseconds(session: SessionSnapshot) -> None:
    logged = replace(session, points=(SeriesPoint("cost", 4.0, 1002.752526999),))
    assert metrics_table(logged)["time"][0].isoformat() == "1970-01-01T00:16:42.753000+00:00"


def test_json_has_the_points_and_is_read_back(session: SessionSnapshot, tmp_path: Path) -> None:
    assert export(session, 1101.0, tmp_path / "x.json") == [tmp_path / "x.json"]
    written = json.loads((tmp_path / "x.json").read_text())
    assert [point["value"] for point in written["points"]] == [-1.13, 4.0, -1.17, -1.1512]
    assert written["points"][0]["time"] == "1970-01-01T00:16:41.000+00:00"
    assert written == json.loads(json.dumps(to_json(session, 1101.0)))
    assert (written["jobs"][0]["ran"], written["end_words"]) == (1.5, "closed early")
    assert written["cost_by_cause"] is not None
    assert SessionSnapshot.from_json(written) == session
    del written["points"]
    assert SessionSnapshot.from_json(written) == closed(3)


def test_csv_has_the_points_in_a_second_file(session: SessionSnapshot, tmp_path: Path) -> None:
    files = export(session, 1101.0, tmp_path / "x.csv")
    assert files == [tmp_path / "x.csv", tmp_path / "x_metrics.csv"]
    with open(files[0], newline="") as file:
        jobs = list(csv.DictReader(file))
    assert [row["id"] for row in jobs] == ["job0", "job1", "job2"]
    figures = [job_figures(job, session) for job in session.jobs]
    assert [{name: float(row[name]) for name in JOB_FIGURES} for row in jobs] == figures
    assert jobs[0]["started"] == "1970-01-01T00:16:40.500+00:00"
    with open(files[1], newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["series"] for row in rows] == [point.series for point in POINTS]
    assert rows[1] == {
        "time": "1970-01-01T00:16:42.000+00:00",
        "job_id": "job0",
        "series": "cost",
        "value": "4.0",
        "error": "",
        "step": "1.0",
    }
    assert export(closed(3), 1101.0, tmp_path / "y.csv") == [tmp_path / "y.csv"]
    assert not (tmp_path / "y_metrics.csv").exists()


@pytest.mark.parametrize("at", range(len(VECTORS["summaries"])))
def test_summaries_are_those_of_the_page(at: int) -> None:
    points = [
        SeriesPoint(name, value, time, error)
        for time, (name, value, error) in enumerate(VECTORS["points"])
    ]
    found = summaries(points)[at]
    assert VECTORS["summaries"][at] == {
        "series": found.series,
        "latest": found.latest.time,
        "best": found.best.time,
        "count": found.count,
        "noisy": found.noisy,
    }


@pytest.mark.parametrize("case", VECTORS["stalls"], ids=[one["name"] for one in VECTORS["stalls"]])
def test_a_series_that_has_nearly_stopped(case: dict[str, Any]) -> None:
    size = case["steps"]
    points = tuple(
        SeriesPoint("energy", value, at, case["error"], None if size is None else at // size)
        for at, value in enumerate(case["values"])
    )
    found = stalled(points)
    assert (None if found is None else asdict(found)) == (
        case["expect"] and pytest.approx(case["expect"])
    )
    text = to_text(replace(closed(1), points=points))
    assert ("its last 8 steps changed it by" in text) == (found is not None)
    assert ("nearly stopped" in text) == (found is not None and found.slow)


def test_the_most_frequent_outcomes_of_all_registers() -> None:
    first = BitArray.from_samples(["00", "01", "00", "11", "00", "01"])
    assert top_counts([first]) == (("00", 3), ("01", 2), ("11", 1))
    wide = BitArray.from_samples(["0" * 9 + "1"] * 4 + ["1" + "0" * 9] * 2)
    # as the client joins them: the register that was added first is the last
    assert top_counts([first, wide])[0] == ("0000000001 00", 2)
    assert sum(count for _, count in top_counts([first, wide])) <= 6


def test_a_result_that_takes_long_to_count_is_left_alone() -> None:
    many = BitArray(np.zeros((MOST_BYTES + 1, 1), dtype=np.uint8), 3)
    assert top_counts([many]) == ()
    assert top_counts([BitArray(np.zeros((0, 1), dtype=np.uint8), 3)]) == ()
