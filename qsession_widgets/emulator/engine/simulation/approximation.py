"""Description of an approximate result: the method, what it left out, how good it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

_TITLES = {
    "stabilizer": "stabilizer simulation",
    "matrix_product_state": "matrix product states",
    "pauli_propagation": "Pauli propagation",
}


@dataclass(frozen=True)
class Approximation:
    """The method behind outcomes or expectation values that are not exact.

    Attributes
    ----------
    method : str
        ``"stabilizer"``, ``"matrix_product_state"``, ``"pauli_propagation"``, or an exact method
        where only the noise is approximated.
    twirled : bool
        Whether the noise was twirled to Pauli channels.
    realizations : int or None
        How many realizations of the noise were drawn; None where each shot has one of its own, or
        where the noise was not sampled.
    effective_shots : float or None
        How many independent shots would give averages of single bits the same error.
    bond_dimension : int or None
        The largest a matrix product state was allowed.
    fidelity : float or None
        Estimated from what truncation threw away of this circuit's state; 1 where nothing was.
    bound : float or None
        The most by which truncation can have changed an expectation value.
    """

    method: str
    twirled: bool
    realizations: int | None = None
    effective_shots: float | None = None
    bond_dimension: int | None = None
    fidelity: float | None = None
    bound: float | None = None

    def metadata(self) -> dict[str, Any]:
        """Return the entries for the metadata of a PUB's result."""
        found: dict[str, Any] = {
            "method": self.method,
            "approximated": self.approximated,
            "noise": "twirled to Pauli channels" if self.twirled else "as calibrated",
        }
        for name in ("realizations", "effective_shots", "bond_dimension", "fidelity", "bound"):
            value = getattr(self, name)
            if value is not None:
                found[name] = value
        return found

    @property
    def approximated(self) -> list[str]:
        """The approximations, in words."""
        found = []
        if self.twirled:
            found.append("gate noise, twirled to Pauli channels")
            if "pauli_propagation" in self.method:
                found.append("readout errors, averaged over both values")
        if self.fidelity is not None and self.fidelity < 1:
            found.append("state, truncated")
        if self.bound:
            found.append("observable, truncated")
        if self.realizations is not None:
            found.append("noise, the same for several shots")
        return found

    def sentence(self) -> str:
        """Return one sentence for the job's log and for where people look."""
        parts = [f"Simulated by {_TITLES.get(self.method, self.method.replace('_', ' '))}"]
        if self.bond_dimension is not None:
            parts[0] += f" of bond dimension {self.bond_dimension}"
        if self.twirled:
            parts.append("gate noise twirled to Pauli channels")
        if self.realizations is not None:
            parts.append(f"{self.realizations} noise realizations")
        if self.effective_shots is not None:
            parts.append(f"as good as {self.effective_shots:.0f} independent shots for single bits")
        if self.fidelity is not None:
            parts.append(f"estimated fidelity {self.fidelity:.4g}")
        if self.bound is not None:
            parts.append(f"truncation changes no value by more than {self.bound:.2g}")
        return ", ".join(parts) + "."


def worst(found: Iterable[Approximation | None]) -> Approximation | None:
    """Return what holds of several results together: the least of what is good in each."""
    total: Approximation | None = None
    for one in found:
        if one is None:
            continue
        if total is None:
            total = one
            continue
        total = replace(
            total,
            method=", ".join(dict.fromkeys([*total.method.split(", "), one.method])),
            twirled=total.twirled or one.twirled,
            realizations=_least(total.realizations, one.realizations),
            effective_shots=_least(total.effective_shots, one.effective_shots),
            bond_dimension=_most(total.bond_dimension, one.bond_dimension),
            fidelity=_least(total.fidelity, one.fidelity),
            bound=_most(total.bound, one.bound),
        )
    return total


def _least(first: float | None, second: float | None) -> Any:
    known = [value for value in (first, second) if value is not None]
    return min(known) if known else None


def _most(first: float | None, second: float | None) -> Any:
    known = [value for value in (first, second) if value is not None]
    return max(known) if known else None
