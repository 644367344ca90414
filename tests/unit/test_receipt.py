import re
import sys
from dataclasses import replace
from pathlib import Path
from xml.dom import minidom

import pytest
from panel.states import session
from PIL import Image, ImageColor

from qsession_widgets import UserError
from qsession_widgets.messages.job_rows import HEADS
from qsession_widgets.model import READ_SERIES, JobRecord, SeriesPoint, ServiceInfo, SessionSnapshot
from qsession_widgets.views.export import export
from qsession_widgets.views.receipt import (
    MAX_BYTES,
    MOST_JOBS,
    Receipt,
    rows,
    to_html,
    to_json,
    to_text,
)
from qsession_widgets.views.svg_timeline import draw
from qsession_widgets.views.theme import COLOURS

SERVICE = ServiceInfo("ibm", "IBM Quantum · us-east · Premium", "premium", 1.6)


def job(number: int, status: str = "done") -> JobRecord:
    begin = 1000.0 + 3 * number
    return JobRecord(
        f"job{number}",
        "estimator",
        status,
        begin,
        begin + 0.5,
        begin + 2.0,
        True,
        1.0,  # type: ignore[arg-type]
    )


def closed(jobs: int) -> SessionSnapshot:
    return SessionSnapshot(
        session_id="7b695108",
        mode="dedicated",
        backend="ibm_fez",
        service=SERVICE,
        state="closed",
        state_reason="session_closed_early",
        accepting_jobs=False,
        opened_at=999.0,
        started_at=1000.5,
        closed_at=1100.5,
        interactive_ttl=60.0,
        max_ttl=7200.0,
        active_periods=((1000.5, 1100.5),),
        usage_seconds=100.0,
        usage_final=True,
        jobs=tuple(job(n) for n in range(jobs)),
        answered_at=1101.0,
    )


def test_the_text_says_what_it_did_and_cost() -> None:
    text = to_text(closed(3))
    assert "7b695108" in text
    assert "ibm_fez · IBM Quantum · us-east · Premium" in text
    assert "3 done" in text
    assert "1 m 40 s (QPU 3 s · classical 1 s · idle 1 m 36 s)" in text
    assert "≈ $160 at $1.60/s" in text


def test_as_json_it_has_the_cost_by_cause_the_price_and_the_reason() -> None:
    priced = replace(SERVICE, price_per_second=0.8, price_source="list")
    found = to_json(replace(closed(3), service=priced), 1101.0)
    assert found["cost"] == 80.0
    assert found["usage"] == {
        "total": 100.0,
        "qpu": 3.0,
        "classical": 1.5,
        "idle": 95.5,
        "final": True,
        "at_most": False,
        "estimated": False,
    }
    assert found["cost_by_cause"] == {"qpu": 2.4, "classical": 1.2, "idle": 76.4}
    assert found["price"] == {
        "per_second": 0.8,
        "source": "list",
        "plan": "premium",
        "words": "at $0.80/s, list price of Premium",
    }
    assert (found["reason"], found["phase"]) == ("session_closed_early", "closed")
    assert len(found["jobs"]) == 3
    asked = replace(closed(3), service=replace(SERVICE, plan="on-prem", price_per_second=None))
    assert "qsession price set" in dict(rows(asked))["Cost"]
    free = to_json(replace(closed(3), service=replace(SERVICE, price_per_second=None)))
    assert (free["cost"], free["cost_by_cause"], free["price"]["words"]) == (None, None, "")


def test_what_is_not_exact_has_a_line() -> None:
    session = closed(6)
    assert "Method" not in to_text(session)
    exact = [replace(each, method="exact") for each in session.jobs]
    assert "Method   exact simulation\n" in to_text(replace(session, jobs=tuple(exact)))
    ways = [
        replace(each, method="m", approximation=f"Simulated by way {number}.", no_effect=("x", "y"))
        for number, each in enumerate(exact[1:])
    ]
    text = to_text(replace(session, jobs=(exact[0], *ways)))
    assert "Method   1 not exact: Simulated by way 0. 1 not exact: Simulated by way 1. " in text
    assert "2 more not exact, as their logs say. 1 exact\n" in text
    assert "Ignored  options without effect in the emulator: x, y\n" in text


def test_nothing_is_charged_on_the_emulator() -> None:
    local = replace(closed(3), service=replace(SERVICE, kind="local", charged=False))
    assert "nothing; the same work on IBM would cost ≈ $160" in to_text(local)


def test_an_estimate_is_called_one() -> None:
    assert "so far" in to_text(replace(closed(3), usage_final=False))


def test_usage_that_may_have_ended_before_is_at_most_so_much() -> None:
    silent = replace(
        closed(3),
        state="active",
        accepting_jobs=True,
        closed_at=None,
        usage_final=False,
        last_job_completed=1036.5,
        active_periods=((1000.5, None),),
        answered_at=1040.0,
    )
    text = to_text(silent, 1180.0)
    assert "at most 1 m 36 s (" in text
    assert "at most ≈ $154 at $1.60/s" in text


@pytest.mark.parametrize("jobs", [0, 1, 500, 10_000])
def test_the_page_stays_small_and_well_formed_however_many_jobs(jobs: int) -> None:
    page = to_html(closed(jobs))
    assert len(page.encode()) <= MAX_BYTES
    minidom.parseString(page)
    assert ("<img" in page) == (jobs > 0)


def test_the_newest_jobs_are_a_table_and_an_exported_page_has_all(tmp_path: Path) -> None:
    failed = replace(job(24), status="failed", error="<b>transpile</b> it", label="R=1", pubs=2)
    value = SeriesPoint(READ_SERIES, -1.137, 1001.0, 0.012, job_id="job23")
    snapshot = replace(closed(24), jobs=(*closed(24).jobs, failed), points=(value,))
    table = _tables(to_html(snapshot))[1]
    assert len(table) == 1 + MOST_JOBS
    assert table[0] == list(HEADS)
    assert table[1][:4] == ["job24", "R=1 · estimator · 2 pubs", "failed", "<b>transpile</b> it"]
    assert table[2][3:] == ["-1.137 ± 0.012", "0.5 s", "1.5 s", "1.0 s", "$1.60", ""]
    page = export(snapshot, 1101.0, tmp_path / "page.html")[0].read_text("utf-8")
    assert [row[0] for row in _tables(page)[1][1:]] == [f"job{n}" for n in range(24, -1, -1)]


def test_the_picture_has_the_objective_and_no_bar_covers_another() -> None:
    points = tuple(
        SeriesPoint("<energy>", value, 1002.0 + n, 0.1, job_id=f"job{n}")
        for n, value in enumerate((-1.0, -1.5, -1.25))
    )
    picture = minidom.parseString(draw(replace(closed(3), points=points), 1101.0)).documentElement
    words = [text.data for text in _texts(picture)]
    assert "<energy> -1.25 ± 0.10 · best (minimum) -1.50 ± 0.10" in words
    paths = {path.getAttribute("fill"): path for path in picture.getElementsByTagName("path")}
    spans = {}
    for name in ("queued", "done"):
        drawn = paths[COLOURS[name]].getAttribute("d")
        top, tall = re.match(r"M\S+ (\S+)h\S+?v([\d.]+)", drawn).groups()  # type: ignore[union-attr]
        spans[name] = float(top), float(top) + float(tall)
    assert spans["queued"][1] <= spans["done"][0]
    # the best so far goes down once, and holds to the last value
    lines = [path.getAttribute("d") for path in picture.getElementsByTagName("path")]
    assert [one for one in lines if re.fullmatch(r"M\S+ \S+?H\S+?V\S+?H[\d.]+", one)]
    # ten thousand values are as few marks as there are places for them
    many = [replace(points[0], value=float(n % 7), time=1000.0 + n / 100) for n in range(10_000)]
    assert len(draw(replace(closed(3), points=tuple(many)), 1101.0)) < 20_000


def _tables(page: str) -> list[list[list[str]]]:
    """The texts of each table's cells, row by row."""
    whole = minidom.parseString(re.search(r"<div.*</div>", page, re.DOTALL)[0])  # type: ignore[index]
    return [
        [
            ["".join(t.data for t in _texts(cell)).replace("\xa0", " ") for cell in row.childNodes]
            for row in table.getElementsByTagName("tr")
        ]
        for table in whole.getElementsByTagName("table")
    ]


def test_no_word_of_the_picture_is_left_where_pictures_are_taken_out() -> None:
    page = re.sub(r"<[^>]*>", "\n", to_html(closed(3)))
    assert "ibm_fez" in page
    assert "this session" not in page


def test_other_users_have_a_row_only_when_one_of_theirs_is_in_sight() -> None:
    snapshot = closed(3)
    gone, after = (900.0, 910.0, 950.0), (1200.0, 1210.0, None)
    assert "other users" not in draw(replace(snapshot, others=(gone, after)), 1101.0)
    meanwhile = (1003.0, 1004.0, None)
    assert "other users" in draw(replace(snapshot, others=(gone, meanwhile)), 1101.0)


def test_a_batch_has_no_idle_time_to_part_its_usage_into() -> None:
    text = to_text(replace(closed(3), mode="batch", name="H2, part 2"))
    assert "QPU time only" in text
    assert "idle" not in text
    assert "H2, part 2" in text


def test_what_comes_from_elsewhere_is_text() -> None:
    page = to_html(replace(closed(1), backend="<script>alert(1)</script>"))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_no_notebook_takes_two_prices_for_a_formula() -> None:
    page = minidom.parseString(to_html(closed(3)))
    pieces = [node.data for cell in page.getElementsByTagName("td") for node in _texts(cell)]
    assert "$" in pieces
    assert not [piece for piece in pieces if "$" in piece and piece != "$"]


def _texts(node: minidom.Node) -> list[minidom.Text]:
    if node.nodeType == node.TEXT_NODE:
        return [node]
    return [text for child in node.childNodes for text in _texts(child)]


def test_a_receipt_shows_itself_as_both() -> None:
    receipt = Receipt(closed(1), 1101.0)
    assert repr(receipt) == to_text(closed(1), 1101.0)
    assert "<table" in receipt._repr_html_()


def test_reused_jobs_are_hatched_and_cost_nothing(tmp_path: Path) -> None:
    earlier = replace(job(-100), id="earlier", stray=True, reused=True)
    snapshot = replace(closed(3), jobs=(earlier, *closed(3).jobs))
    # 300 s before a session of 100 s: it is in the picture; of the day before, it is not
    assert "url(#qsession-reused)" in draw(snapshot, 1101.0)
    assert "url(#" not in draw(closed(3), 1101.0)
    old = replace(earlier, started=(earlier.started or 0) - 86400, finished=2.0 - 86400)
    assert "url(#" not in draw(replace(snapshot, jobs=(old, *closed(3).jobs)), 1101.0)
    assert [row["cost"] for row in to_json(snapshot)["jobs"]] == [0.0, 1.6, 1.6, 1.6]
    assert "1 of 4 jobs reused, ≈ $2.40 not paid again" in to_text(snapshot)
    # taken up of a run long before, in a session that has sent nothing itself
    alone = replace(snapshot, jobs=(old,), active_periods=(), started_at=None)
    assert draw(alone, 1101.0) == ""
    with pytest.raises(UserError, match=r"no job to draw: export to \.html"):
        export(alone, 1101.0, tmp_path / "x.svg")
    export(snapshot, 1101.0, tmp_path / "x.svg")
    assert minidom.parse(str(tmp_path / "x.svg")).documentElement.tagName == "svg"
    assert "<table" in to_html(alone)


def test_each_label_has_its_jobs_and_what_they_cost() -> None:
    labels = ("R=0.5", "R=0.75", "R=0.5", "")
    snapshot = closed(4)
    outside = replace(job(9), id="outside", stray=True)
    jobs = tuple(
        replace(job, label=label) for job, label in zip(snapshot.jobs, labels, strict=True)
    )
    jobs = (*jobs[:2], replace(jobs[2], reused=True), jobs[3], outside)
    text = to_text(replace(snapshot, jobs=jobs))
    assert "R=0.5: 2 jobs · 1 reused · QPU 1.0 s · ≈ $1.60 of QPU time" in text
    assert "R=0.75: 1 job · QPU 1.0 s · ≈ $1.60 of QPU time" in text
    assert "none: 1 job" in text
    found = to_json(replace(snapshot, jobs=jobs))["labels"]
    assert [(one["label"], one["jobs"], one["cost"]) for one in found] == [
        ("R=0.5", 2, 1.6),
        ("R=0.75", 1, 1.6),
        ("", 1, 1.6),
    ]
    assert "Label" not in to_text(snapshot)
    many = tuple(replace(job, label=f"step {at}") for at, job in enumerate(closed(30).jobs))
    assert "10 more, in session.to_dataframe()" in to_text(replace(closed(30), jobs=many))


def test_pdf_and_png_are_drawn_without_a_browser(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = replace(job(1), stray=True, reused=True)
    drawn = replace(closed(5), jobs=(job(0), taken, job(2, "failed"), *closed(5).jobs[3:]))
    (paper,) = export(drawn, 1101.0, tmp_path / "rb.pdf")
    (image,) = export(drawn, 1101.0, tmp_path / "rb.png")
    assert paper.read_bytes().startswith(b"%PDF-")
    with Image.open(image) as pixels:
        assert pixels.width == 1800
        colours = {colour for _, colour in pixels.convert("RGB").getcolors(100_000)}
    # done and failed, as in the SVG
    assert {ImageColor.getrgb(COLOURS[name]) for name in ("done", "failed")} <= colours
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(
        UserError, match=r"A PDF needs matplotlib: .*\[figures\], or export to .svg"
    ):
        export(drawn, 1101.0, tmp_path / "without.pdf")


def test_the_costs_of_jobs_add_up_to_the_cost_of_the_qpu_while_it_is_open() -> None:
    # 4096 executions each, at $1.60: $5.49 and a part of a cent
    jobs = tuple(
        JobRecord(f"{n}", "sampler", "done", *(1000.0 + n,) * 2, 1000.1 + n, device_seconds=3.4336)
        for n in range(4)
    )
    info = ServiceInfo("local", "local emulator", "payg", 1.60, charged=False)
    found = to_json(
        session(
            jobs,
            service=info,
            answered_at=1010.0,
            last_job_started=1003.0,
            last_job_completed=1003.1,
            active_periods=((1000.0, None),),
            device_time=(4 * 3.4336, 0.4),
        )
    )
    assert [job["cost"] for job in found["jobs"]] == pytest.approx([5.4938] * 4)
    assert found["cost_by_cause"]["qpu"] == pytest.approx(4 * 5.4938, abs=0.01)
