"""tests/conftest.py keeps what it promises: no quiet skips, no real account, a home of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]

SKIPPING = """
import pytest

def test_passes():
    pass

@pytest.mark.skip(reason="too dark to read")
def test_skips():
    pass

@pytest.mark.xfail(reason="known to be wrong", strict=True)
def test_is_known_to_fail():
    assert False
"""

COSTLY = """
import pytest

@pytest.mark.ibm
def test_costs_money():
    raise RuntimeError("it ran")

def test_costs_nothing():
    pass
"""

LOOKING = """
import os
from pathlib import Path

def test_looks_around():
    assert not [name for name in os.environ if name.startswith("QISKIT_IBM")]
    assert not (Path.home() / ".qiskit").exists()
    assert os.environ["JUPYTER_RUNTIME_DIR"].startswith(str(Path.home()))
"""


@pytest.fixture
def run(repository: Path, tmp_path: Path, outside_environment: Mapping[str, str]) -> Run:
    def run_tests(text: str, **variables: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "test_made_up.py").write_text(text)
        environment = {k: v for k, v in outside_environment.items() if "QSESSION" not in k}
        # the plugins that the configuration names; the others take longer to load than all this
        environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        return subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-p", "tests.conftest"),
                *("-c", str(repository / "pyproject.toml"), "-p", "pytest_timeout"),
                *("-p", "pytest_asyncio.plugin"),
                str(tmp_path / "test_made_up.py"),
            ],
            cwd=repository,
            env={**environment, **variables},
            capture_output=True,
            text=True,
        )

    return run_tests


def test_a_skip_is_a_skip_at_home(run):
    done = run(SKIPPING)
    assert done.returncode == 0, done.stdout
    assert "1 passed, 1 skipped, 1 xfailed" in done.stdout


def test_a_skip_is_a_failure_where_nothing_may_be_skipped(run):
    done = run(SKIPPING, QSESSION_NO_SKIPS="1")
    assert done.returncode == 1
    assert "1 passed, 1 xfailed, 1 error" in done.stdout
    assert "too dark to read" in done.stdout


def test_a_module_that_skips_itself_is_a_failure_there_too(run):
    text = "import pytest\npytest.importorskip('no_such_module')\n" + SKIPPING
    assert run(text).returncode == pytest.ExitCode.NO_TESTS_COLLECTED
    done = run(text, QSESSION_NO_SKIPS="1")
    assert done.returncode == pytest.ExitCode.INTERRUPTED
    assert "no_such_module" in done.stdout


def test_what_costs_money_is_skipped_at_home(run):
    assert "1 passed, 1 skipped" in run(COSTLY).stdout


def test_what_costs_money_is_left_out_where_nothing_may_be_skipped(run):
    assert "1 passed, 1 deselected" in run(COSTLY, QSESSION_NO_SKIPS="1").stdout


def test_what_costs_money_runs_when_it_was_asked_for(run):
    assert "RuntimeError: it ran" in run(COSTLY, QSESSION_TEST_IBM="1").stdout


def test_nothing_leads_to_a_real_account(run, tmp_path):
    (tmp_path / ".qiskit").mkdir()
    done = run(LOOKING, HOME=str(tmp_path), QISKIT_IBM_INSTANCE="somebody's")
    assert done.returncode == 0, done.stdout
