"""Turns the JSON a client posted into circuits and numbers, and nothing else.

The client's own decoder is for input one trusts: some of its type tags name a module to import and
a class to construct. A job's body comes from whoever can reach the port, so this decoder knows the
tags a primitive's parameters consist of and refuses every other by name.
"""

from __future__ import annotations

import base64
import io
import json
import zlib
from collections import OrderedDict
from typing import Any

import numpy as np
from qiskit import QuantumCircuit, QuantumRegister, qasm3, qpy
from qiskit.qpy import get_qpy_version
from qiskit_ibm_runtime import RuntimeDecoder

from qsession_widgets.emulator.engine.failure import INVALID_BODY, INVALID_QASM, JobFailure

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

ALLOWED_TAGS = DATA_TAGS | {"QuantumCircuit", "ndarray"}

OLDEST_QPY = 13
"""Formats before this one can hold pickled expressions, which run code when they are read."""

LARGEST_PAYLOAD = 1 << 30
"""Bytes one compressed circuit or array may unpack to."""

_REMEMBERED_CIRCUITS = 64


def _unpack(text: str) -> bytes:
    unpacker = zlib.decompressobj()
    data = unpacker.decompress(base64.standard_b64decode(text), LARGEST_PAYLOAD)
    if unpacker.unconsumed_tail:
        raise JobFailure(
            f"A part of the job unpacks to more than {LARGEST_PAYLOAD >> 20} MiB, which is "
            "refused: send less in one job.",
            INVALID_BODY,
        )
    return data


class _CircuitMemory:
    """Circuits by the text they came as; an iterative workload posts the same one again and again.

    The same text gives the same object, so that what is derived from a circuit can be remembered by
    its identity. Nobody may change a circuit that comes from here.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._circuits: OrderedDict[str, QuantumCircuit] = OrderedDict()

    def load(self, text: str) -> QuantumCircuit:
        if text in self._circuits:
            self._circuits.move_to_end(text)
            return self._circuits[text]
        data = io.BytesIO(_unpack(text))
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
        self._circuits[text] = circuit
        if len(self._circuits) > self._size:
            self._circuits.popitem(last=False)
        return circuit


_memory = _CircuitMemory(_REMEMBERED_CIRCUITS)


def _array(value: Any) -> Any:
    if isinstance(value, str):
        return np.load(io.BytesIO(_unpack(value)), allow_pickle=False)
    return np.array(value)


class JobDecoder(json.JSONDecoder):
    """Decodes the parameters of a sampler or estimator job."""

    def __init__(self) -> None:
        super().__init__(object_hook=self._hook)
        self._client = RuntimeDecoder()

    def _hook(self, found: dict[str, Any]) -> Any:
        if "__type__" not in found:
            return found
        tag = found["__type__"]
        if tag not in ALLOWED_TAGS:
            raise JobFailure(
                f"The job's parameters hold a value of type {str(tag)[:40]!r}, which a job may not "
                f"contain; allowed are {', '.join(sorted(ALLOWED_TAGS))}.",
                INVALID_BODY,
            )
        value = found["__value__"]
        if tag == "QuantumCircuit":
            return _memory.load(value)
        if tag == "ndarray":
            return _array(value)
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
        circuit = qasm3.loads(value)
    except Exception as error:
        raise JobFailure(
            f"A circuit's OpenQASM 3 text cannot be read: {str(error)[:300]}", INVALID_QASM
        ) from error
    physical = circuit.layout is not None
    if physical and width is not None and circuit.num_qubits < width:
        circuit.add_register(QuantumRegister(width - circuit.num_qubits, "idle"))
    return circuit
