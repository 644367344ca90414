"""Circuits by their recipes, and the fingerprints of what asks for them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, qpy
from qiskit.circuit import Parameter
from qiskit.primitives.containers.sampler_pub import SamplerPub

from qsession_widgets.resume.fingerprint import Fingerprints

Step = tuple[str, tuple[int, ...], "float | int | None"]
PLACE = {"service": "local", "instance": "crn:1", "backend": "fake_fez"}


@dataclass(frozen=True)
class Recipe:
    """A circuit before it is one: steps on some qubits, with values of its parameters."""

    width: int
    steps: tuple[Step, ...]
    values: tuple[float, ...]
    register: str = "meas"
    shots: int = 100

    def circuit(self) -> QuantumCircuit:
        """The circuit, of parameters and registers that were made for it."""
        parameters = [Parameter(f"t{number}") for number in range(len(self.values))]
        qubits, bits = QuantumRegister(self.width, "q"), ClassicalRegister(self.width, "c")
        circuit = QuantumCircuit(qubits, bits, ClassicalRegister(self.width, self.register))
        for number, parameter in enumerate(parameters):
            circuit.ry(2 * parameter if number % 2 else parameter, number % self.width)
        for name, at, value in self.steps:
            one, other = (wire % self.width for wire in at)
            if name == "rz":
                circuit.rz(value, one)
            elif name == "cz" and one != other:
                circuit.cz(one, other)
            elif name == "if":
                with circuit.if_test((circuit.clbits[one], 1)):
                    circuit.x(other)
            elif name == "delay":
                circuit.delay(8, one)
            elif name == "barrier":
                circuit.barrier()
            else:
                circuit.sx(one)
        circuit.measure(qubits, circuit.cregs[-1])
        return circuit

    def params(self, circuit: QuantumCircuit | None = None) -> dict[str, Any]:
        """What a sampler sends of it."""
        pub = (self.circuit() if circuit is None else circuit, list(self.values))
        return {
            "pubs": [SamplerPub.coerce(pub, shots=self.shots)],
            "options": {"dynamical_decoupling": {"enable": True}, "seed": 1},
            "version": 2,
        }


def of(params: dict[str, Any], program: str = "sampler", **place: Any) -> str:
    """The fingerprint by somebody who has seen nothing before."""
    return Fingerprints().of(program, params, PLACE | place).value


def through_qpy(circuit: QuantumCircuit, version: int) -> QuantumCircuit:
    """A circuit that was written and read again."""
    file = io.BytesIO()
    qpy.dump(circuit, file, version=version)
    file.seek(0)
    return qpy.load(file)[0]


def renamed(circuit: QuantumCircuit) -> QuantumCircuit:
    """A copy with another name and other layout notes."""
    other = circuit.copy(name="another")
    other._layout = None
    return other
