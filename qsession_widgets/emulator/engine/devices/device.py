"""The device a job names, as a worker uses it: gates, and calibration by qubit.

``"aer"`` is the ideal device: any gate Aer knows, on any qubits, without noise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from qiskit.circuit import CONTROL_FLOW_OP_NAMES, QuantumCircuit

from qsession_widgets.emulator.engine.devices import descriptions
from qsession_widgets.emulator.engine.failure import INVALID_BODY, NOT_ISA, JobFailure
from qsession_widgets.emulator.engine.task import IDEAL, IDEAL_QUBITS

_UNLIMITED = frozenset(CONTROL_FLOW_OP_NAMES) | {
    "barrier",
    "delay",
    "global_phase",
    "measure",
    "reset",
    "store",
}


@dataclass(frozen=True, eq=False)
class Device:
    """A fake device's data, arranged for look-up by qubit and gate.

    Attributes
    ----------
    name : str
        Its name; of a device of the user's with the version of its data, as in ``mine@17c``.
    num_qubits : int
        How many qubits it has.
    dt : float or None
        Its time step, in seconds.
    configuration, properties : dict
        What its two files say; empty for the ideal device.
    gates : Mapping
        Calibration entries by gate name and qubits.
    """

    name: str
    num_qubits: int
    dt: float | None = None
    configuration: dict[str, Any] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)
    gates: Mapping[tuple[str, tuple[int, ...]], dict[str, Any]] = field(default_factory=dict)
    couplings: Mapping[str, frozenset[tuple[int, ...]]] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Its name for people."""
        return self.name.partition(descriptions.OWN)[0]

    @property
    def ideal(self) -> bool:
        """True for a device with neither noise nor restrictions."""
        return self.name == IDEAL

    def calibration(self, qubit: int) -> list[SimpleNamespace]:
        """Return the calibrated values of a qubit, as named values with units."""
        return [_named_value(entry) for entry in self.properties["qubits"][qubit]]

    def check(self, circuit: QuantumCircuit, index: int) -> None:
        """Refuse a circuit the device could not run.

        Parameters
        ----------
        circuit : QuantumCircuit
            As posted, before compaction.
        index : int
            Which PUB it is, for the message.

        Raises
        ------
        JobFailure
            If it has too many qubits, or a gate the device does not have there.
        """
        if self.ideal:
            return
        if circuit.num_qubits > self.num_qubits:
            raise JobFailure(
                f"The circuit of PUB {index} has {circuit.num_qubits} qubits and {self.label} has "
                f"{self.num_qubits}: transpile it for this backend.",
                NOT_ISA,
            )
        self._check_block(circuit, tuple(range(circuit.num_qubits)), index)

    def _check_block(self, circuit: QuantumCircuit, physical: tuple[int, ...], index: int) -> None:
        where = {bit: physical[position] for position, bit in enumerate(circuit.qubits)}
        couplings = self.couplings
        for instruction in circuit.data:
            name = instruction.name
            if name in _UNLIMITED:
                if instruction.is_control_flow():
                    inner = tuple(where[qubit] for qubit in instruction.qubits)
                    for block in instruction.operation.blocks:
                        self._check_block(block, inner, index)
                continue
            qubits = tuple([where[qubit] for qubit in instruction.qubits])
            if qubits not in couplings.get(name, ()):
                gates = ", ".join(sorted(self.couplings))
                raise JobFailure(
                    f"The circuit of PUB {index} has the gate {name!r} on qubits {list(qubits)}, "
                    f"which {self.label} does not have there (its gates: {gates}): "
                    "transpile it for this backend.",
                    NOT_ISA,
                )


def _named_value(entry: Mapping[str, Any]) -> SimpleNamespace:
    return SimpleNamespace(name=entry["name"], unit=entry.get("unit", ""), value=entry["value"])


@lru_cache(maxsize=8)
def find(name: str) -> Device:
    """Return a device by name, reading its files once.

    Raises
    ------
    JobFailure
        If there is none of this name.
    """
    if name == IDEAL:
        return Device(IDEAL, IDEAL_QUBITS)
    try:
        description = descriptions.load(name)
    except LookupError as error:
        raise JobFailure(str(error), INVALID_BODY) from None
    configuration = description.configuration
    couplings: dict[str, set[tuple[int, ...]]] = {}
    for gate in configuration["gates"]:
        couplings.setdefault(gate["name"], set()).update(map(tuple, gate.get("coupling_map") or ()))
    gates = description.gates()
    for gate_name, qubits in gates:
        couplings.setdefault(gate_name, set()).add(qubits)
    dt = configuration.get("dt")
    return Device(
        name,
        int(configuration["n_qubits"]),
        dt * 1e-9 if dt else None,
        configuration,
        description.properties,
        gates,
        {name: frozenset(places) for name, places in couplings.items()},
    )
