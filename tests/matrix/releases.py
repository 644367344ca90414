"""What tests expect of the client library that its older releases do not have.

A plugin of `make test-matrix`: it says which release is installed and leaves the tests out that
ask it for something it came without. Everything else must pass with every release of the range.
"""

from __future__ import annotations

import importlib.metadata

import pytest

USAGE = "the usage of a job as the service has told it since its API of April 2026"
CLIENT = "tests/emulator/test_api_client.py::test_"
SINCE: dict[str, tuple[tuple[int, int], str]] = {
    f"{CLIENT}each_primitive_runs_in_a_session": ((0, 50), "Sampler, by that name"),
    f"{CLIENT}client_side_estimator_runs_in_a_session": ((0, 50), "Estimator, by that name"),
    f"{CLIENT}real_name_leads_to_the_emulated_device": (
        (0, 50),
        "asking for a backend that the service does not list",
    ),
    f"{CLIENT}session_says_how_it_is": ((0, 51), "the states a session has been in"),
    f"{CLIENT}batch_is_charged_for_its_jobs": ((0, 48), USAGE),
    f"{CLIENT}job_mode_metrics_and_times": ((0, 48), USAGE),
    f"{CLIENT}usage_of_the_instance_adds_up": ((0, 48), USAGE),
    "tests/kernel/test_strays.py::test_a_line_is_reported_once": ((0, 49), "Estimator"),
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
