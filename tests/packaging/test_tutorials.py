"""The walkthroughs are in the wheel, and are copied from there."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

# Building makes two isolated environments and fetches Node into one of them.
pytestmark = pytest.mark.timeout(900)

MIB = 1024 * 1024
COPY = """
import sys
from pathlib import Path
from qsession_widgets.tutorials import copy_tutorials
print(copy_tutorials(Path(sys.argv[1])))
"""


def walkthroughs(checkout: Path) -> dict[str, bytes]:
    found = {path.name: path.read_bytes() for path in (checkout / "notebooks").glob("*.ipynb")}
    assert "01_quickstart.ipynb" in found
    return found


def test_the_wheel_has_the_walkthroughs_and_nothing_beside_them(distributions):
    with zipfile.ZipFile(distributions.wheel) as archive:
        inside = {
            name.removeprefix("qsession_widgets/notebooks/"): archive.read(name)
            for name in archive.namelist()
            if name.startswith("qsession_widgets/notebooks/")
        }
    assert inside == walkthroughs(distributions.checkout)


def test_the_wheel_stays_small(distributions):
    assert distributions.wheel.stat().st_size < 2 * MIB


def test_an_installation_from_the_wheel_copies_them(distributions, without_node, tmp_path):
    site_packages = tmp_path / "site-packages"
    with zipfile.ZipFile(distributions.wheel) as archive:
        archive.extractall(site_packages)
    done = subprocess.run(
        [sys.executable, "-c", COPY, str(tmp_path)],
        env={**without_node, "PYTHONPATH": os.fspath(site_packages)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    copies = Path(done.stdout.strip())
    assert copies == tmp_path / "qsession-tutorials"
    assert {path.name: path.read_bytes() for path in copies.iterdir()} == walkthroughs(
        distributions.checkout
    )
