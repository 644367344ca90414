"""What tests expect of the client library that its older releases do not have.

A plugin of `make test-matrix`: it says which release is installed and leaves the tests out that
ask it for something it came without. Everything else must pass with every release of the range.
"""

from __future__ import annotations

import importlib.metadata

import pytest

CLIENT = "tests/emulator/test_api_client.py::test_"
SINCE: dict[str, tuple[tuple[int, int], str]] = {
    f"{CLIENT}session_says_how_it_is": ((0, 51), "the states a session has been in"),
    "tests/emulator/test_devices.py::test_dry_run": ((0, 51), "dry runs"),
}
"""Tests by how their ids begin, the first release that passes them, and what older ones lack."""


def installed() -> tuple[int, int]:
    """The minor release that is installed."""
    major, minor, *_ = importlib.metadata.version("qiskit-ibm-runtime").split(".")
    return int(major), int(minor)


def pytest_report_header() -> str:
    """Say what is tested."""
    names = ("qiskit-ibm-runtime", "qiskit", "qiskit-aer")
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what the installed release cannot pass, and no test that is not there."""
    files = {item.nodeid.partition("::")[0] for item in items}
    left_out = []
    for beginning, (since, _) in SINCE.items():
        found = [item for item in items if item.nodeid.startswith(beginning)]
        if not found and beginning.partition("::")[0] in files:
            raise pytest.UsageError(f"tests/matrix/releases.py names {beginning}, which is no test")
        if installed() < since:
            left_out += found
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)
