"""Devices the user added: one JSON file each, in a folder that only the user can read.

A file holds the configuration and the calibration in the form in which the service sends them, and
where they come from. Pulled data belong to an account's instance, so the folder and its files are
for their owner only.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_core.paths import jupyter_data_dir

FOLDER_VARIABLE = "QSESSION_DEVICES"
"""Environment variable that names the folder; Jupyter's data directory has it otherwise."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


def check_name(name: str) -> None:
    """Refuse a name that cannot be a device's.

    Raises
    ------
    ValueError
        It has other characters, or is that of the ideal simulator.
    """
    if not _NAME.fullmatch(name) or name in ("aer", "aer_simulator"):
        raise ValueError(
            f"A device cannot be named {name!r}: a name has letters, digits and _, begins with a "
            "letter, and is not that of the ideal simulator."
        )


def folder() -> Path:
    """Return where the files are; it need not exist."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    return Path(chosen) if chosen else Path(jupyter_data_dir()) / "qsession-devices"


def stamp() -> tuple[int, int]:
    """Return a value that changes whenever a device is added, replaced or removed."""
    try:
        found = folder().stat()
    except OSError:
        return 0, 0
    return found.st_ino, found.st_mtime_ns


def versions() -> dict[str, str]:
    """Return every device's name with what tells this version of its data from another."""
    try:
        entries = list(os.scandir(folder()))
    except OSError:
        return {}
    found = {}
    for entry in sorted(entries, key=lambda entry: entry.name):
        name, _, ending = entry.name.rpartition(".")
        if ending == "json" and _NAME.fullmatch(name):
            with contextlib.suppress(OSError):
                found[name] = f"{entry.stat().st_mtime_ns:x}"
    return found


def load(name: str) -> dict[str, Any]:
    """Return what is stored of a device: ``configuration``, ``properties``, ``source``.

    Raises
    ------
    LookupError
        There is no such device, or its file cannot be read.
    """
    try:
        data = json.loads((folder() / f"{name}.json").read_text("utf-8"))
        return {key: data[key] for key in ("configuration", "properties", "source")}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise LookupError(
            f"The device {name} cannot be read from {folder()} ({error}): add it again."
        ) from None


def save(
    name: str, configuration: Mapping[str, Any], properties: Mapping[str, Any], source: str
) -> Path:
    """Write a device down for the user only, all of it or nothing; one of that name is replaced.

    Raises
    ------
    ValueError
        That cannot be a device's name.
    OSError
        It cannot be written.
    """
    check_name(name)
    place = folder()
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    with contextlib.suppress(OSError):
        place.chmod(0o700)
    path = place / f"{name}.json"
    temporary = path.with_name(f".{name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            json.dump(
                {"source": source, "configuration": configuration, "properties": properties}, file
            )
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return path


def remove(name: str) -> bool:
    """Remove a device; returns whether there was one."""
    if not _NAME.fullmatch(name):
        return False
    try:
        (folder() / f"{name}.json").unlink()
    except FileNotFoundError:
        return False
    return True
