"""Says which JupyterLab is tested: a plugin of `make test-labs`."""

from __future__ import annotations

import importlib.metadata


def pytest_report_header() -> str:
    """Name the releases that decide what the page does."""
    names = ("jupyterlab", "notebook", "jupyter-server", "jupyterhub", "ipykernel")
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)
