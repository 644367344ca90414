"""The backends of one emulator, as the service describes them.

There are today's fleet under its ``ibm_`` names, made of the snapshots that come with the client;
the user's own devices; the ideal simulator; and on request every other snapshot, under the name of
its fake backend and under the device's own. Only JSON is read here.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal

from . import ideal_backend
from .engine.devices import descriptions, fake_devices, own_devices
from .engine.task import IDEAL, IDEAL_QUBITS
from .rules.records import DRY_RUN, Backend

State = Literal["active", "maintenance", "retired"]
STATES: tuple[State, ...] = ("active", "maintenance", "retired")

IDEAL_LANES = 2
IDEAL_SIZE: dict[str, Any] = {
    "qubits": IDEAL_QUBITS,
    "couplers": 0,
    "processor_type": ideal_backend.PROCESSOR,
    "clops": None,
}
FAKE, REAL = "fake_", "ibm_"
_PREFIX = re.compile("^[^_]+")

IN_SERVICE = frozenset({"Heron", "Nighthawk"})
"""Processor families of the devices in service. Source: IBM's list of processor types, 2026."""

NO_DEVICE = frozenset({"fake_nighthawk", "fake_fractional"})
"""Snapshots that are examples, and no device's of that name."""


class UnknownDevice(LookupError):
    """There is no such device; the message is one sentence for people."""


@dataclass(frozen=True)
class Entry:
    """One backend of the catalog.

    Attributes
    ----------
    name : str
        What users call it.
    key : str
        What the engine calls it.
    listed : bool
        Whether it is among the backends when nobody asks for one by name.
    """

    name: str
    key: str
    listed: bool

    @property
    def ideal(self) -> bool:
        """True for the ideal simulator."""
        return self.key == IDEAL

    @property
    def described(self) -> descriptions.Description:
        """Its configuration and calibration.

        Raises
        ------
        LookupError
            Its data cannot be read.
        """
        if self.ideal:
            return descriptions.Description(
                ideal_backend.configuration(self.name),
                ideal_backend.properties(self.name),
                "no data",
            )
        return descriptions.load(self.key)

    @cached_property
    def calibration_id(self) -> str:
        """Tells its calibration from every other."""
        calibrated = f"{self.key}/{self.described.calibrated}"
        return str(uuid.uuid5(uuid.NAMESPACE_URL, calibrated))

    @cached_property
    def configuration(self) -> bytes:
        """Its configuration, as JSON."""
        data = dict(self.described.configuration)
        if not self.ideal:
            data.update(backend_name=self.name, simulator=False, local=False)
            data.setdefault("online_date", ideal_backend.IDEAL_SINCE)
            data.update(description=self.sentence, calibrated=self.calibrated)
        return json.dumps(data, separators=(",", ":")).encode()

    @property
    def properties(self) -> bytes:
        """Its calibration, as JSON."""
        return _properties(self)

    @cached_property
    def calibrated(self) -> str | None:
        """The day of its calibration; None for the ideal simulator."""
        return None if self.ideal else self.described.calibrated[:10]

    @property
    def sentence(self) -> str:
        """A sentence about its place, its data and their day."""
        if self.ideal:
            return str(self.described.configuration["description"])
        return (
            f"Emulated on this machine from {self.described.source}, calibrated {self.calibrated}."
        )

    @property
    def qubits(self) -> int:
        """The number of qubits a program can use."""
        return IDEAL_QUBITS if self.ideal else int(descriptions.size(self.key)["qubits"])

    @cached_property
    def version(self) -> str:
        """The version it reports."""
        return str(self.described.configuration.get("backend_version", "1.0.0"))

    @cached_property
    def summary(self) -> dict[str, Any]:
        """Its entry in the list of backends: qubits, processor, speed."""
        size = IDEAL_SIZE if self.ideal else descriptions.size(self.key)
        entry: dict[str, Any] = {
            "name": self.name,
            "is_simulator": self.name == ideal_backend.SIMULATOR,
            "qubits": size["qubits"],
            "physical_qubits": size["qubits"] + size["couplers"],
            "processor_type": _processor(size["processor_type"]),
        }
        if isinstance(size["clops"], int | float):
            entry["clops"] = {"type": "hardware", "value": int(size["clops"])}
        if not self.listed:
            # the client lists these only when asked for, and finds them by name
            entry["class"] = "mock"
        return entry


# half a megabyte each, so that only those of a fleet and a few others are kept
@lru_cache(maxsize=32)
def _properties(entry: Entry) -> bytes:
    data = {
        **entry.described.properties,
        "backend_name": entry.name,
        "calibration_id": entry.calibration_id,
    }
    return json.dumps(data, separators=(",", ":")).encode()


def _processor(data: dict[str, Any] | None) -> dict[str, str] | None:
    # some devices' files have numbers, which the service never sends and strict clients refuse
    return None if data is None else {part: str(value) for part, value in data.items()}


def _in_service(name: str) -> bool:
    return name not in NO_DEVICE and fake_devices.family(name) in IN_SERVICE


class DeviceCatalog:
    """The backends, by name.

    Parameters
    ----------
    given : iterable of (str, str)
        Names of this emulator alone, each with the device that stands behind it.

    Raises
    ------
    UnknownDevice
        There is no such device, or it cannot have that name.
    """

    def __init__(self, given: Iterable[tuple[str, str]] = ()):
        self._given = dict(given)
        self._states: dict[str, State] = {}
        self._stamp = own_devices.stamp()
        self._entries: dict[str, Entry] = {}
        self._fill()
        for name, base in self._given.items():
            try:
                own_devices.check_name(name)
            except ValueError as error:
                raise UnknownDevice(str(error)) from None
            if base not in self._entries:
                known = ", ".join(entry.name for entry in self.listed())
                raise UnknownDevice(
                    f"There is no device {base!r} to stand behind {name}: there are {known}, and "
                    "every fake_ device of the client."
                )
        self._fill()

    def _fill(self) -> None:
        keys = {name: (name, False) for name in fake_devices.names()}
        for name in fake_devices.names():
            keys[REAL + name.removeprefix(FAKE)] = (name, _in_service(name))
        for name, version in own_devices.versions().items():
            keys[name] = (f"{name}{descriptions.OWN}{version}", True)
        for name in ideal_backend.NAMES:
            keys[name] = (IDEAL, True)
        for name, base in self._given.items():
            if base in keys:
                keys[name] = (keys[base][0], True)
        # the client makes this name of a backend's to try a job on it
        keys.update({_PREFIX.sub(DRY_RUN, name): (key, False) for name, (key, _) in keys.items()})
        # what is known of a device whose data are the same stays
        self._entries = {
            name: known
            if (known := self._entries.get(name)) is not None and known.key == key
            else Entry(name, key, listed)
            for name, (key, listed) in keys.items()
        }

    def refresh(self) -> bool:
        """Look for devices that were added or removed since; returns whether there were any."""
        stamp = own_devices.stamp()
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        self._fill()
        return True

    def backends(self, lanes: int | None = None) -> list[Backend]:
        """The scheduling properties of every backend.

        Parameters
        ----------
        lanes : int, optional
            How many jobs a device runs at once; 1 by default, as many as make sense on the ideal
            simulator.
        """
        return [
            Backend(
                entry.name,
                lanes=0
                if self.state(entry.name) == "maintenance"
                else lanes or (IDEAL_LANES if entry.ideal else 1),
                exclusive=not entry.ideal,
            )
            for entry in self._entries.values()
        ]

    def find(self, name: str) -> Entry:
        """A backend that is offered.

        Raises
        ------
        UnknownDevice
            There is none of that name, or it is retired.
        """
        entry = self._entries.get(name)
        if entry is None:
            raise UnknownDevice(f"There is no backend {name}.")
        if self.state(name) == "retired":
            raise UnknownDevice(f"The backend {name} is retired.")
        return entry

    def __contains__(self, name: str) -> bool:
        return name in self._entries and self.state(name) != "retired"

    def listed(self) -> list[Entry]:
        """The backends that are listed when nobody asks for one by name, as `offered` sorts."""
        return [entry for entry in self.offered() if entry.listed]

    def offered(self) -> list[Entry]:
        """Every backend that is not retired, sorted as somebody chooses who does not care which.

        The client takes the first of several with the same queue as the least busy one. Who asks
        for a device means a large one, as those that are in service are, and not the ideal
        simulator. What is not listed comes last: it is not looked into before somebody asks.
        """
        offered = [entry for entry in self._entries.values() if entry.name in self]
        first = [entry for entry in offered if entry.listed]
        first.sort(key=lambda entry: (entry.ideal, -entry.qubits, entry.name))
        rest = [entry for entry in offered if not entry.listed]
        return [*first, *sorted(rest, key=lambda entry: entry.name)]

    def retired(self) -> list[Entry]:
        """The backends that are retired."""
        return [entry for entry in self._entries.values() if entry.name not in self]

    def key(self, name: str) -> str:
        """The engine's name of a backend; of one that is gone, the name itself."""
        entry = self._entries.get(name)
        return name if entry is None else entry.key

    def state(self, name: str) -> State:
        """The state of a backend: active, under maintenance, or retired."""
        return self._states.get(name, "active")

    def put_state(self, name: str, state: State) -> None:
        """Let a backend be in a state from now on.

        Raises
        ------
        UnknownDevice
            There is no such backend.
        """
        if name not in self._entries:
            raise UnknownDevice(f"There is no backend {name}.")
        self._states[name] = state
