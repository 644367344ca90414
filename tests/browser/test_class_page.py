"""The teacher's page of an emulator, in a browser: opened once by a link, then used."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from qsession_widgets.cli import main
from qsession_widgets.emulator.options import EmulatorOptions
from qsession_widgets.emulator.process import launcher
from qsession_widgets.emulator.process.connection_file import Connection

AXE = Path(__file__).parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js"
NAME = "page"


@pytest.fixture
def room() -> Iterator[Connection]:
    options = EmulatorOptions(faults=True, workers=1, seed=1)
    yield launcher.find_or_start(options, NAME)
    launcher.stop(NAME)


def _link(capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert main(["emulator", "page", "--name", NAME, "--json"]) == 0
    return str(json.loads(capsys.readouterr().out)["url"])


def _said(page: Page, text: str) -> None:
    expect(page.get_by_role("status")).to_have_text(text)


def test_a_teacher_sees_the_class_and_steers_it(
    browser: Browser, room: Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = tmp_path / "keys.csv"
    names = tmp_path / "names.txt"
    names.write_text("Ana\nBen", "utf-8")
    words = ["--name", NAME, "--names", str(names), "--csv", str(keys)]
    assert main(["emulator", "invite", *words]) == 0
    key = keys.read_text("utf-8").splitlines()[1].rpartition(",")[2]
    student = httpx.Client(base_url=room.url, headers={"Authorization": f"apikey {key}"})
    (item,) = student.post("/v3/resources/search", json={}).json()["items"]
    student.headers["Service-CRN"] = item["crn"]
    opened = {"mode": "dedicated", "backend": "aer"}
    assert student.post("/api/v1/sessions", json=opened).status_code == 200

    link = _link(capsys)
    requested: list[str] = []
    page = browser.new_context().new_page()
    page.on("request", lambda request: requested.append(request.url))
    page.goto(link)
    _said(page, "Connected.")
    assert "#" not in page.url
    sessions = page.get_by_role("table", name="Open sessions")
    expect(sessions.get_by_role("row")).to_contain_text(["Student", "Ana"])
    expect(page.get_by_role("table", name="Students")).to_contain_text("Ben")
    page.get_by_role("button", name="Pause the queue").click()
    _said(page, "No queued job starts until you resume.")
    page.get_by_role("button", name="Resume the queue").click()
    _said(page, "Queued jobs start again.")
    # what the button said when it was pressed is done, whatever it says at the click
    pause = page.get_by_role("button", name="Pause the queue")
    expect(pause).to_be_enabled()
    pause.dispatch_event("pointerdown")
    assert main(["emulator", "pause", "--name", NAME]) == 0
    page.get_by_role("button", name="Resume the queue").dispatch_event("click")
    _said(page, "No queued job starts until you resume.")
    page.get_by_role("button", name="Resume the queue").click()
    _said(page, "Queued jobs start again.")
    before = room.status()["now"]
    page.get_by_label("Move the clock by, in minutes").fill("40")
    page.get_by_role("button", name="Move the clock").click()
    _said(page, "The clock was moved by 40 min.")
    assert room.status()["now"] - before >= 2400
    # a session that ran nothing for half an hour is over
    expect(sessions).to_contain_text("No session is open.")
    page.get_by_label("Requests").select_option(label="for sessions")
    page.get_by_role("button", name="Cause the fault").click()
    _said(page, "The next request will go wrong.")
    assert student.post("/api/v1/sessions", json=opened).status_code == 503
    page.get_by_role("button", name="Clear all faults").click()
    _said(page, "Nothing will go wrong any more.")
    # the tab stays open, the link is used up, and nothing of it came from elsewhere
    page.reload()
    _said(page, "Connected.")
    assert {url.partition("/emulator/")[0] for url in requested} <= {room.url, room.url + "/class"}
    assert room.key not in json.dumps(page.evaluate("({...sessionStorage, ...localStorage})"))

    other = browser.new_context(bypass_csp=True, color_scheme="dark").new_page()
    other.goto(link)
    _said(other, "This page needs the teacher's key, or a new link.")
    expect(other.get_by_role("heading", name="The teacher's key")).to_be_visible()
    other.get_by_label("Key", exact=True).fill(key)
    other.get_by_role("button", name="Open").click()
    _said(other, "This is a student's key: the teacher's is needed.")
    other.get_by_label("Key", exact=True).fill(room.key)
    other.get_by_role("button", name="Open").click()
    expect(other.get_by_role("table", name="Students")).to_contain_text("Ana")
    student.close()
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: run `npm ci` in js")
    other.add_script_tag(path=AXE)
    for scheme in ("dark", "light"):
        other.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found = other.evaluate("axe.run().then(answer => answer.violations.map(one => one.id))")
        assert found == []
