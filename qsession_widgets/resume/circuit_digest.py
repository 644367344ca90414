"""A digest of a circuit: equal for circuits that ask a device for the same, in any process.

Counted are the instructions with their qubits and classical bits, the numbers in them by their
bits, parameters by their position in ``circuit.parameters``, the classical registers with names,
order and sizes, the global phase, variables and the metadata, which a result repeats. Left out is
what changes no result: the circuit's name, names and ids of parameters, names of quantum registers,
and the layout that a transpiler has noted down. Labels of standard gates count where a simulator's
noise may refer to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import (
    Annotation,
    Barrier,
    ClassicalRegister,
    Clbit,
    Delay,
    Duration,
    Instruction,
    Measure,
    Parameter,
    ParameterExpression,
    Reset,
)
from qiskit.circuit.classical import expr
from qiskit.circuit.library import PauliEvolutionGate

from .hasher import Hasher, Unfingerprintable

_NOTHING: Mapping[Any, str] = {}
_PLAIN = (Barrier, Delay, Measure, Reset)
_POINTS = (0.3819660112501051, 1.6180339887498949, 27.182818284590452)


def _is_plain(operation: Any) -> bool:
    return getattr(operation, "base_class", None) in _PLAIN


def digest_of(
    circuit: QuantumCircuit, outer: Mapping[Any, str] = _NOTHING, *, labels: bool = False
) -> bytes:
    """The digest of a circuit, but for its metadata.

    Parameters
    ----------
    circuit : QuantumCircuit
        The circuit.
    outer : mapping
        Names of parameters that it shares with a circuit around it.
    labels : bool
        Whether labels of standard gates count.

    Raises
    ------
    Unfingerprintable
        It holds something that cannot be told from another.
    """
    names: dict[Any, str] = {
        parameter: f"p{number}" for number, parameter in enumerate(circuit.parameters)
    }
    writer = _Writer(
        circuit,
        {**names, **outer},
        {bit: number for number, bit in enumerate(circuit.qubits)},
        {bit: number for number, bit in enumerate(circuit.clbits)},
        labels,
    )
    return writer.digest()


class _Writer:
    """Takes in one circuit, or one block of control flow.

    The bits of a block are numbered as in the circuit around it: those who build blocks put bits
    and registers there in any order.
    """

    def __init__(
        self,
        circuit: QuantumCircuit,
        names: dict[Any, str],
        qubits: dict[Any, int],
        clbits: dict[Any, int],
        labels: bool,
    ):
        self._circuit = circuit
        self._names = names
        self._qubits = qubits
        self._clbits = clbits
        self._labels = labels
        self._hasher = Hasher()

    def digest(self) -> bytes:
        """The digest of a circuit with its registers."""
        circuit, hasher = self._circuit, self._hasher
        if getattr(circuit, "_calibrations_prop", None):
            raise Unfingerprintable("pulse calibrations")
        hasher.count("bits", circuit.num_qubits, circuit.num_clbits, len(circuit.parameters))
        for register in circuit.cregs:
            hasher.text("register", register.name)
            hasher.count("of", *(self._clbits[bit] for bit in register))
        return self.content()

    def content(self) -> bytes:
        """The digest of variables and instructions."""
        circuit, hasher = self._circuit, self._hasher
        for kind, variables in (
            ("input", circuit.iter_input_vars()),
            ("captured", circuit.iter_captured_vars()),
            ("declared", circuit.iter_declared_vars()),
            ("stretch", circuit.iter_declared_stretches()),
            ("stretch in", circuit.iter_captured_stretches()),
        ):
            for variable in variables:
                hasher.text(kind, variable.name)
                hasher.text("type", repr(variable.type))
        self._value(circuit.global_phase)
        for instruction in circuit.data:
            self._instruction(instruction)
        return hasher.digest()

    def _instruction(self, instruction: Any) -> None:
        hasher = self._hasher
        hasher.text("op", instruction.name)
        standard = instruction.is_standard_gate()
        operation = None if standard else instruction.operation
        if instruction.label and (self._labels or not (standard or _is_plain(operation))):
            hasher.text("label", instruction.label)
        if instruction.is_control_flow():
            self._control_flow(instruction)
            return
        hasher.count("at", *(self._qubits[bit] for bit in instruction.qubits))
        if instruction.clbits:
            hasher.count("to", *(self._clbits[bit] for bit in instruction.clbits))
        if standard:
            for value in instruction.params:
                self._value(value)
            return
        if not isinstance(operation, Instruction):
            # it has no parameters or definition of an instruction by which to know it
            raise Unfingerprintable(f"a {type(operation).__name__}")
        if isinstance(operation, PauliEvolutionGate):
            # QPY has its operator, and it may keep the definition of another that it had before
            operation = PauliEvolutionGate(
                operation.operator, operation.time, synthesis=operation.synthesis
            )
        hasher.add("plain" if _is_plain(operation) else "other")
        for value in getattr(operation, "params", ()):
            self._value(value)
        if isinstance(operation, Delay):
            hasher.text("unit", str(operation.unit))
        if hasattr(operation, "ctrl_state"):
            hasher.count("controlled by", operation.ctrl_state)
        if _is_plain(operation):
            return
        definition = getattr(operation, "definition", None)
        if definition is not None:
            hasher.add("is", digest_of(definition, self._names, labels=self._labels))

    def _control_flow(self, instruction: Any) -> None:
        hasher, operation = self._hasher, instruction.operation
        names = dict(self._names)
        at = sorted(self._qubits[bit] for bit in instruction.qubits)
        hasher.count("at", *at)
        if operation.name == "for_loop":
            indices, variable, _ = operation.params
            self._value(indices)
            if variable is not None:
                hasher.text("loop", "variable" if isinstance(variable, expr.Var) else "parameter")
                if isinstance(variable, expr.Var):
                    self._value(variable)
                else:
                    names[variable] = f"loop{len(names)}"
        elif operation.name == "switch_case":
            self._value(operation.target)
            for values, _ in operation.cases_specifier():
                hasher.count("case", len(values))
                for value in values:
                    # the default case is an object of its own, with this representation
                    self._value(int(value) if isinstance(value, int) else repr(value))
        elif operation.name == "box":
            self._value(operation.duration)
            hasher.text("unit", str(operation.unit))
            for annotation in getattr(operation, "annotations", ()):
                self._value(annotation)
        elif (condition := getattr(operation, "condition", None)) is not None:
            if isinstance(condition, tuple):
                # a copy may turn 1 into True
                condition = (condition[0], int(condition[1]))
            self._value(condition)
        for block in operation.blocks:
            inner = {
                **{parameter: f"named {parameter.name}" for parameter in block.parameters},
                **names,
            }
            qubits = zip(block.qubits, instruction.qubits, strict=True)
            clbits = zip(block.clbits, instruction.clbits, strict=True)
            writer = _Writer(
                block,
                inner,
                {bit: self._qubits[outer] for bit, outer in qubits},
                {bit: self._clbits[outer] for bit, outer in clbits},
                self._labels,
            )
            hasher.add("block", writer.content())

    def _value(self, value: Any) -> None:
        hasher = self._hasher
        if isinstance(value, bool | int | float | complex | np.number | np.bool_):
            # the two zeros are one angle, and one to Qiskit
            hasher.number(value + 0.0 if isinstance(value, float) else value)
        elif isinstance(value, Parameter):
            hasher.text("parameter", self._name(value))
        elif isinstance(value, ParameterExpression):
            self._expression(value)
        elif isinstance(value, expr.Expr):
            self._classical(value)
        elif value is None:
            hasher.add("none")
        elif isinstance(value, str):
            hasher.text("text", value)
        elif isinstance(value, range):
            hasher.count("range", value.start, value.stop, value.step)
        elif isinstance(value, list | tuple):
            hasher.count("list", len(value))
            for item in value:
                self._value(item)
        elif isinstance(value, Clbit):
            hasher.count("clbit", self._clbits[value])
        elif isinstance(value, ClassicalRegister):
            hasher.text("register", value.name)
            hasher.count("of", *(self._clbits[bit] for bit in value))
        elif isinstance(value, np.ndarray) and value.dtype != object:
            hasher.array(value)
        elif isinstance(value, QuantumCircuit):
            hasher.add("circuit", digest_of(value, self._names, labels=self._labels))
        elif isinstance(value, Duration):
            hasher.text("duration", repr(value))
        elif isinstance(value, Annotation):
            self._annotation(value)
        else:
            raise Unfingerprintable(f"a value of type {type(value).__name__} in a circuit")

    def _name(self, parameter: Any) -> str:
        # one of a definition that does not occur in the circuit has nothing but its name
        return self._names.get(parameter, f"named {parameter.name}")

    def _expression(self, value: Any) -> None:
        """Take in an expression: as written, and its values at fixed points by their bits."""
        hasher = self._hasher
        inside = sorted((self._name(parameter), parameter) for parameter in value.parameters)
        hasher.text("expression", str(value))
        for name, _ in inside:
            hasher.text("parameter", name)
        for point in _POINTS:
            at = {parameter: point / (1.0 + number) for number, (_, parameter) in enumerate(inside)}
            try:
                found = value.bind(at).numeric()
            except Exception:
                raise Unfingerprintable("an expression without a value") from None
            hasher.number(complex(found))

    def _classical(self, value: Any) -> None:
        hasher = self._hasher
        hasher.text("classical", type(value).__name__)
        hasher.text("type", repr(value.type))
        if isinstance(value, expr.Stretch):
            hasher.text("named", value.name)
        elif isinstance(value, expr.Var):
            if value.standalone:
                hasher.text("named", value.name)
            else:
                self._value(value.var)
        elif isinstance(value, expr.Value):
            self._value(value.value)
        elif isinstance(value, expr.Cast):
            self._value(value.operand)
        elif isinstance(value, expr.Unary):
            hasher.text("does", str(value.op))
            self._value(value.operand)
        elif isinstance(value, expr.Binary):
            hasher.text("does", str(value.op))
            self._value(value.left)
            self._value(value.right)
        elif isinstance(value, expr.Index):
            self._value(value.target)
            self._value(value.index)
        else:
            raise Unfingerprintable(f"a classical {type(value).__name__}")

    def _annotation(self, value: Any) -> None:
        text = repr(value)
        if " object at 0x" in text:
            raise Unfingerprintable(f"an annotation {type(value).__name__}")
        self._hasher.text("annotation", f"{value.namespace} {text}")
