"""How results of the sampler and the estimator are written: for Qiskit, or for everybody else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit.primitives import BitArray, PrimitiveResult, PubResult
from qiskit_ibm_runtime import RuntimeEncoder
from qiskit_ibm_runtime.execution_span import DoubleSliceSpan, ExecutionSpans


def write(
    results: Sequence[PubResult],
    params: Mapping[str, Any],
    spans: Sequence[DoubleSliceSpan] = (),
) -> str:
    """Return the results of a job as JSON text.

    Parameters
    ----------
    results : sequence of PubResult
        One for each PUB.
    params : Mapping
        What was posted: with ``support_qiskit`` false there is nobody to read Qiskit's classes, and
        the answer consists of lists and numbers.
    spans : sequence of DoubleSliceSpan
        When which of them was measured; the sampler tells, the estimator does not.
    """
    qiskit = params.get("support_qiskit", True)
    metadata: dict[str, Any] = {"version": 2}
    # how the service writes them for clients without Qiskit is not known
    if spans and qiskit:
        metadata["execution"] = {"execution_spans": ExecutionSpans(spans)}
    result = PrimitiveResult(results, metadata=metadata)
    if qiskit:
        return json.dumps(result, cls=RuntimeEncoder)
    plain = {
        "results": [
            {
                "data": {name: _plain(value) for name, value in pub.data.items()},
                "metadata": pub.metadata,
            }
            for pub in result
        ],
        "metadata": result.metadata,
    }
    return json.dumps(plain, cls=RuntimeEncoder)


def _plain(value: Any) -> Any:
    if isinstance(value, BitArray):
        return {"samples": _samples(value.array), "num_bits": value.num_bits}
    return np.asarray(value).tolist()


def _samples(packed: NDArray[np.uint8]) -> Any:
    """Return outcomes, shape ``(…, shots, bytes)``, as nested lists of hexadecimal numbers."""
    if packed.ndim > 2:
        return [_samples(inner) for inner in packed]
    return [hex(int.from_bytes(row.tobytes(), "big")) for row in packed]
