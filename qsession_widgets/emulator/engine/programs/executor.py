"""The executor: circuits and randomized circuits, as the client's newer primitives submit them.

The client sends a quantum program in one of several versions of a schema, and reads the result in
the same version. What the versions have in common is the program the client's own converter makes
of each; a result is filled field by field into the model of its version.
"""

from __future__ import annotations

import base64
import io
import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

import numpy as np
from qiskit.qpy import get_qpy_version

from qsession_widgets.emulator.engine.devices import timing
from qsession_widgets.emulator.engine.devices.noise_source import DeviceNoise
from qsession_widgets.emulator.engine.failure import INVALID_BODY, INVALID_OPTION, JobFailure
from qsession_widgets.emulator.engine.job_decoder import (
    OLDEST_QPY,
    Unpacker,
    check_delays,
    check_loops,
)
from qsession_widgets.emulator.engine.programs import circuit_checks, quantum_program
from qsession_widgets.emulator.engine.programs.pubs import CircuitFacts, cut_together
from qsession_widgets.emulator.engine.programs.quantum_program import ExecutedProgram
from qsession_widgets.emulator.engine.simulation import early_refusal
from qsession_widgets.emulator.engine.simulation.job_run import JobRun


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
    for item in items:
        check_delays(item.circuit)
    job.allow(quantum_program.executions(items, program.shots))
    for index, item in enumerate(items):
        _check_size(job, index, item, program.shots)
    kept, cuts = cut_together(job.device, (item.circuit for item in items))
    role = getattr(model.quantum_program, "semantic_role", None)
    for index, item in enumerate(items):
        _check(job, index, item, role)
    done = quantum_program.execute(
        job,
        items,
        cuts,
        shots=program.shots,
        seed=seed,
        noise=DeviceNoise(job.device, kept, "target"),
    )
    times = []
    if getattr(model.options, "scheduler_timing", False):
        width = range(job.device.num_qubits)
        times = [timing.timing(job.device, width, item.circuit) for item in items]
    return _write(model, done, times)


def _check_size(job: JobRun, index: int, item: Any, shots: int) -> None:
    """Refuse a circuit that fits no way of simulation, where that is seen at once."""
    facts = CircuitFacts.of(item.circuit)
    facts.check(job.device, index)
    if hasattr(item, "samplex"):
        quantum_program.check_randomizations(job, item, shots)
        return
    values = np.zeros(1) if item.circuit_arguments is None else np.asarray(item.circuit_arguments)
    early_refusal.check(job, item.circuit, facts.active, values)


def _check(job: JobRun, index: int, item: Any, role: str | None) -> None:
    """Refuse an item that the service refuses, or whose result the client could not read."""
    if role == "sampler_v2":
        circuit_checks.check_registers(item.circuit, index)
    arguments = getattr(item, "circuit_arguments", None)
    if arguments is None:
        arguments = dict(getattr(item, "samplex_arguments", None) or {}).get("parameter_values")
    if arguments is not None:
        circuit_checks.check_values(arguments, index)
    own = None if hasattr(item, "samplex") else arguments
    circuit_checks.check_angles(job.device, item.circuit, own, index)


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
    Unpacker().check(params)
    refuse_old_serializations(params)
    try:
        model = converter.model(**params)
        program, _ = converter.decoder(model)
    except Exception as error:
        raise JobFailure(
            f"The executor's parameters do not fit schema {version}: {str(error)[:400]}",
            INVALID_BODY,
        ) from error
    for item in program.items:
        check_loops(item.circuit)
    return model, program


def refuse_old_serializations(params: Any) -> None:
    """Refuse parameters with a circuit in a format that can run code when it is read.

    Raises
    ------
    JobFailure
        If there is one, or one that cannot be read.
    """
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
                yield int(inner) if isinstance(inner, str) and inner.isdecimal() else inner
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
    """Items of a JSON object, as pairs."""


def _options(job: JobRun, model: Any) -> int | None:
    """Adopt the options that have an effect, name those that have none, and return the seed."""
    options = model.options.model_dump()
    experimental = dict(options.pop("experimental", None) or {})
    aer = dict(experimental.get("aer") or {})
    seed = aer.pop("seed_simulator", None)
    experimental["aer"] = aer
    rest = job.take_aer_options(experimental)
    options.pop("scheduler_timing", None)
    defaults = {"init_qubits": True, "stretch_values": False}
    for name, value in {**options, **rest}.items():
        if value is not None and value != defaults.get(name):
            job.without_effect(
                name, f"The option {name} = {value!r:.80} has no effect in the local emulator."
            )
    return None if seed is None else int(seed)


def _write(model: Any, done: ExecutedProgram, times: Sequence[timing.Timing]) -> str:
    """Fill the result model of the job's schema version, and return its JSON."""
    schema = sys.modules[type(model).__module__]
    tensor = get_args(schema.QuantumProgramResultItemModel.model_fields["results"].annotation)[1]
    item_metadata = getattr(schema, "ItemMetadataModel", lambda **_: None)
    said = [
        {"scheduler_timing": {"timing": each.text, "circuit_duration": each.duration}}
        for each in times
    ]
    items = [
        schema.QuantumProgramResultItemModel(
            results={name: tensor.from_numpy(array) for name, array in result.items()},
            metadata=item_metadata(**(said[at] if said else {})),
        )
        for at, result in enumerate(done.data)
    ]
    parts = []
    for at, shape in enumerate(done.shapes):
        size = math.prod(shape)
        everything = {
            "idx_item": at,
            "size": size,
            "permutation": list(range(len(shape))),
            "element_range": (0, size, 1),
        }
        fields = schema.ChunkPart.model_fields
        parts.append(schema.ChunkPart(**{k: v for k, v in everything.items() if k in fields}))
    chunk = schema.ChunkSpan(start=done.span[0], stop=done.span[1], parts=parts)
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
