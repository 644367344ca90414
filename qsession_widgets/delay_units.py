"""Finds circuits whose delays would lose their unit on the way to the service.

Qiskit's serialization of circuits keeps the number of a delay and not its unit: what arrives of 64
microseconds is 64 time steps (Qiskit issues 8293 and 10662). Only before a job is sent can anybody
tell. A program under ``qsession run`` loads this file by its path, so it imports nothing else.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any


def refuse_lost_units(inputs: Mapping[str, Any], error: type[Exception]) -> None:
    """Refuse a job with a delay that is not given in time steps.

    Parameters
    ----------
    inputs : Mapping
        What is about to be sent; looked at are the circuits of ``pubs`` and ``circuits``, and those
        of a quantum program of whose sending this is a part.
    error : type
        What is raised if there is such a delay.
    """
    circuits = [*circuits_of(inputs), *circuits_of({"circuits": _program_items()})]
    for number, circuit in enumerate(circuits):
        for duration, unit in _delays(circuit):
            if unit != "dt":
                raise error(
                    f"Circuit {number} of this job has a delay of {_short(duration)} {unit}, and a "
                    "delay's unit is lost when a circuit is sent: it would run as time steps. The "
                    "job was not sent. Schedule the circuit for the backend first "
                    "(scheduling_method of generate_preset_pass_manager), or give delays in time "
                    'steps (unit="dt").'
                )


def _program_items() -> list[Any]:
    """The items of the quantum program that the client sends, its own primitives' too."""
    # what it hands on is encoded, and has no units
    frame = sys._getframe(1)
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module.startswith("qiskit_ibm_runtime.executor") and "program" in frame.f_locals:
            return list(getattr(frame.f_locals["program"], "items", None) or ())
        frame = frame.f_back  # type: ignore[assignment]
    return []


def _short(duration: Any) -> str:
    return f"{duration:g}" if isinstance(duration, (int, float)) else str(duration)


def circuits_of(inputs: Mapping[str, Any]) -> Iterator[Any]:
    """The circuits of ``pubs`` and ``circuits`` in what a client is about to send."""
    for each in [*(inputs.get("pubs") or ()), *(inputs.get("circuits") or ())]:
        circuit = getattr(each, "circuit", None)
        if circuit is None:
            circuit = each[0] if isinstance(each, (list, tuple)) and each else each
        if hasattr(circuit, "data") and hasattr(circuit, "qubits"):
            yield circuit


def _delays(circuit: Any) -> Iterator[tuple[Any, str]]:
    for instruction in circuit.data:
        # an operation is made anew each time it is asked for
        if instruction.name == "delay":
            yield instruction.operation.duration, str(instruction.operation.unit)
        elif instruction.is_control_flow():
            for block in instruction.operation.blocks:
                yield from _delays(block)
