"""Imports run one way: every file imports what lies below it, and no files import in a circle."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

LAYERS = (
    ("platform_support", "fork_safety", "price_list", "device_estimate", "delay_units"),
    ("formatting", "text_table", "command_help", "files", "deferred_output"),
    ("local_time",),
    ("model",),
    ("messages",),
    ("errors",),
    ("explanations",),
    ("client", "tutorials"),
    ("options", "registry"),
    ("monitoring", "resume", "watchdog"),
    ("views", "discovery"),
    ("sessions",),
    ("api", "magics", "server", "cli"),
)
"""Parts of the package from the bottom to the top. ``emulator`` stands beside them."""

WITHIN = {
    "emulator": (
        ("rules", "engine"),
        ("storage",),
        ("option_table", "command_line"),
        (
            "options",
            "clock",
            "ideal_backend",
            "device_catalog",
            "job_runner",
            "long_polls",
            "admission",
            "core",
            "removal",
            "summary",
        ),
        ("http",),
        ("process",),
    ),
    "emulator.engine": (
        ("task", "failure"),
        ("declared_sizes", "instruction_names"),
        ("qpy_sizes",),
        ("job_decoder", "devices"),
        ("simulation",),
        ("programs",),
        ("workers",),
    ),
    "sessions": (
        (
            "session",
            "job_group",
            "session_owner",
            "deferral",
            "executions",
            "job_facts",
            "labels",
            "objective",
            "policies",
            "policy_enforcer",
            "callsite",
            "client_import",
            "with_blocks",
            "routed_circuits",
            "end_signals",
            "lost_requests",
            "run_ends",
            "simulation_choice",
        ),
        ("job_mode",),
        ("patches", "outcome_patch", "live"),
        ("stray_jobs", "blockers", "registration", "last_close"),
        ("binding",),
        ("crash_policy",),
        ("exit_hooks", "reuse", "opening"),
        ("look_back", "left_behind"),
        ("manager",),
    ),
    "resume": (
        ("hasher", "records", "place"),
        ("circuit_digest", "choice"),
        ("circuit_memory",),
        ("fingerprint", "asking"),
        ("runs",),
        ("run_list",),
    ),
    "monitoring": (
        (
            "intervals",
            "publisher",
            "poll_thread",
            "service_clock",
            "response_checks",
            "end_reason",
            "quota",
            "waits",
        ),
        ("job_tracker",),
        ("current_snapshot",),
        ("poller",),
        ("job_poller", "deferred_poller", "commands"),
        ("monitor", "event_callbacks"),
        ("waiting", "event_log"),
    ),
    "watchdog": (("closing",), ("process", "owner")),
    "discovery": (
        ("endpoints", "workloads"),
        ("fan_out", "lost_openings"),
        ("sources", "search"),
        ("kept_jobs",),
        ("listing", "leftovers"),
        ("close_all",),
    ),
}
"""The same inside of a part; files of one row may import each other, but not in a circle."""

KNOWS_OF_THE_EMULATOR = {
    "emulator.option_table": {"options"},
    "emulator.options": {"client", "options"},
    "emulator.process.launcher": {"client", "discovery", "server"},
    "emulator.process.connection_file": {"client", "discovery", "server"},
    "emulator.process.environment": {"client", "discovery", "server"},
    "emulator.process.cli": {"cli"},
    "emulator.process.run_command": {"cli"},
    "emulator.device_catalog": {"magics"},
}
"""Parts that may import modules of the emulator: to start it, find it, or set its options."""


KNOWN: set[str] = set()
"""What is still to be taken apart. The list only gets shorter."""


class Import(NamedTuple):
    """One import: the importing module, the imported one, and where it stands."""

    module: str
    target: str
    place: str


@pytest.fixture(scope="module")
def imports(repository: Path) -> list[Import]:
    """Every import inside the package: at run time, in functions, and for type checking only."""
    package = repository / "qsession_widgets"
    return sorted(
        i for i in set(_imports(package)) if f"{i.module} imports {i.target}" not in KNOWN
    )


def _imports(package: Path) -> Iterator[Import]:
    files = {_module(package, path): path for path in package.rglob("*.py")}
    for module, path in files.items():
        inside = module.split(".") if module else []
        if path.name != "__init__.py":
            inside = inside[:-1]
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.ImportFrom):
                continue
            named = (node.module or "").split(".") if node.module else []
            if node.level:
                base = [*inside[: len(inside) - node.level + 1], *named]
            elif named and named[0] == package.name:
                base = named[1:]
            else:
                continue
            place = f"{path.relative_to(package)}:{node.lineno}"
            for alias in node.names:
                full = ".".join([*base, alias.name])
                target = full if full in files else ".".join(base)
                if target not in ("", module):
                    yield Import(module, target, place)


def _module(package: Path, path: Path) -> str:
    parts = path.relative_to(package).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _told(found: list[Import]) -> str:
    return "\n".join(f"{i.place}: {i.module} imports {i.target}" for i in found)


def _part(module: str, inside: str = "") -> str | None:
    """The part of ``inside`` that a module belongs to, or None outside of it."""
    if inside:
        if not module.startswith(f"{inside}."):
            return None
        module = module[len(inside) + 1 :]
    return module.split(".")[0]


@pytest.mark.parametrize("inside", ["", *WITHIN])
def test_nothing_imports_what_lies_above_it(imports: list[Import], inside: str) -> None:
    layers = WITHIN[inside] if inside else LAYERS
    height = {name: level for level, layer in enumerate(layers) for name in layer}
    upwards = []
    for found in imports:
        here, there = _part(found.module, inside), _part(found.target, inside)
        if here in height and there in height and here != there:
            sideways = not inside and height[here] == height[there]
            if height[there] > height[here] or sideways:
                upwards.append(found)
    assert not upwards, _told(upwards)


@pytest.mark.parametrize("inside", ["", *WITHIN])
def test_every_part_has_its_place(repository: Path, inside: str) -> None:
    folder = repository.joinpath("qsession_widgets", *inside.split(".") if inside else [])
    parts = {p.stem for p in folder.glob("*.py")} | {
        p.parent.name for p in folder.glob("*/__init__.py")
    }
    layers = WITHIN[inside] if inside else (*LAYERS, ("emulator",))
    assert parts - {"__init__", "__main__"} == {name for layer in layers for name in layer}


def test_no_files_import_in_a_circle(imports: list[Import]) -> None:
    below: dict[str, set[str]] = {}
    for found in imports:
        below.setdefault(found.module, set()).add(found.target)
    circles = [" -> ".join(circle) for circle in _circles(below)]
    assert not circles, "\n".join(circles)


def _circles(below: dict[str, set[str]]) -> Iterator[list[str]]:
    """Each strongly connected set of modules, as one path through it (Tarjan)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []

    def visit(node: str) -> Iterator[list[str]]:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(below.get(node, ())):
            if other not in index:
                yield from visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            at = stack.index(node)
            found, stack[at:] = stack[at:], []
            if len(found) > 1:
                yield found

    for node in sorted(below):
        if node not in index:
            yield from visit(node)


def test_the_emulator_stands_by_itself(imports: list[Import]) -> None:
    wrong = [
        found
        for found in imports
        if _part(found.module) == "emulator"
        and _part(found.target)
        not in (
            "emulator",
            "formatting",
            "text_table",
            "command_help",
            "files",
            "platform_support",
            "device_estimate",
            "price_list",
        )
    ]
    assert not wrong, _told(wrong)


def test_only_few_know_of_the_emulator(imports: list[Import]) -> None:
    wrong = [
        found
        for found in imports
        if _part(found.target) == "emulator"
        and _part(found.module) != "emulator"
        and _part(found.module) not in KNOWS_OF_THE_EMULATOR.get(found.target, ())
    ]
    assert not wrong, _told(wrong)


def test_the_emulators_web_layer_knows_nothing_of_its_process(imports: list[Import]) -> None:
    wrong = [
        found
        for found in imports
        if found.module.startswith("emulator.")
        and (
            (
                _part(found.module, "emulator") in ("rules", "engine")
                and (_part(found.target, "emulator") or _part(found.target))
                not in (_part(found.module, "emulator"), "formatting", "files", "platform_support")
            )
            or (
                _part(found.module, "emulator") == "storage"
                and _part(found.target, "emulator") == "engine"
                and found.target != "emulator.engine.task"
            )
        )
    ]
    assert not wrong, _told(wrong)


def test_the_server_imports_neither_sessions_nor_the_monitors_thread(imports: list[Import]) -> None:
    wrong = [
        found
        for found in imports
        if _part(found.module) == "server"
        and (_part(found.target) == "sessions" or found.target == "monitoring.monitor")
    ]
    assert not wrong, _told(wrong)


def test_views_know_no_session(imports: list[Import]) -> None:
    wrong = [f for f in imports if _part(f.module) == "views" and _part(f.target) == "sessions"]
    assert not wrong, _told(wrong)
