"""What memory there is, on a machine and in a container."""

from __future__ import annotations

from pathlib import Path

import pytest

from qsession_widgets.emulator.engine.simulation.resource_limits import available_memory

GIB = 1 << 30


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in {"proc/meminfo": f"MemAvailable: {8 * GIB // 1024} kB\n", **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def group(limit: int | str, used: int, cached: int = 0, version: int = 2) -> dict[str, str]:
    if version == 2:
        stat = f"anon {used - cached}\ninactive_file {cached}\n"
        return {"memory.max": f"{limit}\n", "memory.current": f"{used}\n", "memory.stat": stat}
    return {
        "memory.limit_in_bytes": f"{limit}\n",
        "memory.usage_in_bytes": f"{used}\n",
        "memory.stat": f"cache {cached}\ntotal_inactive_file {cached}\n",
    }


def under(folder: str, files: dict[str, str]) -> dict[str, str]:
    return {f"sys/fs/cgroup/{folder}/{name}": text for name, text in files.items()}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({}, 8 * GIB, id="no control groups"),
        pytest.param(
            {"proc/self/cgroup": "0::/\n", **under("", group(2 * GIB, GIB))}, GIB, id="container"
        ),
        pytest.param(
            {"proc/self/cgroup": "0::/\n", **under("", group("max", GIB))}, 8 * GIB, id="no limit"
        ),
        pytest.param(
            {"proc/self/cgroup": "0::/\n", **under("", group(2 * GIB, 2 * GIB, GIB))},
            GIB,
            id="cached files are given up",
        ),
        pytest.param(
            {
                "proc/self/cgroup": "0::/user/one\n",
                **under("user", group(3 * GIB, 0)),
                **under("user/one", group(5 * GIB, 0)),
            },
            3 * GIB,
            id="the narrowest of nested ones",
        ),
        pytest.param(
            {
                "proc/self/cgroup": "4:cpu:/\n3:memory:/docker/abc\n",
                **under("memory", group(4 * GIB, GIB, 0, version=1)),
            },
            3 * GIB,
            id="version 1, the host's path",
        ),
        pytest.param(
            {
                "proc/self/cgroup": "3:memory:/\n",
                **under("memory", group(0x7FFFFFFFFFFFF000, GIB, 0, version=1)),
            },
            8 * GIB,
            id="version 1, no limit",
        ),
        pytest.param(
            {"proc/self/cgroup": "0::/\n", **under("", group(GIB, 2 * GIB))}, 0, id="over the limit"
        ),
    ],
)
def test_the_narrowest_limit_counts(tmp_path: Path, files: dict[str, str], expected: int) -> None:
    root = write(tmp_path, files)
    assert available_memory(None, root) == expected
    assert available_memory(expected + 1, root) == expected
    assert available_memory(100, root) == min(100, expected)
