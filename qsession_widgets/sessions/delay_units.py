"""Refuses circuits whose delays would lose their unit on the way to the service.

Qiskit's serialization of circuits keeps the number of a delay and not its unit: what arrives of 64
microseconds is 64 time steps (Qiskit issues 8293 and 10662). Only before a job is sent can anybody
tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import UserError


class DelayUnitLost(UserError, ValueError):
    """A job was not sent, because a delay in it would become another."""


def refuse_lost_units(inputs: Mapping[str, Any]) -> None:
    """Refuse a job with a delay that is not given in time steps.

    Parameters
    ----------
    inputs : Mapping
        What is about to be sent; looked at are the circuits of ``pubs`` and ``circuits``.

    Raises
    ------
    DelayUnitLost
        If there is such a delay.
    """
    for number, circuit in enumerate(circuits_of(inputs)):
        for duration, unit in _delays(circuit):
            if unit != "dt":
                raise DelayUnitLost(
                    f"Circuit {number} of this job has a delay of {_short(duration)} {unit}, and a "
                    "delay's unit is lost when a circuit is sent: it would run as time steps. The "
                    "job was not sent. Schedule the circuit for the backend first "
                    "(scheduling_method of generate_preset_pass_manager), or give delays in time "
                    'steps (unit="dt").'
                )


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
