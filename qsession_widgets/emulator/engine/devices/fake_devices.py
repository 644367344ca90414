"""Find the data files of a fake device by name, without importing Qiskit.

The client ships about sixty snapshots of real devices, one folder each, with the configuration and
the properties as the service sent them. Loading them through their classes means importing the
client and, for a list, building every device. Both the REST description of a device and its
simulation need only the JSON of one, so this module reads the folders as text.
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

_ASSIGNMENT = re.compile(
    r'^ {4}(backend_name|conf_filename|props_filename)\s*=\s*"([^"]+)"', re.MULTILINE
)
_FAMILY = re.compile(rb'"family":\s*"([^"]*)"')


@dataclass(frozen=True)
class DeviceFiles:
    """Paths of one fake device's data files.

    Attributes
    ----------
    name : str
        The ``backend_name`` the client knows it by, such as ``"fake_fez"``.
    configuration, properties : Path
        Its two JSON files.
    """

    name: str
    configuration: Path
    properties: Path


def _folder() -> Path:
    # find_spec on the top package does not execute it; on a subpackage it would import the parents.
    spec = importlib.util.find_spec("qiskit_ibm_runtime")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(
            "qiskit-ibm-runtime is not installed, and the fake devices come with it: "
            "install it with pip install qiskit-ibm-runtime."
        )
    return Path(spec.submodule_search_locations[0]) / "fake_provider" / "backends"


@lru_cache(maxsize=1)
def _index() -> Mapping[str, DeviceFiles]:
    found = {}
    for source in sorted(_folder().glob("*/fake_*.py")):
        values = dict(_ASSIGNMENT.findall(source.read_text(encoding="utf-8")))
        if len(values) < 3:
            continue
        name = values["backend_name"]
        found[name] = DeviceFiles(
            name=name,
            configuration=source.parent / values["conf_filename"],
            properties=source.parent / values["props_filename"],
        )
    return found


def names() -> list[str]:
    """Return the names of all fake devices, sorted."""
    return sorted(_index())


def files(name: str) -> DeviceFiles:
    """Return where a device keeps its data.

    Raises
    ------
    LookupError
        If there is no fake device of this name; the message names a few that exist.
    """
    try:
        return _index()[name]
    except KeyError:
        known = ", ".join(names()[:4])
        raise LookupError(
            f"There is no fake device named {name!r}; there are {len(names())}, such as {known}."
        ) from None


def family(name: str) -> str:
    """Return the family of a device's processor, empty where its file has none.

    The file is not parsed: this is asked of every device whenever an emulator starts.

    Raises
    ------
    LookupError
        If there is no fake device of this name.
    """
    found = _FAMILY.search(files(name).configuration.read_bytes())
    return found[1].decode() if found else ""


def load_configuration(name: str) -> dict[str, Any]:
    """Return a device's configuration as its JSON file has it, under its fake name.

    Raises
    ------
    LookupError
        If there is no fake device of this name.
    """
    found = files(name)
    configuration: dict[str, Any] = json.loads(found.configuration.read_text(encoding="utf-8"))
    configuration["backend_name"] = found.name
    return configuration


def load_properties(name: str) -> dict[str, Any]:
    """Return a device's calibration data as its JSON file has it, under its fake name.

    Raises
    ------
    LookupError
        If there is no fake device of this name.
    """
    found = files(name)
    properties: dict[str, Any] = json.loads(found.properties.read_text(encoding="utf-8"))
    properties["backend_name"] = found.name
    return properties
