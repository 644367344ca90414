"""Data walks one way: a part of the package imports the parts below it, and none above."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

LAYERS = (
    ("errors", "advice", "durations", "notices"),
    ("snapshot",),
    ("service",),
    ("options",),
    ("notes",),
    ("watching",),
    ("views",),
    ("finding",),
    ("sessions",),
    ("api", "watch", "tutorial"),
    ("notebook", "server", "cli"),
)
"""From the bottom to the top, as CONTRIBUTING.md lists them. ``emulator`` stands beside them."""
HEIGHT = {name: height for height, layer in enumerate(LAYERS) for name in layer}
KNOWS_THE_EMULATOR = {"service", "options", "finding", "server", "notebook", "cli"}
"""Who may start, find or configure it."""


@pytest.fixture(scope="module")
def package(repository: Path) -> Path:
    return repository / "qsession_widgets"


def imports(package: Path) -> Iterator[tuple[str, str, str]]:
    """Each import between parts at run time: who, whom, and where it stands."""
    for path in sorted(package.rglob("*.py")):
        module = (package.name, *path.relative_to(package).with_suffix("").parts)
        for node in at_run_time(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.ImportFrom):
                continue
            if node.level:
                target = (*module[: -node.level], *(node.module or "").split("."))
            else:
                target = tuple((node.module or "").split("."))
            if target[0] != package.name or (len(module) < 3 and module[1] == "__init__"):
                continue
            names = [target[1]] if target[1:] and target[1] else [a.name for a in node.names]
            for name in names:
                if name != module[1]:
                    yield module[1], name, f"{path.relative_to(package)}:{node.lineno}"


def at_run_time(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            continue
        yield child
        yield from at_run_time(child)


def test_nothing_imports_what_is_above_it(package: Path) -> None:
    upwards = [
        f"{where}: {who} imports {whom}"
        for who, whom, where in imports(package)
        if who in HEIGHT and whom in HEIGHT and HEIGHT[whom] > HEIGHT[who]
    ]
    assert not upwards, upwards


def test_every_part_has_its_place(package: Path) -> None:
    parts = {path.stem for path in package.glob("*.py")} | {
        path.parent.name for path in package.glob("*/__init__.py")
    }
    assert parts - {"__init__"} == set(HEIGHT) | {"emulator"}


def test_the_emulator_stands_by_itself(package: Path) -> None:
    known = {who for who, whom, _ in imports(package) if whom == "emulator"}
    assert known <= KNOWS_THE_EMULATOR
    used = {whom for who, whom, _ in imports(package) if who == "emulator"}
    assert used <= {"errors", "durations"}
