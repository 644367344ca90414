"""Two labs on one account, the account taken away, and a service that takes its time."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, expect

from qsession_widgets.emulator.options import EmulatorOptions
from qsession_widgets.emulator.process import launcher

from ..server.conftest import Service
from .lab import Lab, Notebook, running_lab, wait_until

# an emulator of this name plays IBM: no lab knows of it but by the account that leads there
NAME = "plays-ibm"
OPEN = "%%session --backend aer --service ibm --max-time 10m\nprint(session.session_id)"
CONTEXT = {"width": 1280, "height": 1000}

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """What plays IBM, seen by another client of the same account."""
    # it writes down that it is there in a folder where no lab looks
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path_factory.mktemp("ibm")))
        running = Service(
            launcher.find_or_start(EmulatorOptions(faults=True, workers=1, seed=1), NAME)
        )
        yield running
        running.http.close()
        launcher.stop(NAME)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home folder of the user of both labs, and of nobody else: other labs must not see it."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def account(service: Service, home: Path) -> Callable[[], Path]:
    """Saves the account, and says where; it is saved once beforehand."""
    file = home / ".qiskit" / "qiskit-ibm.json"
    entry = {
        "channel": "ibm_quantum_platform",
        "url": service.connection.api,
        "token": service.key,
        "instance": service.crn,
    }

    def save() -> Path:
        file.parent.mkdir(exist_ok=True)
        part = file.with_suffix(".part")
        part.write_text(json.dumps({"default-ibm-quantum-platform": entry}))
        part.replace(file)
        return file

    save()
    return save


@pytest.fixture(scope="module")
def labs(
    service: Service,
    account: Callable[[], Path],
    home: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Lab, Lab]]:
    """Two labs of one user, each with a runtime directory of its own, as on two machines."""
    leading = service.connection.environment()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("IAM_URL", "GLOBAL_SEARCH_URL", "GLOBAL_CATALOG_URL"):
            patch.setenv(name, leading[name])
        patch.setenv("HOME", str(home))
        patch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path_factory.mktemp("one")))
        options = ("--SessionsOverview.slow_after=1",)
        with running_lab(tmp_path_factory.mktemp("here"), extra=options) as here:
            patch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path_factory.mktemp("two")))
            with running_lab(tmp_path_factory.mktemp("there"), extra=options) as there:
                yield here, there


@pytest.fixture(scope="module")
def here(labs: tuple[Lab, Lab], browser: Browser) -> Iterator[Notebook]:
    """A page of the first lab, with the side panel."""
    yield from _page(labs[0], browser)


@pytest.fixture(scope="module")
def there(labs: tuple[Lab, Lab], browser: Browser) -> Iterator[Notebook]:
    """A page of the second lab, with the side panel."""
    yield from _page(labs[1], browser)


def test_what_the_other_lab_opened_is_shown_and_ended_here(
    here: Notebook, there: Notebook, service: Service
) -> None:
    session = _open_session(there)
    expect(there.status).to_contain_text("aer · open, no job yet", timeout=60_000)
    row = here.row(session)
    expect(row).to_contain_text("opened elsewhere", timeout=60_000)
    expect(here.status).to_contain_text("1 open session")
    row.get_by_role("button", name="Close session").click()
    expect(there.row(session)).to_contain_text("closed", timeout=60_000)
    told = re.compile(r"Session on aer.* is closed: on request\.")
    expect(there.page.get_by_text(told).first).to_be_visible(timeout=30_000)
    assert service("GET", f"/sessions/{session}")["state"] == "closed"


def test_it_is_taken_up_by_the_button(here: Notebook, service: Service) -> None:
    session = service.open()
    row = here.row(session)
    expect(row).to_contain_text("opened elsewhere", timeout=60_000)
    row.get_by_role("button", name="Attach").click()
    expect(row).to_contain_text("kernel idle, new primitives run in it", timeout=60_000)
    expect(here.status).to_contain_text("aer · open, no job yet")
    here.wait_idle()
    service("PATCH", f"/sessions/{session}", json={"accepting_jobs": False})
    expect(row).to_contain_text("closed", timeout=60_000)


def test_a_slow_service_is_called_slow_and_freezes_nothing(
    here: Notebook, service: Service
) -> None:
    session = service.open()
    row = here.row(session)
    expect(row).to_contain_text("Open, no job yet", timeout=60_000)
    problem = here.trouble
    service.fault(path="/*", delay=2.0, times=None)
    expect(problem).to_contain_text("The service is slow to answer", timeout=60_000)
    expect(problem).to_contain_text(re.compile(r"Since \d+:\d\d:\d\d"))
    # the countdown goes on, and the page does what it is asked
    timer = row.get_by_role("timer", name="Closes by itself")
    before = timer.inner_text()
    assert wait_until(lambda: timer.inner_text() != before, "the countdown to go on")
    row.get_by_role("button", name="Close session").click()
    expect(row).to_contain_text("closed", timeout=60_000)
    service.heal()
    expect(problem).to_have_count(0, timeout=60_000)


def test_an_account_that_is_removed_leaves_what_is_open_in_sight(
    here: Notebook, service: Service, account: Callable[[], Path]
) -> None:
    session = service.open()
    row = here.row(session)
    expect(row).to_contain_text("Open, no job yet", timeout=60_000)
    account().unlink()
    problem = here.trouble
    expect(problem).to_contain_text("The account was removed", timeout=60_000)
    row.get_by_role("button", name="Close session").click()
    expect(row).to_contain_text("save it again to see, and to end, what is open")
    assert service("GET", f"/sessions/{session}")["state"] == "open"

    account()
    expect(problem).to_have_count(0, timeout=60_000)
    row.get_by_role("button", name="Close session").click()
    expect(row).to_contain_text("closed", timeout=60_000)


def _page(lab: Lab, browser: Browser) -> Iterator[Notebook]:
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    cells = [nbformat.v4.new_code_cell("pass")]
    nbformat.write(
        nbformat.v4.new_notebook(cells=cells, metadata=kernel), lab.root / "account.ipynb"
    )
    context = browser.new_context(viewport=CONTEXT)
    notebook = Notebook(context.new_page(), lab, "account.ipynb")
    notebook.show_sessions()
    yield notebook
    context.close()


def _open_session(notebook: Notebook) -> str:
    notebook.run_cell(notebook.add_cell("%load_ext qsession_widgets"))
    printed = notebook.run_cell(notebook.add_cell(OPEN))
    opened = printed.split()[-1]
    assert re.fullmatch(r"[0-9a-f-]{36}", opened), printed
    return opened
