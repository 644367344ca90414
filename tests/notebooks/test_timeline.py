"""The two still pictures of a session: the plotly figure, and the SVG of the receipt."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from qsession_widgets.local_time import local_time
from qsession_widgets.model import JobRecord, ServiceInfo, SessionSnapshot
from qsession_widgets.views.svg_timeline import draw, idle_spans
from qsession_widgets.views.timeline import MOST_ROWS, timeline, to_dataframe

START = 1_750_000_000.0


def job(name: str, created: float, started: float | None, finished: float | None, status: Any):
    times = [None if time is None else START + time for time in (created, started, finished)]
    return JobRecord(name, "sampler", status, times[0], times[1], times[2], exact=True)


@pytest.fixture
def ended() -> SessionSnapshot:
    """A session that was deactivated once and ended at its maximum time with a job queued."""
    return SessionSnapshot(
        session_id="s",
        mode="dedicated",
        backend="fake_manila",
        service=ServiceInfo("local", "local emulator"),
        state="closed",
        state_reason="session_max_ttl_reached",
        answered_at=START + 400,
        opened_at=START,
        started_at=START + 60,
        closed_at=START + 320,
        interactive_ttl=60.0,
        max_ttl=240.0,
        active_periods=((START + 60, START + 130), (START + 190, START + 320)),
        others=((START, START + 5, START + 60), (START + 50, START + 130, START + 190)),
        jobs=(
            job("first", 2, 60, 70, "done"),
            job("again", 150, 190, 200, "done"),
            job("over", 200, 200, 320, "done"),
            job("left", 201, None, 300, "failed"),
        ),
    )


def traces(figure: Any) -> dict[str, Any]:
    return {trace.name: trace for trace in figure.data}


def test_each_job_has_a_row_while_they_are_few(ended: SessionSnapshot) -> None:
    figure = timeline(ended)
    rows = dict(zip(figure.layout.yaxis.tickvals, figure.layout.yaxis.ticktext, strict=True))
    assert rows == {4: "job 1", 3: "job 2", 2: "job 3", 1: "job 4", 0: "other users"}
    assert list(traces(figure)["done"].y) == [4, 3, 2]
    assert list(traces(figure)["done"].x) == pytest.approx([10_000, 10_000, 120_000])


def test_many_jobs_share_a_row(ended: SessionSnapshot) -> None:
    many = tuple(job(f"j{i}", i, i, i + 1, "done") for i in range(MOST_ROWS + 1))
    figure = timeline(replace(ended, jobs=many))
    assert list(figure.layout.yaxis.ticktext) == ["other users", "this session"]


def test_a_job_that_never_ran_is_a_cross_where_it_ended(ended: SessionSnapshot) -> None:
    cross = traces(timeline(ended))["failed without running"]
    assert (cross.mode, list(cross.y)) == ("markers", [1])
    assert str(cross.x[0])[11:19] == f"{local_time(START + 300):%H:%M:%S}"


def test_idle_time_is_what_is_billed_with_nothing_running(ended: SessionSnapshot) -> None:
    spans = [(begin - START, end - START) for begin, end in idle_spans(ended, START + 400)]
    assert spans == [(70, 130)]
    assert idle_spans(replace(ended, mode="batch"), START + 400) == []


def test_active_and_deactivated_times_and_the_maximum_are_said(ended: SessionSnapshot) -> None:
    said = [note.text for note in timeline(ended).layout.annotations]
    assert said == ["active", "deactivated", "active", "idle 1 m 0 s", "maximum time"]


def test_others_that_ran_are_told_from_those_that_waited(ended: SessionSnapshot) -> None:
    found = traces(timeline(ended))
    assert list(found["others running"].x) == pytest.approx([55_000, 60_000])
    assert list(found["others waiting"].x) == pytest.approx([5_000, 80_000])


def test_a_session_without_jobs_has_a_picture(ended: SessionSnapshot) -> None:
    empty = replace(
        ended, state="open", jobs=(), others=(), active_periods=(), started_at=None, closed_at=None
    )
    assert list(timeline(empty).layout.yaxis.ticktext) == ["this session"]


def test_an_error_cannot_bring_tags_into_the_figure(ended: SessionSnapshot) -> None:
    bad = replace(ended.jobs[3], error="<a href='x'>& " + "long " * 300, program="<b>")
    cross = traces(timeline(replace(ended, jobs=(*ended.jobs[:3], bad))))["failed without running"]
    lines = cross.hovertext[0].split("<br>")
    assert lines[1] == "&lt;b&gt;"
    assert lines[3].startswith("&lt;a href='x'&gt;&amp; long")
    # and is no wider than the figure
    assert max(len(line) for line in lines) < 100
    assert len(lines) == 7


def test_the_still_picture_says_the_same(ended: SessionSnapshot) -> None:
    svg = draw(ended, START + 400)
    assert svg.count(">active<") == 2
    assert svg.count(">deactivated<") == 1
    assert svg.count(">idle<") == 1
    assert svg.count('fill="#da1e28"') == 1, "the job that failed without running"


def test_reused_jobs_are_hatched(ended: SessionSnapshot) -> None:
    first, *rest = (job for job in ended.jobs if job.status == "done")
    taken = replace(first, stray=True, reused=True)
    found = traces(timeline(replace(ended, jobs=(taken, *rest))))
    assert found["reused"].marker.pattern.shape == "/"
    assert found["done"].marker.pattern.shape is None
    assert len(found["reused"].y) == 1
    assert to_dataframe(replace(ended, jobs=(taken, *rest))).cost.iloc[0] == 0.0
