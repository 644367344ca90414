"""A device's configuration and calibration, in the form in which the service sends them today.

The snapshots that come with the client are of several years. Here they are brought to one form: no
pulse-level data, which the service no longer sends; the fractional gates that a device's
calibration has are listed among its gates; fields that programs ask every device for are there.
What the service lists and what the engine runs both come from here, so that they cannot differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any

from qsession_widgets.emulator.engine.devices import fake_devices, own_devices

OWN = "@"
"""Stands between the name of a device of the user's and the version of its data."""

HERON = "Heron"
TUNABLE_COUPLERS = ("Egret", "Heron", "Nighthawk")
"""Processor families with a coupler for each pair of neighbours."""

FRACTIONAL = {"rx": "sx", "rzz": "cz"}
"""Fractional gates, each with the gate from which its error is taken when it has none of its own.

An ``rx`` is played like an ``sx`` of another angle, an ``rzz`` like a ``cz``.
"""

_PULSE_FIELDS = frozenset(
    {
        "acquisition_latency",
        "channels",
        "conditional_latency",
        "hamiltonian",
        "meas_lo_range",
        "n_uchannels",
        "parametric_pulses",
        "qubit_channel_mapping",
        "qubit_lo_range",
        "rep_times",
        "u_channel_lo",
        "uchannels_enabled",
    }
)
_DATES = frozenset({"date", "last_update_date"})
_COUPLINGS = ("jq_", "zz_")
"""Strengths of couplings: a tenth of a calibration, of which no part of the client makes use."""

_PULSE_INSTRUCTIONS = frozenset({"acquire", "play", "setf", "shiftf"})
_UNCALIBRATED = 1.0
"""The error the service gives a gate at a place where it does not work or was not calibrated."""

_DEFAULTS: Mapping[str, Any] = {
    "multi_meas_enabled": False,
    "supported_features": [],
    "tags": [],
    "timing_constraints": {},
}


@dataclass(frozen=True)
class Description:
    """Configuration and calibration of a device, as the service sends them.

    Attributes
    ----------
    configuration, properties : dict
        As the service sends them, without the device's name.
    source : str
        Where the data come from, as in "the data of fake_fez".
    """

    configuration: dict[str, Any]
    properties: dict[str, Any]
    source: str

    @property
    def calibrated(self) -> str:
        """When it was calibrated, as its data have it."""
        return str(self.properties["last_update_date"])

    def gates(self) -> dict[tuple[str, tuple[int, ...]], dict[str, Any]]:
        """Return the calibrated gates, by name and qubits."""
        return {(gate["gate"], tuple(gate["qubits"])): gate for gate in self.properties["gates"]}


@lru_cache(maxsize=4)
def load(key: str) -> Description:
    """Return a device's description.

    Parameters
    ----------
    key : str
        A fake device's name, or a name of the user's with its version, as in ``mine@17c``.

    Raises
    ------
    LookupError
        There is no such device.
    """
    name, separator, _ = key.partition(OWN)
    if separator:
        stored = own_devices.load(name)
        return describe(stored["configuration"], stored["properties"], stored["source"])
    return describe(
        fake_devices.load_configuration(name),
        fake_devices.load_properties(name),
        f"the data of {name}",
    )


def describe(
    configuration: Mapping[str, Any], properties: Mapping[str, Any], source: str
) -> Description:
    """Return a device's description, made of data of any year."""
    return Description(
        _configuration(configuration, properties), _properties(configuration, properties), source
    )


@lru_cache(maxsize=128)
def size(key: str) -> dict[str, Any]:
    """Return the few fields of a device's configuration that the list of backends has.

    Raises
    ------
    LookupError
        There is no such device.
    """
    name, separator, _ = key.partition(OWN)
    raw = own_devices.load(name)["configuration"] if separator else None
    raw = raw or fake_devices.load_configuration(name)
    return {
        "qubits": int(raw["n_qubits"]),
        "couplers": len({frozenset(pair) for pair in raw.get("coupling_map") or ()})
        if family(raw) in TUNABLE_COUPLERS
        else 0,
        "processor_type": raw.get("processor_type"),
        "clops": raw.get("clops_h") or raw.get("clops_v") or raw.get("clops"),
    }


def family(configuration: Mapping[str, Any]) -> str:
    """Return the family of a device's processor, empty where it has none."""
    processor = configuration.get("processor_type")
    return str(processor.get("family", "")) if isinstance(processor, dict) else ""


def _configuration(raw: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    data = {name: value for name, value in raw.items() if name not in _PULSE_FIELDS}
    for name, value in _DEFAULTS.items():
        if data.get(name) is None:
            data[name] = value
    instructions = [
        name for name in data.get("supported_instructions", ()) if name not in _PULSE_INSTRUCTIONS
    ]
    for name in _fractional(raw, properties):
        data["basis_gates"] = [*data["basis_gates"], name]
        data["gates"] = [*data["gates"], _gate(name, _places(raw, FRACTIONAL[name]))]
        instructions.append(name)
    if instructions:
        data["supported_instructions"] = list(dict.fromkeys(instructions))
    features = list(data["supported_features"])
    if "if_else" in instructions:
        # older snapshots have it among the instructions only
        features += [name for name in ("qasm3", "dynamic_circuits") if name not in features]
    data["supported_features"] = features
    return data


def _properties(configuration: Mapping[str, Any], raw: Mapping[str, Any]) -> dict[str, Any]:
    kept = [entry for entry in raw["general"] if not entry["name"].startswith(_COUPLINGS)]
    raw = _in_utc({**raw, "general": kept})
    added = _fractional(configuration, raw)
    if not added:
        return dict(raw)
    entries = {(gate["gate"], tuple(gate["qubits"])): gate for gate in raw["gates"]}
    for name in added:
        base = FRACTIONAL[name]
        for gate in raw["gates"]:
            place = tuple(gate["qubits"])
            known = entries.get((name, place))
            if gate["gate"] == base and (known is None or _error(known) >= _UNCALIBRATED):
                label = name + "_".join(map(str, place))
                # of its own, because whoever decodes properties changes its values in place
                values = [dict(value) for value in gate["parameters"]]
                entries[name, place] = {**gate, "gate": name, "name": label, "parameters": values}
    return {**raw, "gates": list(entries.values())}


def _in_utc(value: Any) -> Any:
    """Return calibration data with their dates in UTC.

    The client takes every date for UTC whatever offset it has, and reads one with a Z faster.
    """
    if isinstance(value, dict):
        return {
            key: _utc(inner)
            if key in _DATES and isinstance(inner, str)
            else _in_utc(inner)
            if isinstance(inner, dict | list)
            else inner
            for key, inner in value.items()
        }
    return [_in_utc(inner) if isinstance(inner, dict | list) else inner for inner in value]


@lru_cache(maxsize=4096)
def _utc(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return text
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _fractional(configuration: Mapping[str, Any], properties: Mapping[str, Any]) -> list[str]:
    """Return the fractional gates that a device has and its configuration does not list."""
    calibrated = {gate["gate"] for gate in properties["gates"]}
    if family(configuration) == HERON:
        calibrated |= FRACTIONAL.keys()
    listed = set(configuration["basis_gates"])
    return [
        name
        for name, base in FRACTIONAL.items()
        if name in calibrated and name not in listed and base in listed
    ]


def _error(gate: Mapping[str, Any]) -> float:
    return next(
        (float(entry["value"]) for entry in gate["parameters"] if entry["name"] == "gate_error"),
        _UNCALIBRATED,
    )


def _places(configuration: Mapping[str, Any], gate: str) -> list[list[int]]:
    for entry in configuration["gates"]:
        if entry["name"] == gate:
            return list(entry.get("coupling_map") or ())
    return []


def _gate(name: str, places: Iterable[list[int]]) -> dict[str, Any]:
    places = list(places)
    qubits = ",".join(f"q{at}" for at in range(len(places[0]) if places else 1))
    return {
        "name": name,
        "parameters": ["theta"],
        "qasm_def": f"gate {name}(theta) {qubits} {{}}",
        "coupling_map": places,
    }
