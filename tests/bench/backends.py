"""How long it takes the client to choose a backend from the emulator's fleet: one JSON line each.

``python tests/bench/backends.py``; medians of five, the emulator warm. Most of the time is the
client's, which parses the calibration of every backend that a filter asks for its qubits.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

HOME = tempfile.TemporaryDirectory(prefix="qsession-bench-")
os.environ["JUPYTER_RUNTIME_DIR"] = os.path.join(HOME.name, "runtime")
os.environ["JUPYTER_DATA_DIR"] = os.path.join(HOME.name, "data")
os.environ["USAGE_DATA_OPT_OUT"] = "True"

from qsession_widgets.client.emulators import connect  # noqa: E402 - reads them when imported
from qsession_widgets.emulator.process import launcher  # noqa: E402

RUNS = 5
TARGET = "<= 2 s"


def measure(name: str, work: Callable[[], Any]) -> None:
    """Print the median of some runs; the first is left out."""
    work()
    times = []
    for _ in range(RUNS):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    row = {"name": name, "ours": round(statistics.median(times), 2), "unit": "s", "target": TARGET}
    print(json.dumps(row), flush=True)


def main() -> None:
    """Print every row."""
    connection = launcher.find_or_start()
    try:
        service = connect(connection)
        measure("least_busy()", service.least_busy)
        measure(
            "least_busy(operational=True, simulator=False)",
            lambda: service.least_busy(operational=True, simulator=False),
        )
        measure(
            "least_busy(filters=…) by the number of qubits",
            lambda: service.least_busy(filters=lambda backend: backend.num_qubits > 100),
        )
        measure(
            "backends(filters=…) by the number of qubits",
            lambda: service.backends(filters=lambda backend: backend.num_qubits > 100),
        )
        measure(
            "least_busy(use_fractional_gates=True)",
            lambda: service.least_busy(use_fractional_gates=True),
        )
        measure(
            "backend(…, use_fractional_gates=True).target",
            lambda: service.backend("ibm_fez", use_fractional_gates=True).target,
        )
    finally:
        launcher.stop()
        HOME.cleanup()


if __name__ == "__main__":
    main()
