"""Number of executions that a job asks for, counted before it is sent.

IBM estimates a job's time by it. Twirling divides the shots and does not add to them; what noise
learning and calibration add is not counted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

DEFAULT_SHOTS = 4096
"""IBM's default, of the sampler and, as a precision of 1/64, of the estimator."""

NOISE_FACTORS = (1, 3, 5)
"""IBM's default for zero-noise extrapolation."""

_BASES = str.maketrans("01+-rl", "ZZXXYY")


def count_executions(program_id: str, inputs: Mapping[str, Any]) -> int | None:
    """Shots times circuits of a job, with its parameter sets, bases and noise factors.

    Parameters
    ----------
    program_id : str
        The program that runs it.
    inputs : mapping
        What is sent.

    Returns
    -------
    int or None
        None for another program than the sampler and the estimator.
    """
    pubs, options = inputs.get("pubs"), inputs.get("options") or {}
    if program_id not in ("sampler", "estimator") or not isinstance(pubs, list):
        return None
    try:
        if program_id == "sampler":
            default = int(options.get("default_shots") or DEFAULT_SHOTS)
            counts = [int(pub.shots or default) * math.prod(pub.shape) for pub in pubs]
        else:
            factors = _noise_factors(inputs, options)
            counts = [
                _shots(pub, options) * math.prod(pub.shape) * _bases(pub) * factors for pub in pubs
            ]
        return int(sum(counts))
    except (AttributeError, TypeError, ValueError):
        # a PUB of a kind that is not known here; nothing but a forecast depends on it
        return None


def _shots(pub: Any, options: Mapping[str, Any]) -> int:
    if not pub.precision and (shots := options.get("default_shots")):
        return int(shots)
    precision = pub.precision or options.get("default_precision")
    return math.ceil(1 / precision**2) if precision else DEFAULT_SHOTS


def _noise_factors(inputs: Mapping[str, Any], options: Mapping[str, Any]) -> int:
    resilience = options.get("resilience") or {}
    asked = resilience.get("zne_mitigation")
    if asked is None:
        asked = inputs.get("resilience_level", options.get("resilience_level")) == 2
    if not asked:
        return 1
    return len((resilience.get("zne") or {}).get("noise_factors") or NOISE_FACTORS)


def _bases(pub: Any) -> int:
    """Number of circuits that measure a PUB's observables: groups of terms that share a basis."""
    bases: list[dict[int, str]] = []
    labels = {label for each in pub.observables.ravel().tolist() for label in each}
    for label in sorted(labels):
        term = {
            at: letter
            for at, letter in enumerate(reversed(label.translate(_BASES)))
            if letter != "I"
        }
        for basis in bases:
            if all(basis.get(at, letter) == letter for at, letter in term.items()):
                basis.update(term)
                break
        else:
            bases.append(term)
    return max(1, len(bases))
