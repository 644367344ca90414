"""Record of forecasts and what sessions on IBM then used, by which later forecasts are calibrated.

One file of JSON lines in Jupyter's data directory, readable by its owner alone.
"""

from __future__ import annotations

import json
import math
import os
import time
from pathlib import Path
from typing import Any

from ..files import PRIVATE_FILE, parse_json, private_folder
from ..model.forecast import Checked
from ..model.snapshot import SessionSnapshot
from ..price_list import plan_code

NEWEST = 20
"""Sessions of a plan and device that count, the newest ones."""


def forecasts_file() -> Path:
    """The file of the records; it need not be there."""
    from jupyter_core.paths import jupyter_data_dir

    return Path(jupyter_data_dir()) / "qsession" / "forecasts.jsonl"


def record(snapshot: SessionSnapshot, found: Checked) -> None:
    """Record a session's forecast and usage, once.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    if any(row["session"] == snapshot.session_id for row in _rows()):
        return
    row = {
        "session": snapshot.session_id,
        "at": round(time.time()),
        "plan": plan_code(snapshot.service.plan),
        "device": device_name(snapshot.backend),
        "mode": snapshot.mode,
        "forecast": round(found.forecast.plain[1], 3),
        "usage": round(found.usage, 3),
    }
    path = forecasts_file()
    private_folder(path.parent)
    # one write to the file's end: several kernels may share the file
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, PRIVATE_FILE)
    try:
        os.write(descriptor, (json.dumps(row) + "\n").encode())
    finally:
        os.close(descriptor)


def ratios(plan: str, backend: str) -> tuple[float, ...]:
    """Usage over its forecast of the newest sessions on IBM with a plan and a device.

    Parameters
    ----------
    plan : str
        Any of the plan's names.
    backend : str
        The device; a fake device stands for the one it is made of.
    """
    code, device = plan_code(plan), device_name(backend)
    found = [
        row["usage"] / row["forecast"]
        for row in _rows()
        if row["plan"] == code and row["device"] == device
    ]
    return tuple(found[-NEWEST:])


def device_name(backend: str) -> str:
    """Name of a device without what tells a fake one from it: ``fez``."""
    return backend.removeprefix("ibm_").removeprefix("fake_")


def _rows() -> list[dict[str, Any]]:
    try:
        lines = forecasts_file().read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return []
    rows = []
    for line in lines:
        try:
            row = parse_json(line)
            known = {"session", "plan", "device"} <= row.keys()
            forecast, used = float(row["forecast"]), float(row["usage"])
        except (ValueError, TypeError, KeyError, AttributeError):
            # a line that was cut off
            continue
        if known and math.isfinite(forecast) and math.isfinite(used) and min(forecast, used) > 0:
            rows.append(row)
    return rows
