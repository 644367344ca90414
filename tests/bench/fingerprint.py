"""How long the fingerprint of a job takes: one JSON line for each of three askings.

A circuit of 100 qubits and 3 000 gates with parameters, through a sampler: asked for the first
time, again with other values of its parameters, and as the service has stored it. Medians.
"""

from __future__ import annotations

import json
import random
import statistics
import time
from collections.abc import Callable
from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit_ibm_runtime import RuntimeEncoder

from qsession_widgets.resume.fingerprint import Fingerprints

QUBITS, GATES, PARAMETERS = 100, 3000, 100
RUNS = 31


def circuit() -> QuantumCircuit:
    """Rotations by parameters and by numbers, and CZ between neighbours."""
    numbers = random.Random(1)
    made, parameters = QuantumCircuit(QUBITS), ParameterVector("t", PARAMETERS)
    for number in range(GATES):
        qubit = number % (QUBITS - 1)
        if number % 4 == 0:
            made.rz(parameters[number // 4 % PARAMETERS], qubit)
        elif number % 4 == 1:
            made.rz(numbers.random(), qubit)
        elif number % 4 == 2:
            made.sx(qubit)
        else:
            made.cz(qubit, qubit + 1)
    made.measure_all()
    return made


def asked(about: QuantumCircuit, value: float) -> dict[str, Any]:
    """The parameters of a sampler job."""
    pub = SamplerPub.coerce((about, [value] * PARAMETERS), shots=1024)
    return {"pubs": [pub], "options": {}, "version": 2}


def median_ms(works: list[Callable[[], object]]) -> float:
    """Median time of some works, in milliseconds."""
    times = []
    for work in works:
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return 1000 * statistics.median(times)


def main() -> None:
    """Measure, and print a line for each."""
    same, prints = circuit(), Fingerprints()
    fresh = [asked(circuit(), 0.1) for _ in range(RUNS)]
    first = median_ms([lambda one=one: Fingerprints().of("sampler", one) for one in fresh])
    prints.of("sampler", asked(same, 0.1))
    again = [asked(same, 0.1 * number) for number in range(RUNS)]
    second = median_ms([lambda one=one: prints.of("sampler", one) for one in again])
    stored = json.loads(json.dumps(asked(same, 0.1), cls=RuntimeEncoder))
    read = median_ms([lambda: Fingerprints().of("sampler", stored)] * RUNS)
    for name, took, target in (
        ("fingerprint of a circuit, first asking", first, "stated"),
        ("fingerprint of a circuit, second asking", second, "< 2"),
        ("fingerprint of a stored job", read, "stated"),
    ):
        print(json.dumps({"name": name, "ours": round(took, 2), "unit": "ms", "target": target}))


if __name__ == "__main__":
    main()
