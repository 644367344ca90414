"""Encoding of sampler and estimator results: for Qiskit, or as plain JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit.primitives import BitArray, PrimitiveResult, PubResult
from qiskit_ibm_runtime import RuntimeEncoder
from qiskit_ibm_runtime.execution_span import ExecutionSpan, ExecutionSpans


def write(
    results: Sequence[PubResult],
    params: Mapping[str, Any],
    spans: Sequence[ExecutionSpan] = (),
    metadata: Mapping[str, Any] | None = None,
) -> str:
    """Return the results of a job as JSON text.

    Parameters
    ----------
    results : sequence of PubResult
        One for each PUB.
    params : Mapping
        What was posted: with ``support_qiskit`` false there is nobody to read Qiskit's classes, and
        the answer consists of lists and numbers.
    spans : sequence of ExecutionSpan
        When which of them was measured; the sampler tells, the estimator does not.
    metadata : Mapping, optional
        What else to say of the whole.
    """
    qiskit = params.get("support_qiskit", True)
    written: dict[str, Any] = {**((metadata or {}) if qiskit else {}), "version": 2}
    # how the service writes them for clients without Qiskit is not known
    if spans and qiskit:
        written["execution"] = {"execution_spans": ExecutionSpans(spans)}
    result = PrimitiveResult(results, metadata=written)
    if qiskit:
        return json.dumps(result, cls=RuntimeEncoder)
    plain = {
        "results": [
            {
                "data": {name: _plain(value) for name, value in pub.data.items()},
                "metadata": _without_arrays(pub.metadata),
            }
            for pub in result
        ],
        "metadata": result.metadata,
    }
    return json.dumps(plain, cls=RuntimeEncoder)


def _without_arrays(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_arrays(inner) for key, inner in value.items()}
    return value.tolist() if isinstance(value, np.ndarray) else value


def _plain(value: Any) -> Any:
    if isinstance(value, BitArray):
        return {"samples": _samples(value.array), "num_bits": value.num_bits}
    return np.asarray(value).tolist()


def _samples(packed: NDArray[np.uint8]) -> Any:
    """Return outcomes, shape ``(…, shots, bytes)``, as nested lists of hexadecimal numbers."""
    if packed.ndim > 2:
        return [_samples(inner) for inner in packed]
    return [hex(int.from_bytes(row.tobytes(), "big")) for row in packed]
