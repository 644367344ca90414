"""What a posted body may contain, and what is refused before anything is made of it."""

from __future__ import annotations

import base64
import io
import json
import zlib
from typing import Any

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.primitives.containers.bindings_array import BindingsArray
from qiskit_ibm_runtime import RuntimeDecoder, RuntimeEncoder

from qsession_widgets.emulator.engine import job_decoder
from qsession_widgets.emulator.engine.failure import JobFailure


def encoded(value: Any) -> str:
    return json.dumps(value, cls=RuntimeEncoder)


@pytest.mark.parametrize(
    "tag",
    [
        "settings",
        "_json",
        "to_json",
        "Instruction",
        "Result",
        "spmatrix",
        "PrimitiveResult",
        "NoiseLearnerResult",
        "ExecutionSpans",
        "os.system",
    ],
)
@pytest.mark.parametrize("depth", [0, 3])
def test_other_tags_are_refused_by_name(tag: str, depth: int) -> None:
    value: Any = {
        "__type__": tag,
        "__module__": "qiskit.quantum_info.operators",
        "__class__": "Pauli",
        "__value__": {},
    }
    for _ in range(depth):
        value = [{"inner": value}]
    with pytest.raises(JobFailure, match=tag) as refusal:
        job_decoder.decode(json.dumps({"pubs": value}))
    assert refusal.value.code == 1208


def test_tags_hidden_in_the_keys_of_bindings_are_refused() -> None:
    bindings = {
        "__type__": "BindingsArray",
        "__value__": {
            "shape": [],
            "data": {json.dumps([{"__type__": "settings", "__value__": {}}]): 1},
        },
    }
    with pytest.raises(JobFailure, match="settings"):
        job_decoder.decode(json.dumps(bindings))


@pytest.mark.parametrize("version", [10, 11, 12])
def test_serializations_that_can_run_code_are_refused(version: int) -> None:
    # Only the head of the file is looked at, so the head of an old file will do.
    head = b"QISKIT" + bytes([version, 1, 0, 0]) + (1).to_bytes(8, "big") + b"s" + bytes(40)
    payload = base64.standard_b64encode(zlib.compress(head)).decode()
    with pytest.raises(JobFailure, match=f"QPY version {version}"):
        job_decoder.decode(json.dumps({"__type__": "QuantumCircuit", "__value__": payload}))


def test_pickled_arrays_are_refused() -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.array([{}], dtype=object), allow_pickle=True)
    payload = base64.standard_b64encode(zlib.compress(buffer.getvalue())).decode()
    with pytest.raises(JobFailure, match="cannot be read"):
        job_decoder.decode(json.dumps({"__type__": "ndarray", "__value__": payload}))


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"__type__": "complex"}'])
def test_damaged_bodies_are_refused(text: str) -> None:
    with pytest.raises(JobFailure) as refusal:
        job_decoder.decode(text)
    assert refusal.value.code == 1208


def test_what_the_client_encodes_is_decoded_alike() -> None:
    circuit = QuantumCircuit(2, metadata={"made": "here"})
    circuit.h(0)
    bindings = BindingsArray({("a", "b"): np.arange(6.0).reshape(3, 2)})
    value = [circuit, np.arange(3.0), 1 + 2j, {4, 5}, {"plain": [None, True, "text"]}]
    ours = job_decoder.decode(encoded(value))
    theirs = json.loads(encoded(value), cls=RuntimeDecoder)
    assert ours[0] == theirs[0] == circuit
    assert ours[0].metadata == {"made": "here"}
    np.testing.assert_array_equal(ours[1], theirs[1])
    assert ours[2:] == theirs[2:]
    again = job_decoder.decode(encoded(bindings))
    np.testing.assert_array_equal(again.data["a", "b"], bindings.data["a", "b"])


def test_the_same_circuit_is_decoded_once() -> None:
    circuit = QuantumCircuit(1)
    circuit.x(0)
    text = encoded(circuit)
    assert job_decoder.decode(text) is job_decoder.decode(text)
