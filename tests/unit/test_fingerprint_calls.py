"""Fingerprints of whole calls: observables, precision, options, and prepared programs."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.quantum_info import SparsePauliOp
from qiskit_ibm_runtime import RuntimeEncoder

from qsession_widgets.resume.fingerprint import Fingerprints

from .recipes import Recipe, of


def test_observables_and_precision_count() -> None:
    def asked(coefficient: float = 0.5, precision: float | None = 0.1, pauli: str = "XX") -> str:
        circuit = QuantumCircuit(2)
        circuit.h(0)
        observable = SparsePauliOp.from_list([("ZZ", 1.0), (pauli, coefficient)])
        pub = EstimatorPub.coerce((circuit, observable), precision=precision)
        sent = {"pubs": [pub], "options": {"resilience_level": 1}}
        stored = json.loads(json.dumps(sent, cls=RuntimeEncoder))
        assert of(stored, "estimator") == of(sent, "estimator")
        return of(sent, "estimator")

    found = [asked(), asked(np.nextafter(0.5, 1)), asked(precision=0.2), asked(pauli="XY")]
    assert len(set(found)) == len(found)
    assert asked() == found[0]


def test_options_that_are_named_like_fields_of_circuits_count() -> None:
    def given(**options: Any) -> str:
        return of({"pubs": [], "options": {"experimental": options}})

    for name in ("qpy", "qpy_version", "b64_data", "circuit_base64"):
        assert given(a={name: 2}) != given(a={name: 3})
        assert given(a={name: "2"}) != given(a={name: "3"})


def prepared(
    angle: float, twirling: bool, shots: int = 64, note: str = "a", pauli: str = ""
) -> dict[str, Any]:
    """What a client-side primitive sends: a program that it prepares anew each time."""
    try:
        from qiskit_ibm_runtime import executor_estimator, executor_sampler
        from qiskit_ibm_runtime.options_models import EstimatorOptions, SamplerOptions
        from qiskit_ibm_runtime.quantum_program.params_converters import (
            QUANTUM_PROGRAM_PARAMS_CONVERTERS,
        )
    except ImportError:
        pytest.skip("this release has other client-side primitives")

    circuit = QuantumCircuit(2, metadata={"note": note})
    circuit.rz(Parameter("t"), 0)
    circuit.cx(0, 1)
    options = EstimatorOptions() if pauli else SamplerOptions()
    options.twirling.enable_gates = twirling
    if pauli:
        pub = (circuit, SparsePauliOp(pauli), [angle])
        program, chosen = executor_estimator.prepare.prepare([pub], options, shots / 6400)
    else:
        circuit.measure_all()
        program, chosen = executor_sampler.prepare.prepare([(circuit, [angle])], options, shots)
    encoder = QUANTUM_PROGRAM_PARAMS_CONVERTERS["v2.0"].encoder
    return dict(encoder(program, chosen).model_dump(mode="json"))


@pytest.mark.parametrize("pauli", ["", "XZ"], ids=["sampler", "estimator"])
@pytest.mark.parametrize("twirling", [False, True])
def test_a_prepared_program_has_one_fingerprint_however_often_it_is_prepared(
    twirling: bool, pauli: str
) -> None:
    wanted = of(prepared(0.1, twirling, pauli=pauli), "executor")
    assert of(prepared(0.1, twirling, pauli=pauli), "executor") == wanted
    again = json.loads(json.dumps(prepared(0.1, twirling, pauli=pauli)))
    assert of(again, "executor") == wanted
    others = [
        prepared(np.nextafter(0.1, 1), twirling, pauli=pauli),
        prepared(0.1, not twirling, pauli=pauli),
        prepared(0.1, twirling, shots=640, pauli=pauli),
        prepared(0.1, twirling, note="b", pauli=pauli),
        prepared(0.1, twirling, pauli="YZ"),
    ]
    found = {of(other, "executor") for other in others}
    assert len(found) == len(others)
    assert wanted not in found


def test_the_parts_tell_what_differs() -> None:
    prints = Fingerprints()
    recipe = Recipe(2, (("rz", (0, 0), 0.1),), (0.3,))
    one = prints.of("sampler", recipe.params()).parts
    other = prints.of("sampler", replace(recipe, shots=4096).params()).parts
    assert {name for name in one if one[name] != other[name]} == {"shots"}
    assert (one["shots"], other["shots"]) == (100, 4096)
    counted = prints.of("sampler", replace(recipe, shots=np.int64(100)).params()).parts
    assert json.dumps(counted) == json.dumps(one)
    laid_out = prints.of("sampler", replace(recipe, steps=(("rz", (1, 0), 0.1),)).params()).parts
    assert {name for name in one if one[name] != laid_out[name]} == {"circuits"}
