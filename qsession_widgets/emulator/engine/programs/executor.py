"""The executor: circuits and randomized circuits, as the client's newer primitives submit them.

The client sends a quantum program in one of several versions of a schema, and reads the result in
the same version. What the versions have in common is the program the client's own converter makes
of each; a result is filled field by field into the model of its version.
"""

from __future__ import annotations

import base64
import datetime
import io
import json
import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import QuantumCircuit
from qiskit.qpy import get_qpy_version

from qsession_widgets.emulator.engine import outcomes, sampling
from qsession_widgets.emulator.engine.decode import OLDEST_QPY
from qsession_widgets.emulator.engine.failure import INVALID_BODY, INVALID_OPTION, JobFailure
from qsession_widgets.emulator.engine.job import JobRun
from qsession_widgets.emulator.engine.programs.pubs import cut_together
from qsession_widgets.emulator.engine.sampling import Sampled
from qsession_widgets.emulator.engine.simulate import Sweep
from qsession_widgets.emulator.engine.sources import DeviceNoise

_ANGLE_DECIMALS = 5
"""Decimals of quarter turns kept of an angle, so that Clifford circuits are seen as such."""


def run(job: JobRun, text: str) -> str:
    """Run a job of this program: one of ``PROGRAMS``, which says what goes in and out."""
    model, program = _read(text)
    seed = _options(job, model)
    if getattr(program, "meas_level", "classified") not in (None, "classified"):
        raise JobFailure(
            f"The measurement level {program.meas_level!r} needs the signals of real hardware; Aer "
            "has classified outcomes only.",
            INVALID_OPTION,
        )
    items = list(program.items)
    job.allow(sum(math.prod(_shape(item)) for item in items) * program.shots)
    kept, cuts = cut_together(job.device, (item.circuit for item in items))
    rng = np.random.default_rng(seed)
    samples = [_sample(item, rng) for item in items]
    sweeps = [
        Sweep.of(cut, item.circuit.parameters, sample.values)
        for cut, item, sample in zip(cuts, items, samples, strict=True)
    ]
    started = job.now()
    memories = sampling.run(
        job,
        sweeps,
        shots=program.shots,
        seed=seed,
        noise=DeviceNoise(job.device, kept, "target"),
        keep="memory",
    )
    stopped = job.now()
    data = [
        {**sample.extra, **_registers(item.circuit, memory, sample.shape, program.shots)}
        for item, sample, memory in zip(items, samples, memories, strict=True)
    ]
    return _write(model, data, [sample.shape for sample in samples], (started, stopped))


def _converters() -> Mapping[str, Any]:
    """Return what the client makes programs of parameters with, by the schema's version."""
    try:
        from qiskit_ibm_runtime.quantum_program import params_converters
    except ImportError:
        raise JobFailure(
            "The emulator runs the executor's programs with qiskit-ibm-runtime 0.47 or newer: "
            "pip install -U qiskit-ibm-runtime, or use SamplerV2 and EstimatorV2.",
            INVALID_BODY,
        ) from None
    return dict(params_converters.QUANTUM_PROGRAM_PARAMS_CONVERTERS)


def _read(text: str) -> tuple[Any, Any]:
    """Return the posted model, validated, and the client's program made of it."""
    try:
        params = json.loads(text)
        version = params["schema_version"]
    except (ValueError, TypeError, KeyError):
        raise JobFailure(
            'The executor\'s parameters are no JSON object with a "schema_version".', INVALID_BODY
        ) from None
    converters = _converters()
    converter = converters.get(version)
    if converter is None:
        raise JobFailure(
            f"The executor's schema version {version!r} is not known here; known are "
            f"{', '.join(converters)}.",
            INVALID_BODY,
        )
    _refuse_old_serializations(params)
    try:
        model = converter.model(**params)
        program, _ = converter.decoder(model)
    except Exception as error:
        raise JobFailure(
            f"The executor's parameters do not fit schema {version}: {str(error)[:400]}",
            INVALID_BODY,
        ) from error
    return model, program


def _refuse_old_serializations(params: Any) -> None:
    try:
        for qpy_version in _qpy_versions(params):
            if not isinstance(qpy_version, int) or qpy_version < OLDEST_QPY:
                raise JobFailure(
                    f"A circuit is serialized as QPY version {qpy_version}, and versions before "
                    f"{OLDEST_QPY} are refused because reading them can run code.",
                    INVALID_BODY,
                )
    except JobFailure:
        raise
    except Exception as error:
        raise JobFailure(
            "A serialized circuit among the executor's parameters cannot be read "
            f"({type(error).__name__}): post them as the Qiskit Runtime client does.",
            INVALID_BODY,
        ) from error


def _qpy_versions(value: Any) -> Iterator[Any]:
    """Yield the versions of all circuits in posted parameters."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "qpy_version":
                yield inner
            elif key == "samplex_json":
                yield from _samplex_versions(inner)
            else:
                yield from _qpy_versions(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _qpy_versions(inner)


def _samplex_versions(value: Any) -> Iterator[int]:
    """Yield the versions of all circuits in a samplex, which hold expressions of its parameters.

    A samplex is JSON text whose values are JSON text again. Of a key that is there twice both
    values are looked at, because each reader of JSON has its own idea of which of them counts.
    """
    if isinstance(value, _Pairs):
        for key, inner in value:
            if key == "circuit_base64":
                yield get_qpy_version(io.BytesIO(base64.b64decode(inner)))
            else:
                yield from _samplex_versions(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _samplex_versions(inner)
    elif isinstance(value, str) and value.lstrip()[:1] in ("{", "[", '"'):
        yield from _samplex_versions(json.loads(value, object_pairs_hook=_Pairs))


class _Pairs(list[tuple[str, Any]]):
    """What a JSON object holds, as pairs."""


def _options(job: JobRun, model: Any) -> int | None:
    """Adopt the options that have an effect, name those that have none, and return the seed."""
    options = model.options.model_dump()
    experimental = dict(options.pop("experimental", None) or {})
    aer = dict(experimental.get("aer") or {})
    seed = aer.pop("seed_simulator", None)
    experimental["aer"] = aer
    rest = job.take_aer_options(experimental)
    defaults = {"init_qubits": True, "scheduler_timing": False, "stretch_values": False}
    for name, value in {**options, **rest}.items():
        if value is not None and value != defaults.get(name):
            job.warn(f"The option {name} = {value!r:.80} has no effect in the local emulator.")
    return None if seed is None else int(seed)


@dataclass(frozen=True)
class _Sample:
    """What to run of an item: parameter values, and what the client gets to undo the randomness."""

    shape: tuple[int, ...]
    values: NDArray[np.float64]
    extra: Mapping[str, NDArray[Any]]


def _sample(item: Any, rng: np.random.Generator) -> _Sample:
    shape = _shape(item)
    if not hasattr(item, "samplex"):
        return _Sample(shape, _rounded(np.asarray(item.circuit_arguments, dtype=float)), {})
    drawn = _draw(item, shape, rng)
    values = drawn.pop("parameter_values", np.zeros((*shape, 0)))
    return _Sample(shape, _rounded(values), drawn)


def _shape(item: Any) -> tuple[int, ...]:
    """Return the shape of an item: how often, and along which axes, its circuit is run."""
    if hasattr(item, "samplex"):
        return tuple(item.shape)
    return tuple(np.shape(item.circuit_arguments)[:-1])


def _draw(item: Any, shape: tuple[int, ...], rng: np.random.Generator) -> dict[str, NDArray[Any]]:
    """Draw randomizations for every element of an item's shape.

    An axis along which the item's arguments vary is a sweep over arguments; along all others there
    is one set of arguments and many randomizations of it.
    """
    arguments = item.samplex_arguments
    given = tuple(arguments.shape)
    padded = (1,) * (len(shape) - len(given)) + given
    swept = [axis for axis, length in enumerate(padded) if length > 1]
    randomized = [axis for axis, length in enumerate(padded) if length <= 1]
    inner = tuple(shape[axis] for axis in randomized)
    # A samplex that was read from JSON has not worked out the order of its steps yet.
    item.samplex.finalize()
    drawn: dict[str, NDArray[Any]] = {}
    for place in np.ndindex(*(shape[axis] for axis in swept)):
        at = dict(zip(swept, place, strict=True))
        offset = len(shape) - len(given)
        chosen = tuple(at.get(axis + offset, 0) for axis in range(len(given)))
        sample = item.samplex.sample(
            arguments[chosen], num_randomizations=math.prod(inner), rng=rng
        )
        target = tuple(at.get(axis, slice(None)) for axis in range(len(shape)))
        for name, value in dict(sample).items():
            if name not in drawn:
                drawn[name] = np.empty((*shape, *value.shape[1:]), dtype=value.dtype)
            drawn[name][target] = value.reshape(*inner, *value.shape[1:])
    return drawn


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    quarter = np.pi / 2
    return np.asarray(np.round(values / quarter, _ANGLE_DECIMALS) * quarter)


def _registers(
    circuit: QuantumCircuit, memories: list[Sampled], shape: tuple[int, ...], shots: int
) -> dict[str, NDArray[np.bool_]]:
    """Return each register's outcomes, shape ``(*shape, shots, bits)``, bit 0 first."""
    chosen = {register.name: outcomes.columns(circuit, register) for register in circuit.cregs}
    arrays = {
        name: np.empty((len(memories), shots, len(bits)), dtype=bool)
        for name, bits in chosen.items()
    }
    for at, memory in enumerate(memories):
        for name, bits in chosen.items():
            arrays[name][at] = memory.bits[:, bits]
    return {name: array.reshape(*shape, *array.shape[1:]) for name, array in arrays.items()}


def _write(
    model: Any,
    data: list[dict[str, NDArray[Any]]],
    shapes: list[tuple[int, ...]],
    span: tuple[datetime.datetime, datetime.datetime],
) -> str:
    """Fill the result model of the job's schema version, and return its JSON."""
    schema = sys.modules[type(model).__module__]
    tensor = get_args(schema.QuantumProgramResultItemModel.model_fields["results"].annotation)[1]
    item_metadata = getattr(schema, "ItemMetadataModel", lambda: None)
    items = [
        schema.QuantumProgramResultItemModel(
            results={name: tensor.from_numpy(array) for name, array in result.items()},
            metadata=item_metadata(),
        )
        for result in data
    ]
    parts = []
    for at, shape in enumerate(shapes):
        size = math.prod(shape)
        everything = {
            "idx_item": at,
            "size": size,
            "permutation": list(range(len(shape))),
            "element_range": (0, size, 1),
        }
        fields = schema.ChunkPart.model_fields
        parts.append(schema.ChunkPart(**{k: v for k, v in everything.items() if k in fields}))
    chunk = schema.ChunkSpan(start=span[0], stop=span[1], parts=parts)
    result = {
        "data": items,
        "metadata": schema.MetadataModel(chunk_timing=[chunk]),
        "passthrough_data": getattr(model.quantum_program, "passthrough_data", None),
        "semantic_role": getattr(model.quantum_program, "semantic_role", None),
    }
    fields = schema.QuantumProgramResultModel.model_fields
    written = schema.QuantumProgramResultModel(
        **{name: value for name, value in result.items() if name in fields}
    )
    return str(written.model_dump_json())
