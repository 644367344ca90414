"""One thing that is asked for has one fingerprint, however it was built; any other has another."""

from __future__ import annotations

import base64
import copy
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, qasm3
from qiskit.circuit import Annotation, Barrier, CircuitInstruction, Delay, Gate, Parameter
from qiskit.circuit.classical import expr, types
from qiskit.circuit.library import PauliEvolutionGate, RYGate, RZGate, XGate
from qiskit.quantum_info import Clifford, SparsePauliOp
from qiskit_ibm_runtime import RuntimeEncoder

from qsession_widgets.resume.fingerprint import Fingerprints
from qsession_widgets.resume.hasher import Unfingerprintable

from .recipes import PLACE, Recipe, of, renamed, through_qpy

wires = st.tuples(st.integers(0, 5), st.integers(0, 5))
steps = st.tuples(
    st.sampled_from(["rz", "cz", "if", "delay", "barrier", "sx"]),
    wires,
    st.floats(-3.0, 3.0, allow_nan=False).filter(lambda value: abs(value) > 1e-3),
)
recipes = st.builds(
    Recipe,
    width=st.integers(2, 4),
    steps=st.lists(steps, max_size=8).map(tuple),
    values=st.lists(st.floats(-4.0, 4.0), max_size=3).map(tuple),
)


WAYS: dict[str, Callable[[QuantumCircuit], QuantumCircuit]] = {
    "copy": copy.copy,
    "deep copy": copy.deepcopy,
    "renamed": renamed,
    "QPY 13": lambda circuit: through_qpy(circuit, 13),
    "QPY 17": lambda circuit: through_qpy(circuit, 17),
    "twice": lambda circuit: through_qpy(through_qpy(circuit, 16), 14),
}


@settings(max_examples=25, deadline=None)
@given(recipes)
def test_one_circuit_has_one_fingerprint_however_it_is_built(recipe: Recipe) -> None:
    wanted = of(recipe.params())
    for name, way in WAYS.items():
        assert of(recipe.params(way(recipe.circuit()))) == wanted, name
    stored = json.loads(json.dumps(recipe.params(), cls=RuntimeEncoder))
    assert of(stored) == wanted
    assert of(dict(reversed(stored.items()))) == wanted


@settings(max_examples=15, deadline=None)
@given(recipes)
def test_a_circuit_has_the_same_fingerprint_after_openqasm_3(recipe: Recipe) -> None:
    # an importer rebuilds blocks and expressions; what it keeps as it is must count alike
    plain = replace(recipe, steps=tuple(step for step in recipe.steps if step[0] != "if"))
    plain = replace(plain, values=recipe.values[:1])
    once = qasm3.loads(qasm3.dumps(plain.circuit()))
    assert of(plain.params(once)) == of(plain.params())


def changed_ways(recipe: Recipe) -> dict[str, Recipe]:
    """Recipes that differ in one thing."""
    more = (*recipe.steps, ("rz", (0, 1), 0.25))
    ways = {
        "one more gate": replace(recipe, steps=more),
        "shots": replace(recipe, shots=101),
        "a register's name": replace(recipe, register="other"),
        "width": replace(recipe, width=recipe.width + 1),
        "one more parameter": replace(recipe, values=(*recipe.values, 0.5)),
        "angle": replace(recipe, steps=(*recipe.steps, ("rz", (0, 1), np.nextafter(0.25, 1)))),
        "qubit": replace(recipe, steps=(*recipe.steps, ("rz", (1, 1), 0.25))),
    }
    if recipe.values:
        first, *rest = recipe.values
        bits = (float(np.nextafter(first, 9.0)), *rest)
        ways["the last bit of a value"] = replace(recipe, values=bits)
    return ways


@settings(max_examples=25, deadline=None)
@given(recipes)
def test_one_thing_changed_gives_another_fingerprint(recipe: Recipe) -> None:
    # a single instance for all, so that what it remembers is tried, too
    prints = Fingerprints()
    found = {"itself": prints.of("sampler", recipe.params(), PLACE).value}
    for name, other in changed_ways(recipe).items():
        found[name] = prints.of("sampler", other.params(), PLACE).value
    for name, value in PLACE.items():
        place = PLACE | {name: value + "'"}
        found[f"another {name}"] = prints.of("sampler", recipe.params(), place).value
    found["program"] = prints.of("other", recipe.params(), PLACE).value
    for name, value in (("seed", 2), ("seed", None), ("seed", True), ("more", 0)):
        params = recipe.params()
        params["options"][name] = value
        found[f"option {name}={value}"] = prints.of("sampler", params, PLACE).value
    noted = recipe.circuit()
    noted.metadata = {"note": 1}
    found["metadata"] = prints.of("sampler", recipe.params(noted), PLACE).value
    phase = recipe.circuit()
    phase.global_phase += 0.1
    found["global phase"] = prints.of("sampler", recipe.params(phase), PLACE).value
    assert len(set(found.values())) == len(found), found


CHANGES: dict[str, Callable[[QuantumCircuit], object]] = {
    "coefficient": lambda circuit: circuit.data.__setitem__(
        2, circuit.data[2].replace(operation=RYGate(2.0000000000000004 * circuit.parameters[0]))
    ),
    "appended": lambda circuit: circuit.x(0),
    "replaced": lambda circuit: circuit.data.__setitem__(
        0, circuit.data[0].replace(operation=RZGate(0.30000000000000004))
    ),
    "swapped": lambda circuit: circuit.data.__setitem__(
        1, circuit.data[1].replace(qubits=tuple(reversed(circuit.data[1].qubits)))
    ),
    "custom gate of a standard name": lambda circuit: circuit.data.__setitem__(
        1, CircuitInstruction(Gate("cx", 2, []), circuit.qubits[:2])
    ),
    "removed": lambda circuit: circuit.data.pop(),
    "register": lambda circuit: circuit.add_register(ClassicalRegister(1, "more")),
    "metadata": lambda circuit: circuit.metadata.__setitem__("a", 2),
    "phase": lambda circuit: setattr(circuit, "global_phase", 1e-15),
    "phase as an expression": lambda circuit: setattr(
        circuit, "global_phase", 0 * circuit.parameters[0] + 1e-17
    ),
    "bound": lambda circuit: circuit.assign_parameters([0.1], inplace=True),
    "delay": lambda circuit: circuit.data.__setitem__(
        3, circuit.data[3].replace(operation=Delay(101))
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_circuit_that_is_changed_in_place_is_seen_to_be_another(change: str) -> None:
    prints = Fingerprints()
    circuit = QuantumCircuit(3, 3, metadata={"a": 1})
    circuit.rz(0.3, 0)
    circuit.cx(0, 1)
    circuit.ry(2 * Parameter("t"), 2)
    if change == "delay":
        circuit.delay(100, 0)
    circuit.measure([0, 1], [0, 1])

    def now() -> str:
        return prints.of("sampler", {"pubs": [(circuit, None, 10)]}).value

    before = now()
    assert now() == before
    CHANGES[change](circuit)
    after = now()
    assert after != before
    fresh = Fingerprints().of("sampler", {"pubs": [(circuit, None, 10)]}).value
    assert after == fresh


def test_an_evolution_counts_by_the_operator_that_it_has_now() -> None:
    circuit, gate = QuantumCircuit(2), PauliEvolutionGate(SparsePauliOp("ZX"), 0.1)
    circuit.append(gate, [0, 1], copy=False)
    found = set()
    for operator in ("ZX", "XZ"):
        gate.operator = SparsePauliOp(operator)
        sent, read = circuit, through_qpy(circuit, 17)
        values = {Fingerprints().of("x", {"pubs": [(one, None, 1)]}).value for one in (sent, read)}
        assert len(values) == 1
        found |= values
    assert len(found) == 2


def test_few_circuits_are_remembered_and_none_is_taken_for_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prints = Fingerprints()
    circuits = [QuantumCircuit(1, global_phase=number / 8) for number in range(4)]
    for circuit in circuits:
        circuit.rz(0.3, 0)
        circuit.sx(0)
    monkeypatch.setattr("qsession_widgets.resume.circuit_memory.MOST_INSTRUCTIONS", 5)
    for asked in (*circuits, *reversed(circuits)):
        pubs = {"pubs": [(asked, None, 1)]}
        assert prints.of("sampler", pubs).value == Fingerprints().of("sampler", pubs).value
        assert len(prints._circuits._known) <= 2
    assert prints._circuits._remembered(circuits[0]) is not None
    assert prints._circuits._remembered(circuits[3]) is None


def test_labels_count_where_noise_may_refer_to_them() -> None:
    prints, circuit = Fingerprints(), QuantumCircuit(1)
    circuit.rz(0.3, 0)

    def asked(**options: Any) -> str:
        return prints.of("sampler", {"pubs": [(circuit, None, 1)], "options": options}).value

    noisy = {"simulator": {"noise_model": {"errors": []}}}
    before = asked(), asked(**noisy)
    circuit.data[0] = circuit.data[0].replace(operation=RZGate(0.3, label="noisy"))
    assert asked() == before[0]
    assert asked(**noisy) != before[1]
    circuit.barrier(label="here")
    before = asked(), asked(**noisy)
    circuit.data[1] = circuit.data[1].replace(operation=Barrier(1, label="there"))
    assert asked() == before[0]
    prints = Fingerprints()
    assert asked() == before[0], "as somebody says who has seen nothing before"
    assert asked(**noisy) != before[1]


def test_another_process_makes_the_same_fingerprint() -> None:
    recipe = Recipe(3, (("rz", (0, 0), 0.1), ("if", (0, 1), 0), ("cz", (1, 2), 0)), (0.3, 0.1))
    code = f"from tests.unit.recipes import Recipe, of\nprint(of({recipe!r}.params()))"
    root = Path(__file__).parents[2]
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root)
    assert made.stdout.strip() == of(recipe.params()), made.stderr


def conditional(kind: str, value: int) -> QuantumCircuit:
    """A circuit with classical control flow and a variable."""
    circuit = QuantumCircuit(QuantumRegister(2, "q"), ClassicalRegister(2, "c"))
    stored = circuit.add_var("a", expr.lift(value, types.Uint(4)))
    if kind == "for":
        with circuit.for_loop(range(value)):
            circuit.x(0)
    elif kind == "while":
        with circuit.while_loop(expr.less(stored, value)):
            circuit.x(0)
    elif kind == "switch":
        with circuit.switch(circuit.cregs[0]) as case:
            with case(value):
                circuit.x(0)
            with case(case.DEFAULT):
                circuit.x(1)
    else:
        with circuit.if_test(expr.equal(circuit.cregs[0], value)) as otherwise:
            circuit.x(0)
        with otherwise:
            circuit.x(1)
    return circuit


@pytest.mark.parametrize("kind", ["for", "while", "switch", "if"])
def test_control_flow_and_variables_count(kind: str) -> None:
    def asked(circuit: QuantumCircuit) -> str:
        return of({"pubs": [(circuit, None, 10)]})

    assert asked(conditional(kind, 2)) == asked(conditional(kind, 2))
    assert asked(through_qpy(conditional(kind, 2), 17)) == asked(conditional(kind, 2))
    assert asked(conditional(kind, 3)) != asked(conditional(kind, 2))


class Unclear(Annotation):
    """An annotation that does not tell what it says."""

    namespace = "unclear"

    def __repr__(self) -> str:
        return object.__repr__(self)


def test_what_cannot_be_told_from_another_has_no_fingerprint() -> None:
    with pytest.raises(Unfingerprintable):
        of({"pubs": [], "options": {"x": object()}})
    for operation in (XGate().power(0.5, annotated=True), Clifford.from_label("X")):
        circuit = QuantumCircuit(1)
        circuit.append(operation, [0])
        with pytest.raises(Unfingerprintable):
            of({"pubs": [(circuit, None, 1)]})
    circuit = QuantumCircuit(1)
    with circuit.box(annotations=[Unclear()]):
        circuit.x(0)
    with pytest.raises(Unfingerprintable):
        of({"pubs": [(circuit, None, 1)]})
    with pytest.raises(Unfingerprintable):
        of({"pubs": [[{"__type__": "QuantumCircuit", "__value__": "no base64!"}, None, 1]]})
    old = base64.b64encode(b"QISKIT\x05" + bytes(40)).decode()
    with pytest.raises(Unfingerprintable):
        of({"circuits": {"b64_data": old, "qpy_version": 5}})
