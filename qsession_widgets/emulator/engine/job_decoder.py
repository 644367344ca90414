"""Turns the JSON a client posted into circuits and numbers, and nothing else.

The client's own decoder is for input one trusts: some of its type tags name a module to import and
a class to construct. A job's body comes from whoever can reach the port, so this decoder knows the
tags a primitive's parameters consist of and refuses every other by name.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import zlib
from collections import OrderedDict
from typing import Any

import numpy as np
from qiskit import QuantumCircuit, QuantumRegister, qpy
from qiskit.circuit import ForLoopOp
from qiskit.circuit.exceptions import CircuitError
from qiskit.qpy import get_qpy_version
from qiskit.quantum_info import PauliList
from qiskit_ibm_runtime import RuntimeDecoder

from qsession_widgets.emulator.engine.declared_sizes import read_qasm
from qsession_widgets.emulator.engine.failure import (
    INVALID_BODY,
    INVALID_OPTION,
    INVALID_QASM,
    JobFailure,
)
from qsession_widgets.emulator.engine.instruction_names import has_control_flow, may_hold
from qsession_widgets.emulator.engine.qpy_sizes import PREFACE, check_qpy

DATA_TAGS = frozenset(
    {
        "BindingsArray",
        "NoiseModel",
        "ObservablesArray",
        "Parameter",
        "PauliLindbladMap",
        "complex",
        "datetime",
        "set",
    }
)
"""Tags for which the client's decoder constructs one fixed class from numbers and text."""

ALLOWED_TAGS = DATA_TAGS | {"NoiseLearnerResult", "QuantumCircuit", "ndarray"}

LAYER_CLASSES = frozenset({"LayerError", "PauliLindbladError", "PauliList"})
"""Classes of the noise of layers, for which two more tags say what to construct."""

OLDEST_QPY = 13
"""Formats before this one can hold pickled expressions, which run code when they are read."""

MOST_UNROLLED = 250_000
"""Instructions a circuit may have with its ``for`` loops written out, as the simulator does.

Aer 0.17 takes 7 KiB and 0.1 ms for each.
"""

LARGEST_PAYLOAD = 1 << 29
"""Bytes that the compressed circuits and arrays of a job may unpack to, taken together."""

_PIECE = 1 << 20
_REMEMBERED_CIRCUITS = 64


class Unpacker:
    """Decompress the circuits and arrays of one job, within `LARGEST_PAYLOAD` in sum."""

    def __init__(self) -> None:
        self._left = LARGEST_PAYLOAD

    def unpack(self, text: str) -> bytes:
        """Return the content of one circuit or array; `JobFailure` once the job has too much."""
        unpacker = zlib.decompressobj()
        data = unpacker.decompress(base64.standard_b64decode(text), self._left + 1)
        self._take(len(data))
        return data

    def check(self, params: Any) -> None:
        """Count what all texts in plain parameters unpack to, without keeping any of it for longer.

        For readers that decompress by themselves. A text that is not compressed is left to them.
        """
        if isinstance(params, dict):
            for value in params.values():
                self.check(value)
        elif isinstance(params, list):
            for value in params:
                self.check(value)
        elif isinstance(params, str):
            with contextlib.suppress(ValueError, zlib.error):
                packed, unpacker = base64.b64decode(params), zlib.decompressobj()
                # the reader holds all of a circuit, too
                circuit = bytearray()
                while packed:
                    piece = unpacker.decompress(packed, _PIECE)
                    self._take(len(piece))
                    if circuit or piece.startswith(PREFACE):
                        circuit += piece
                    packed = unpacker.unconsumed_tail
                check_qpy(circuit)

    def _take(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise JobFailure(
                f"The circuits and arrays of the job unpack to more than {LARGEST_PAYLOAD >> 20} "
                "MiB in all, which is refused: send less in one job.",
                INVALID_BODY,
            )


def check_delays(circuit: QuantumCircuit) -> None:
    """Refuse a circuit with a delay that lost its unit in the serialization, or has no length yet.

    Qiskit's serialization keeps the number of a delay only, and what is left of one in seconds, or
    with a parameter, is mostly no whole number of time steps: reading it fails, when it is first
    looked at.

    Raises
    ------
    JobFailure
        If there is such a delay, at any depth.
    """
    if not may_hold(circuit, ["delay"]):
        return
    for instruction in circuit.data:
        if instruction.name == "delay":
            try:
                unit = instruction.operation.unit
            except CircuitError:
                raise JobFailure(
                    "A circuit has a delay whose length is not a whole number of time steps (dt): "
                    "a delay in seconds, or with a parameter, loses its unit on the way to the "
                    "service. Schedule the circuit for the backend before it is sent "
                    "(scheduling_method of generate_preset_pass_manager), or give the delay in dt.",
                    INVALID_BODY,
                ) from None
            if unit == "expr":
                raise JobFailure(
                    "A circuit has a delay whose length is a stretch or another expression, which "
                    "the service resolves and the local emulator does not: give the delay in dt.",
                    INVALID_OPTION,
                )
        elif instruction.is_control_flow():
            for block in instruction.operation.blocks:
                check_delays(block)


class _CircuitMemory:
    """Circuits by the text they came as; an iterative workload posts the same one again and again.

    The same text gives the same object, so that what is derived from a circuit can be remembered by
    its identity. Nobody may change a circuit that comes from here.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._circuits: OrderedDict[str, QuantumCircuit] = OrderedDict()

    def load(self, text: str, unpacker: Unpacker) -> QuantumCircuit:
        if text in self._circuits:
            self._circuits.move_to_end(text)
            return self._circuits[text]
        unpacked = unpacker.unpack(text)
        check_qpy(unpacked)
        data = io.BytesIO(unpacked)
        version = get_qpy_version(data)
        if version < OLDEST_QPY:
            raise JobFailure(
                f"A circuit is serialized as QPY version {version}; versions before "
                f"{OLDEST_QPY} are refused because reading them can run code: post it "
                "with Qiskit 1.3 or newer.",
                INVALID_BODY,
            )
        circuit = qpy.load(data)[0]
        if not isinstance(circuit, QuantumCircuit):
            raise JobFailure("A QPY payload does not hold a circuit.", INVALID_BODY)
        check_loops(circuit)
        check_delays(circuit)
        self._circuits[text] = circuit
        if len(self._circuits) > self._size:
            self._circuits.popitem(last=False)
        return circuit


_memory = _CircuitMemory(_REMEMBERED_CIRCUITS)


def _layer_noise(name: str, value: Any) -> Any:
    """Return a part of the noise of layers, whatever module its tag names."""
    if name == "PauliList":
        return PauliList(value["data"])
    from qiskit_ibm_runtime.results import LayerError, PauliLindbladError

    kind = LayerError if name == "LayerError" else PauliLindbladError
    return kind(**{key: part for key, part in value.items() if key != "__int_keys__"})


class JobDecoder(json.JSONDecoder):
    """Decodes the parameters of a sampler or estimator job."""

    def __init__(self) -> None:
        super().__init__(object_hook=self._hook)
        self._client = RuntimeDecoder()
        self._unpacker = Unpacker()

    def _hook(self, found: dict[str, Any]) -> Any:
        if "__type__" not in found:
            return found
        tag = found["__type__"]
        if tag in ("_json", "settings") and found.get("__class__") in LAYER_CLASSES:
            return _layer_noise(found["__class__"], found["__value__"])
        if tag not in ALLOWED_TAGS:
            raise JobFailure(
                f"The job's parameters hold a value of type {str(tag)[:40]!r}, which a job may not "
                f"contain; allowed are {', '.join(sorted(ALLOWED_TAGS))}.",
                INVALID_BODY,
            )
        value = found["__value__"]
        if tag == "QuantumCircuit":
            return _memory.load(value, self._unpacker)
        if tag == "ndarray":
            if isinstance(value, str):
                return np.load(io.BytesIO(self._unpacker.unpack(value)), allow_pickle=False)
            return np.array(value)
        if tag == "BindingsArray":
            # The client decodes the keys of this one as JSON of their own, without any allow-list.
            for key in value.get("data") or {}:
                self.decode(key)
        return self._client.object_hook(found)


def decode(text: str) -> Any:
    """Decode posted parameters.

    Raises
    ------
    JobFailure
        If the text is no JSON, holds a type that is not allowed, or a damaged value.
    """
    try:
        return JobDecoder().decode(text)
    except JobFailure:
        raise
    except RecursionError:
        raise JobFailure("The job's parameters are nested too deeply.", INVALID_BODY) from None
    except Exception as error:
        raise JobFailure(
            f"The job's parameters cannot be read ({type(error).__name__}: {str(error)[:200]}): "
            "post them as the Qiskit Runtime client does.",
            INVALID_BODY,
        ) from error


def as_circuit(value: Any, width: int | None = None) -> QuantumCircuit:
    """Return a circuit from what stands for one in a PUB: a circuit, or OpenQASM 3 text.

    Text that names physical qubits (``$3``) is a circuit on the whole device: with ``width`` it
    gets that many qubits, so that observables of the device's width fit.

    Raises
    ------
    JobFailure
        If it is neither, or the text does not parse.
    """
    if isinstance(value, QuantumCircuit):
        return value
    if not isinstance(value, str):
        raise JobFailure(
            f"A PUB starts with a {type(value).__name__}; it must start with a circuit.",
            INVALID_BODY,
        )
    try:
        circuit = read_qasm(value)
    except JobFailure:
        raise
    except Exception as error:
        raise JobFailure(
            f"A circuit's OpenQASM 3 text cannot be read: {str(error)[:300]}", INVALID_QASM
        ) from error
    check_loops(circuit)
    physical = circuit.layout is not None
    if physical and width is not None and circuit.num_qubits < width:
        circuit.add_register(QuantumRegister(width - circuit.num_qubits, "idle"))
    return circuit


def check_loops(circuit: QuantumCircuit) -> None:
    """Refuse a circuit whose ``for`` loops are too long to be written out.

    Raises
    ------
    JobFailure
        If it has more than `MOST_UNROLLED` instructions then.
    """
    if has_control_flow(circuit):
        count = _unrolled(circuit)
        if count > MOST_UNROLLED:
            raise JobFailure(
                f"A circuit has {count:,} instructions with its loops written out, and the "
                f"emulator runs {MOST_UNROLLED:,}: use fewer iterations, or a smaller body.",
                INVALID_BODY,
            )


def _unrolled(circuit: QuantumCircuit) -> int:
    count = 0
    for instruction in circuit.data:
        operation = instruction.operation
        if not instruction.is_control_flow():
            count += 1
            continue
        body = 1 + sum(map(_unrolled, operation.blocks))
        if isinstance(operation, ForLoopOp):
            body *= _iterations(operation.params[0])
        count += body
    return count


def _iterations(indices: Any) -> int:
    try:
        return len(indices)
    except OverflowError:  # a range beyond what a machine counts
        return MOST_UNROLLED + 1
    except TypeError:  # a range of expressions; Aer does not run those
        return 1
