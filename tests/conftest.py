"""What holds for every test: a place of its own, no real account, and no quiet skips.

The notebooks are run with this file as a plugin (``-p tests.conftest``), so that it holds for them
too. Four environment variables change what it does:

``QSESSION_NO_SKIPS=1``
    A skipped test fails. Continuous integration sets it: there, everything must run.
``QSESSION_TEST_IBM=1``
    Tests marked ``ibm`` run, with the reader's own account. They may cost money.
``QSESSION_CHROMIUM``
    The browser to use, when it is not found by its usual names.
``QSESSION_FIREFOX``
    A Firefox to use in Chromium's place, as ``make test-firefox`` does.

Tests may read further ``QSESSION_TEST_…`` variables: seeds and numbers of examples.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import pytest

NO_SKIPS = os.environ.get("QSESSION_NO_SKIPS") == "1"
REAL_ACCOUNT = os.environ.get("QSESSION_TEST_IBM") == "1"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# Variables that lead the client to an account, or our tools and Jupyter to somebody's settings.
ACCOUNT = ("QISKIT_IBM_", "IAM_URL", "GLOBAL_SEARCH_URL", "GLOBAL_CATALOG_URL")
SETTINGS = ("JUPYTER_", "IPYTHONDIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "QSESSION_", "COLUMNS")
OURS = ("QSESSION_NO_SKIPS", "QSESSION_CHROMIUM", "QSESSION_FIREFOX", "QSESSION_TEST_")

_outside = pytest.StashKey[dict[str, str]]()
_home = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    """Give the run a home folder of its own before anything is imported that looks at it."""
    _hear_interrupts()
    # one of the processes that share a run: who started it has changed the environment before
    shared = getattr(config, "workerinput", {})
    config.stash[_outside] = shared.get("outside") or dict(os.environ)
    home = tempfile.mkdtemp(prefix="qsession-test-", dir=shared.get("home"))
    config.stash[_home] = home
    foreign = SETTINGS if REAL_ACCOUNT else SETTINGS + ACCOUNT
    for name in list(os.environ):
        if name.startswith(foreign) and not name.startswith(OURS):
            del os.environ[name]
    if not REAL_ACCOUNT:
        os.environ["HOME"] = home
    os.environ["JUPYTER_CONFIG_DIR"] = os.path.join(home, "jupyter-config")
    os.environ["JUPYTER_DATA_DIR"] = os.path.join(home, "jupyter-data")
    os.environ["JUPYTER_RUNTIME_DIR"] = os.path.join(home, "jupyter-runtime")
    os.environ["JUPYTER_PLATFORM_DIRS"] = "1"
    os.environ["USAGE_DATA_OPT_OUT"] = "True"


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell one of the processes that share the run what was outside of it, and where to live.

    When the run is interrupted, they are gone before they have tidied up. Without its home folder
    a server that they started finds that nobody can find it any more, and ends.
    """
    node.workerinput["outside"] = node.config.stash[_outside]
    node.workerinput["home"] = node.config.stash[_home]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Share the tests out by folder, as they come: those of one share servers and browsers."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFolder(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            folder, name = os.path.split(file)
            # a notebook has a kernel of its own
            return file if name.endswith(".ipynb") else folder + _part(folder, name)

    config.option.loadscopereorder = False
    return ByFolder(config, log)


_LONGEST = ("tests/kernel", "tests/browser", "tests/emulator")
"""Folders that are begun with, so that no process is left alone with one of them at the end."""


def _part(folder: str, name: str) -> str:
    """Which part of its folder a file is in, where the folder is too long for one process."""
    if folder != _LONGEST[0]:
        return ""
    return "/a-g" if name < "test_h" else "/h-q" if name < "test_r" else "/r-z"


def _hear_interrupts() -> None:
    """Take signals as in a terminal: a run in the background is started deaf to some of them.

    Programs that the tests start would inherit that, and could not be interrupted.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in ("SIGHUP", "SIGQUIT"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing behind, neither files nor a changed environment."""
    home = config.stash.get(_home, None)
    if home is not None:
        shutil.rmtree(home, ignore_errors=True)
        os.environ.clear()
        os.environ.update(config.stash[_outside])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the longest folders; keep what needs a real account out, unless asked for.

    What needs a JupyterHub is left out unless the marker expression names it; that is no skip.
    """
    if "hub" not in (config.getoption("markexpr") or ""):
        behind = [item for item in items if item.get_closest_marker("hub")]
        items[:] = [item for item in items if item not in behind]
        config.hook.pytest_deselected(items=behind)
    files = [item.nodeid.partition("::")[0] for item in items]
    place = {folder: number for number, folder in enumerate(_LONGEST)}
    order = sorted(
        range(len(items)), key=lambda at: place.get(os.path.dirname(files[at]), len(_LONGEST))
    )
    items[:] = [items[at] for at in order]
    if REAL_ACCOUNT:
        return
    costly = [item for item in items if item.get_closest_marker("ibm")]
    if NO_SKIPS:
        items[:] = [item for item in items if item not in costly]
        config.hook.pytest_deselected(items=costly)
        return
    reason = "needs a real account and may cost money: set QSESSION_TEST_IBM=1 to run it"
    for item in costly:
        item.add_marker(pytest.mark.skip(reason=reason))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skipped test into a failed one where nothing may be skipped."""
    report = yield
    if NO_SKIPS and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, {_because(report)}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Do the same for a whole module that skips itself."""
    report = yield
    if NO_SKIPS and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid} was skipped, {_because(report)}"
    return report


def _because(report: pytest.TestReport | pytest.CollectReport) -> str:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return f"and QSESSION_NO_SKIPS=1 allows no skip. {reason}"


@pytest.fixture(scope="session")
def outside_environment(pytestconfig: pytest.Config) -> Mapping[str, str]:
    """The environment as it was before the tests got one of their own.

    For package managers, which find their settings and caches through it.
    """
    return dict(pytestconfig.stash[_outside])


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder with pyproject.toml."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def browser_path() -> str:
    """A browser to drive; tests that ask for it are skipped where there is none."""
    named = os.environ.get("QSESSION_FIREFOX") or os.environ.get("QSESSION_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("there is no Chromium on PATH: install one, or set QSESSION_CHROMIUM")
    return found
