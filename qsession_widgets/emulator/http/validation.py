"""Validate the names in a job's parameters when it is submitted, as the service does.

A misspelt option that is ignored costs somebody an evening, here, and a refused job there. Only
names are looked at: what they are set to is the engine's, which knows what it can do. The executor
has none to misspell, because its program is validated as a whole.

The tables are the service's own models in ``ibm_quantum_schemas``, and a test holds them to it.
They are not imported from there, because an emulator starts in the time that this would take. Below
``options`` only those of the simulator are refused; of the others the service, too, leaves out what
it does not know, and the job's log here names it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from ..engine.failure import INVALID_OPTION
from ..rules.refusals import INVALID_JOB, invalid

_EVERY = ("options", "pubs", "support_qiskit", "version")
PARAMETERS = {
    "sampler": _EVERY,
    "estimator": (*_EVERY, "resilience_level"),
}
TAKEN = {"sampler": ("shots",), "estimator": ("precision",)}
"""Parameters the service does not have and that are taken here, for clients that send it for all
PUBs at once."""

_COMMON = ("default_shots", "dynamical_decoupling", "execution", "experimental", "simulator")
OPTIONS = {
    "sampler": (*_COMMON, "twirling"),
    "estimator": (*_COMMON, "default_precision", "resilience", "seed_estimator", "twirling"),
}
CLOSE = 0.75
"""Similarity from which one name may be another one misspelt; 1 is the same."""

SIMULATOR = ("basis_gates", "coupling_map", "noise_model", "seed_simulator")


def check(program: str, params: Mapping[str, Any]) -> None:
    """Look whether every name in a job's parameters is one of its program's.

    Raises
    ------
    Refusal
        One is not: a parameter (code 1208) or an option (1519).
    """
    if program not in PARAMETERS:
        return
    known = PARAMETERS[program] + TAKEN[program]
    _check(f"The {program} has no parameter", "", params, known, INVALID_JOB)
    options = params.get("options")
    what = f"The {program} has no option"
    _check(what, "", options, OPTIONS[program], INVALID_OPTION)
    if isinstance(options, dict):
        _check(what, "simulator.", options.get("simulator"), SIMULATOR, INVALID_OPTION)


def _check(what: str, prefix: str, given: Any, known: Iterable[str], code: int) -> None:
    # of another type it is the engine's to refuse
    if not isinstance(given, dict):
        return
    for name in given:
        if name not in known:
            nearest = difflib.get_close_matches(name, known, 1, CLOSE)
            hint = (
                f"did you mean {prefix}{nearest[0]}?"
                if nearest
                else f"it has {', '.join(prefix + each for each in sorted(known))}."
            )
            raise invalid(
                f"{what} {prefix}{name[:80]}: {hint}", "Correct the name or leave it out.", code
            )
