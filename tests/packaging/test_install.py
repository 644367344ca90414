"""Installs the wheel into an environment of its own and asks what a person would see."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(900)

ASK = """
import importlib.metadata as m, json
d = m.distribution("qsession-widgets")
print(json.dumps({
    "version": d.version,
    "python": d.metadata["Requires-Python"],
    "license": d.metadata["License-Expression"],
    "extras": d.metadata.get_all("Provides-Extra"),
    "scripts": {e.name: e.value for e in d.entry_points if e.group == "console_scripts"},
    "files": [str(f) for f in d.files],
}))
"""


@pytest.fixture(scope="module")
def environment(distributions, without_node, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("installed") / "venv"
    for command in (
        [sys.executable, "-m", "venv", str(folder)],
        [
            str(folder / "bin" / "python"),
            *("-m", "pip", "install", "--quiet", "--no-deps", "--no-index"),
            str(distributions.wheel),
        ],
    ):
        subprocess.run(command, env=without_node, check=True, stdin=subprocess.DEVNULL)
    return folder


@pytest.fixture(scope="module")
def installed(environment, without_node, tmp_path_factory) -> dict:
    done = subprocess.run(
        [str(environment / "bin" / "python"), "-c", ASK],
        env=without_node,
        cwd=tmp_path_factory.mktemp("elsewhere"),
        capture_output=True,
        check=True,
    )
    return json.loads(done.stdout)


def declared(repository: Path, key: str) -> str:
    """Read one line of pyproject.toml; Python 3.10 has no TOML reader."""
    found = re.search(rf'^{key} = "(.+)"$', (repository / "pyproject.toml").read_text(), re.M)
    assert found is not None
    return found[1]


def test_the_metadata_says_what_pyproject_says(installed, repository):
    assert installed["version"] == declared(repository, "version")
    assert installed["python"] == declared(repository, "requires-python")
    assert installed["license"] == "Apache-2.0"
    assert {"lab", "test", "dev"} <= set(installed["extras"])


def test_there_is_a_command(installed, environment):
    assert installed["scripts"] == {"qsession": "qsession_widgets.cli:main"}
    assert os.access(environment / "bin" / "qsession", os.X_OK)


def test_the_files_are_there(installed, environment):
    site_packages = next((environment / "lib").glob("python3*/site-packages"))
    assert (site_packages / "qsession_widgets" / "static" / "panel.js").is_file()
    assert (site_packages / "qsession_widgets" / "py.typed").is_file()
    assert not (site_packages / "js").exists()
    assert not (site_packages / "tests").exists()
    lost = [name for name in installed["files"] if not (site_packages / name).exists()]
    assert not lost
