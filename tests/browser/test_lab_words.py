"""Words in another language: JupyterLab's translator gives them to the lab and the panel in it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from ..panel.marked import MARKED, SHOWN, untranslated
from .cells import OPEN
from .lab import Lab, Notebook, wait_until

SETTINGS = "lab/user-settings/@jupyterlab/translation-extension/plugin.jupyterlab-settings"
CATALOGUE = {
    "": {
        "domain": "qsession_widgets",
        "language": "de",
        "plural_forms": "nplurals=2; plural=(n != 1);",
    },
    "Show Quantum Sessions": ["Quantensitzungen zeigen"],
    "This notebook": ["Dieses Notebook"],
    "Maximum time": ["Höchstdauer"],
    "Close %1": ["%1 schließen"],
    "session": ["Sitzung"],
    "%1 job": ["%1 Auftrag", "%1 Aufträge"],
    "Active, idle": ["Aktiv, untätig"],
    "Closed": ["Geschlossen"],
}
"""What a language pack would have for us, in part: what is missing stays English."""


OWN = f"""
(root, id) => {{
    const own = root.cloneNode(true);
    for (const row of own.querySelectorAll('article, li, .qs-lab-trouble')) {{
        if (!row.closest(`article:has([title="${{id}}"])`)) row.remove();
    }}
    return ({SHOWN})(own);
}}
"""
"""As `SHOWN`, without the rows of sessions that other tests have left in the lab, nor what the
server says of a service of theirs."""


@pytest.fixture
def in_german() -> Iterator[None]:
    """German as the language that is chosen in JupyterLab's settings."""
    settings = Path(os.environ["JUPYTER_CONFIG_DIR"]) / SETTINGS
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text('{"locale": "de_DE"}')
    yield
    settings.unlink()


@pytest.mark.timeout(300)
def test_a_catalogue_has_every_word_of_lab_and_panel(
    write_notebook: Callable[..., str],
    browser: Browser,
    lab: Lab,
    request: pytest.FixtureRequest,
) -> None:
    run_one = f"{OPEN}print(session.session_id, session.snapshot.jobs[0].id)"
    name = write_notebook("words.ipynb", "%load_ext qsession_widgets", run_one, "session.close()")

    def opened(prepare: Callable[[Any], None]) -> Notebook:
        context = browser.new_context(viewport={"width": 1280, "height": 1000})
        request.addfinalizer(context.close)
        page = context.new_page()
        prepare(page)
        return Notebook(page, lab, name)

    # where every sentence is marked, nothing else is to be read
    marked = opened(lambda page: page.add_init_script(MARKED))
    load, run, close = marked.code_cells()
    marked.run_cell(load)
    shots, ids = marked.run_cell(run).splitlines()[-2:]
    assert shots == "4096"
    expect(marked.status).to_contain_text("⟦", timeout=30_000)
    panel = marked.show_sessions()
    session_id, _ = ids.split()
    expect(marked.row(session_id)).to_have_count(1)
    panel.get_by_role("button", name="⟦New…⟧").click()
    expect(panel.locator("form")).to_be_visible()
    marked.status.click()
    expect(marked.popover).to_be_visible()
    # the last are the services' own labels
    services = panel.locator("form select").first.locator("option").all_text_contents()
    data = (name, "ITTL", "local emulator · no charge", " · ".join(services))
    parts = {"panel": marked.panel, "status": marked.status, "side panel": panel}
    parts["popover"] = marked.popover
    left = {
        at: untranslated(part.evaluate(OWN, session_id), *data, ids=ids)
        for at, part in parts.items()
    }
    assert {at: words for at, words in left.items() if words} == {}
    labels = marked.page.evaluate(
        """() => {
            const { commands } = window.jupyterapp;
            const ours = commands.listCommands().filter(id => id.startsWith('qsession:'));
            return ours.flatMap(id => [commands.label(id), commands.caption(id)]);
        }"""
    )
    assert len(labels) == 14
    assert sorted(untranslated(labels)) == []

    # and a language pack's words come to both through JupyterLab's translator
    marked.command("docmanager:save")
    wait_until(lambda: "widget-view" in (lab.root / name).read_text(), "the save")
    request.getfixturevalue("in_german")
    pack = {"data": {"qsession_widgets": CATALOGUE}, "message": ""}
    german = opened(
        lambda page: page.route(
            "**/api/translations/de_DE*", lambda route: route.fulfill(json=pack)
        )
    )
    expect(german.status).to_contain_text("1 Auftrag", timeout=30_000)
    expect(german.show_sessions().locator("h3").first).to_have_text("Dieses Notebook")
    german.panel.scroll_into_view_if_needed()
    expect(german.panel.get_by_role("timer", name="Höchstdauer")).to_be_visible()
    expect(german.panel.get_by_role("button", name="Sitzung schließen")).to_be_visible()
    # no word of ours that the pack lacks is lost
    expect(german.panel).to_contain_text("Usage")
    german.run_cell(close)
    expect(german.panel.locator(".qs-state")).to_have_text("Geschlossen")
