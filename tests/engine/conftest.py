"""Slow statistical sweeps run when asked for: ``pytest tests/engine -m slow``."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave slow sweeps out unless the marker expression names them; this is not a skip."""
    if "slow" in (config.getoption("markexpr") or ""):
        return
    slow = [item for item in items if HERE in item.path.parents and item.get_closest_marker("slow")]
    items[:] = [item for item in items if item not in slow]
    config.hook.pytest_deselected(items=slow)
