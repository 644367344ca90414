"""Number of executions that a job asks for, counted before it is sent.

IBM estimates a job's time by it. Twirling divides the shots into randomizations of equal length,
which rounds them up; the calibration of readout, which mitigation learns by, is counted as the
client's preparation makes it. What learning the noise of layers and cancelling it add is not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

DEFAULT_SHOTS = 4096
"""IBM's default, of the sampler and, as a precision of 1/64, of the estimator."""

DEFAULT_LEVEL = 1
"""IBM's default resilience level of the estimator: its readout is mitigated."""

NOISE_FACTORS = (1, 3, 5)
"""IBM's default for zero-noise extrapolation."""

_BASES = str.maketrans("01+-rl", "ZZXXYY")


def count_executions(program_id: str, inputs: Mapping[str, Any]) -> int | None:
    """Shots times circuits of a job, with its parameter sets, bases, noise factors and calibration.

    Parameters
    ----------
    program_id : str
        The program that runs it.
    inputs : mapping
        What is sent.

    Returns
    -------
    int or None
        None for another program than the sampler, the estimator and the executor.
    """
    pubs, options = inputs.get("pubs"), inputs.get("options") or {}
    try:
        if program_id == "executor":
            return _of_program(inputs["quantum_program"])
        if program_id not in ("sampler", "estimator") or not isinstance(pubs, list):
            return None
        if program_id == "sampler":
            default = int(options.get("default_shots") or DEFAULT_SHOTS)
            shots = [int(pub.shots or default) for pub in pubs]
            split = _randomized(shots, options, level=0)
            circuits = [math.prod(pub.shape) for pub in pubs]
            return _of_circuits(split, circuits)
        level = inputs.get("resilience_level", options.get("resilience_level"))
        level = DEFAULT_LEVEL if level is None else int(level)
        factors = _noise_factors(options, level)
        split = _randomized([_shots(pub, options) for pub in pubs], options, level)
        circuits = [math.prod(pub.shape) * _bases(pub) * factors for pub in pubs]
        return _of_circuits(split, circuits) + _calibration(split, options, level)
    except (AttributeError, KeyError, TypeError, ValueError):
        # a PUB of a kind that is not known here; nothing but a forecast depends on it
        return None


def _of_program(program: Mapping[str, Any]) -> int:
    """Number of executions of a quantum program, whose items have a calibration among them."""
    shapes = []
    for item in program["items"]:
        values = item.get("circuit_arguments")
        shapes.append(item.get("shape") or (values["shape"][:-1] if values else ()))
    return int(program["shots"]) * sum(math.prod(shape) for shape in shapes)


def _randomized(
    shots: Sequence[int], options: Mapping[str, Any], level: int
) -> list[tuple[int, int]]:
    """Randomizations, and shots of each, by the client's documented rule; one without twirling."""
    twirling, resilience = options.get("twirling") or {}, options.get("resilience") or {}
    asked = {"enable_gates": level == 2, "enable_measure": level >= 1}
    asked |= {name: twirling[name] for name in asked if twirling.get(name) is not None}
    if not any(asked.values()) and not _mitigated(resilience, level):
        return [(1, count) for count in shots]
    number = twirling.get("num_randomizations") or "auto"
    each = twirling.get("shots_per_randomization") or "auto"
    split = []
    for count in shots:
        if each != "auto":
            own = int(each)
        elif number != "auto":
            own = math.ceil(count / int(number))
        else:
            own = max(64, math.ceil(count / 32))
        split.append((math.ceil(count / own) if number == "auto" else int(number), own))
    return split


def _of_circuits(split: Sequence[tuple[int, int]], circuits: Sequence[int]) -> int:
    """Executions of PUBs by their randomizations, shots of each, and numbers of circuits."""
    return sum(
        number * shots * count for (number, shots), count in zip(split, circuits, strict=True)
    )


def _calibration(split: Sequence[tuple[int, int]], options: Mapping[str, Any], level: int) -> int:
    """Executions that the readout is learned by: once for all PUBs of as many shots."""
    resilience = options.get("resilience") or {}
    if not _mitigated(resilience, level):
        return 0
    number = (resilience.get("measure_noise_learning") or {}).get("num_randomizations") or "auto"
    return sum({(count if number == "auto" else int(number)) * each for count, each in split})


def _mitigated(resilience: Mapping[str, Any], level: int) -> bool:
    asked = resilience.get("measure_mitigation")
    return level >= 1 if asked is None else bool(asked)


def _shots(pub: Any, options: Mapping[str, Any]) -> int:
    if not pub.precision and (shots := options.get("default_shots")):
        return int(shots)
    precision = pub.precision or options.get("default_precision")
    return math.ceil(1 / precision**2) if precision else DEFAULT_SHOTS


def _noise_factors(options: Mapping[str, Any], level: int) -> int:
    resilience = options.get("resilience") or {}
    asked = resilience.get("zne_mitigation")
    if not (level == 2 if asked is None else asked):
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
