"""Opens the sdist and the wheel and looks at what is inside."""

from __future__ import annotations

import json
import tarfile
import zipfile
from pathlib import PurePosixPath

import pytest

# Building makes two isolated environments and fetches Node into one of them.
pytestmark = pytest.mark.timeout(900)

BUNDLES = {
    f"qsession_widgets/static/{name}"
    for name in ("panel.js", "panel.css", "part.js", "plotly.min.js")
}
EXTENSION = "qsession_widgets/labextension"
LEFTOVERS = {".git", ".venv", ".artifacts", "node_modules", "__pycache__", ".ipynb_checkpoints"}


@pytest.fixture(scope="module")
def in_sdist(distributions) -> set[str]:
    with tarfile.open(distributions.sdist) as archive:
        names = [PurePosixPath(member.name) for member in archive if member.isfile()]
    return {str(name.relative_to(name.parts[0])) for name in names}


@pytest.fixture(scope="module")
def in_wheel(distributions) -> set[str]:
    with zipfile.ZipFile(distributions.wheel) as archive:
        return set(archive.namelist())


def modules(distributions) -> set[str]:
    """List the files of the Python package, as a clone has them."""
    package = distributions.checkout / "qsession_widgets"
    files = (p for p in package.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    found = {p.relative_to(distributions.checkout).as_posix() for p in files}
    return {f for f in found if not f.startswith(("qsession_widgets/static", EXTENSION))}


def test_the_sdist_has_the_bundles(in_sdist):
    assert in_sdist >= BUNDLES


def test_the_sdist_has_what_the_bundles_are_made_of(in_sdist):
    assert {"js/package.json", "js/package-lock.json", "js/hatch_build.py"} <= in_sdist
    assert any(name.startswith("js/src/") for name in in_sdist)


def test_the_sdist_has_what_a_contributor_needs(distributions, in_sdist):
    wanted = {
        "SECURITY.md",
        "CODE_OF_CONDUCT.md",
        "CITATION.cff",
        "pyproject.toml",
        "setup.cfg",
        "Makefile",
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
    }
    assert in_sdist >= wanted
    for folder in ("tests", "notebooks"):
        files = (distributions.checkout / folder).rglob("*")
        missing = {
            name
            for name in (p.relative_to(distributions.checkout).as_posix() for p in files)
            if name.endswith((".py", ".ipynb", ".json")) and name not in in_sdist
        }
        assert not missing


def test_the_sdist_has_no_leftovers(in_sdist):
    assert not [name for name in in_sdist if LEFTOVERS & set(PurePosixPath(name).parts)]


def test_the_wheel_has_the_whole_package(distributions, in_wheel):
    assert modules(distributions) <= in_wheel
    assert "qsession_widgets/py.typed" in in_wheel


def test_the_wheel_has_the_bundles(distributions, in_wheel):
    assert in_wheel >= BUNDLES
    with zipfile.ZipFile(distributions.wheel) as archive:
        assert not [name for name in sorted(BUNDLES) if not archive.read(name).strip()]


def test_the_bundles_hold_no_path_of_the_machine_that_built_them(distributions):
    where = str(distributions.checkout).encode()
    with zipfile.ZipFile(distributions.wheel) as archive:
        assert not [name for name in sorted(BUNDLES) if where in archive.read(name)]


def test_the_wheel_puts_nothing_else_into_site_packages(in_wheel):
    top = {PurePosixPath(name).parts[0] for name in in_wheel}
    package = {"qsession_widgets"}
    assert package <= top
    assert all(".dist-info" in name or name.endswith(".data") for name in top - package)


def test_the_wheel_carries_the_licence_of_each_package_in_its_bundles(distributions, in_wheel):
    described = json.loads((distributions.checkout / "js/package.json").read_text("utf-8"))
    bundled = {f"{name}.txt" for name in described["dependencies"]}
    found = {PurePosixPath(n).name: n for n in in_wheel if ".dist-info/licenses/" in n}
    assert set(found) == {"LICENSE", *bundled}
    with zipfile.ZipFile(distributions.wheel) as archive:
        texts = {name: archive.read(found[name]).decode() for name in bundled}
    for name, text in texts.items():
        assert "Copyright" in text, name
        assert "Permission is hereby granted" in text, name


def test_the_licences_are_those_that_the_packages_came_with(repository):
    installed = repository / "js" / "node_modules"
    if not installed.is_dir():
        pytest.skip("the JavaScript packages are not installed here")
    for text in (repository / "licenses").glob("*.txt"):
        assert text.read_bytes() == (installed / text.stem / "LICENSE").read_bytes()


def test_the_wheel_has_no_sources_of_the_bundles(in_wheel):
    assert not [name for name in in_wheel if name.endswith((".ts", ".tsx", "package-lock.json"))]
    assert "qsession_widgets/static/built-from" not in in_wheel


def test_the_lab_extension_lies_where_jupyterlab_looks(distributions, in_wheel):
    """When there is one: then all of it is data, and nothing of it is in the package."""
    built = distributions.unpacked / "qsession_widgets" / "labextension"
    inside = {p.relative_to(built).as_posix() for p in built.rglob("*") if p.is_file()}
    installed = {name for name in in_wheel if "/share/jupyter/labextensions/" in name}
    assert {name.split("/labextensions/qsession-widgets/")[-1] for name in installed} == inside
    assert not [name for name in in_wheel if name.startswith(EXTENSION)]


def test_the_wheel_has_the_man_page(in_wheel):
    assert [name for name in in_wheel if name.endswith("/share/man/man1/qsession.1")]


def test_a_wheel_from_the_sdist_needs_no_node(distributions):
    called = distributions.node_was_called
    assert not called.exists(), called.read_text()


def test_the_lock_file_names_no_registry(distributions):
    """A lock file with addresses works only for people who reach these very addresses."""
    assert '"resolved": "http' not in (distributions.checkout / "js/package-lock.json").read_text()
