"""The lab extension is whole, is light before it is used, and JupyterLab's tools accept it."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest

# Building makes two isolated environments and fetches Node into one of them.
pytestmark = pytest.mark.timeout(900)

BEFORE_FIRST_USE = 60_000
"""Bytes, compressed, that a page may load of it before anybody has used it."""


@pytest.fixture(scope="module")
def extension(distributions) -> Path:
    return distributions.unpacked / "qsession_widgets" / "labextension"


@pytest.fixture(scope="module")
def described(extension) -> dict:
    return json.loads((extension / "package.json").read_text("utf-8"))


def imports(script: Path) -> set[Path]:
    """The files that a script cannot run without: not what it loads later."""
    found = re.findall(r"""(?:from|import)\s*"(\./[^"]+)\"""", script.read_text("utf-8"))
    return {script.parent / name for name in found}


def at_start(extension: Path, described: dict) -> set[Path]:
    entry = extension / described["jupyterlab"]["_build"]["load"]
    (plugins,) = re.findall(r"\./index\.\w+\.js", entry.read_text("utf-8"))
    first = extension / "static" / plugins
    return {entry, first, *imports(first)}


def test_it_is_in_the_sdist_with_its_settings(extension, described):
    assert described["name"] == "qsession-widgets"
    schema = extension / "schemas" / "qsession-widgets" / "plugin.json"
    properties = json.loads(schema.read_text("utf-8"))["properties"]
    assert properties
    assert all(each["title"] and each["description"] for each in properties.values())


def test_no_shortcut_is_set(extension):
    schema = extension / "schemas" / "qsession-widgets" / "plugin.json"
    assert "jupyter.lab.shortcuts" not in json.loads(schema.read_text("utf-8"))


def test_every_file_that_is_named_is_there(extension, described):
    for script in (extension / "static").glob("*.js"):
        named = set(re.findall(r'"(\./[\w.-]+\.js)"', script.read_text("utf-8")))
        missing = {name for name in named if not (script.parent / name).is_file()}
        assert not missing, script.name


def test_little_is_loaded_before_it_is_used(extension, described):
    files = at_start(extension, described)
    size = sum(len(gzip.compress(path.read_bytes(), 9)) for path in files)
    assert size < BEFORE_FIRST_USE, {path.name: path.stat().st_size for path in files}
    later = set((extension / "static").glob("*.js")) - files
    assert later, "what is drawn is to be loaded when it is first used"


def test_it_holds_no_path_of_the_machine_that_built_it(extension, distributions):
    where = str(distributions.checkout).encode()
    files = [path for path in extension.rglob("*") if path.is_file()]
    assert not [path.name for path in files if where in path.read_bytes()]
