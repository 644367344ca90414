"""PUBs and options, as the sampler and the estimator share them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from qiskit.circuit import QuantumCircuit
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit_aer.noise import NoiseModel

from qsession_widgets.emulator.engine.devices import instructions, noise
from qsession_widgets.emulator.engine.devices.device import Device
from qsession_widgets.emulator.engine.devices.noise_source import DeviceNoise, Noise, OwnNoise
from qsession_widgets.emulator.engine.failure import INVALID_BODY, INVALID_OPTION, JobFailure
from qsession_widgets.emulator.engine.programs import circuit_checks
from qsession_widgets.emulator.engine.programs.loop_unrolling import unrolled
from qsession_widgets.emulator.engine.simulation import early_refusal, method_choice
from qsession_widgets.emulator.engine.simulation.compaction import active_qubits, compact
from qsession_widgets.emulator.engine.simulation.job_run import JobRun
from qsession_widgets.emulator.engine.simulation.simulate import Sweep

_REMEMBERED = 64

_AS_IT_IS = {"execution.init_qubits": True}
"""Options without effect, with the value that says what happens anyway; of all others it is off."""


class CircuitFacts:
    """Properties of a circuit, cached as long as the circuit is.

    An iterative workload posts one circuit many times, and the decoder returns one object for it.
    """

    _known: ClassVar[OrderedDict[int, CircuitFacts]] = OrderedDict()

    def __init__(self, circuit: QuantumCircuit) -> None:
        self.circuit = circuit
        self.active = frozenset(active_qubits(circuit))
        self.checked_for: set[str] = set()
        self._cuts: dict[tuple[int, ...], QuantumCircuit] = {}
        self.extra: dict[Any, Any] = {}

    @classmethod
    def of(cls, circuit: QuantumCircuit) -> CircuitFacts:
        """Return the facts of a circuit, found out at most once."""
        facts = cls._known.get(id(circuit))
        if facts is None:
            facts = cls._known[id(circuit)] = cls(circuit)
            if len(cls._known) > _REMEMBERED:
                cls._known.popitem(last=False)
        else:
            cls._known.move_to_end(id(circuit))
        return facts

    @cached_property
    def straight(self) -> QuantumCircuit:
        """The circuit with static loops written out, each instruction of a kind Aer has."""
        return unrolled(instructions.plain(self.circuit))

    def check(self, device: Device, index: int) -> None:
        """Refuse a circuit the device could not run, looking at it once per device."""
        if device.name not in self.checked_for:
            device.check(self.circuit, index)
            self.checked_for.add(device.name)

    def cut(self, kept: tuple[int, ...]) -> QuantumCircuit:
        """Return the circuit on the kept qubits only, which may be all of them."""
        if kept == tuple(range(self.circuit.num_qubits)):
            return self.straight
        if kept not in self._cuts:
            if len(self._cuts) > 16:
                self._cuts.clear()
            self._cuts[kept] = compact(
                self.straight, [q for q in kept if q < self.circuit.num_qubits]
            )
        return self._cuts[kept]


def check_values(job: JobRun, index: int, pub: SamplerPub | EstimatorPub) -> None:
    """Refuse parameter values that the service refuses, and tell of delays that are suspicious.

    Raises
    ------
    JobFailure
        If one is not finite, or an angle of ``rzz`` is out of the device's range.
    """
    parameters = pub.circuit.parameters
    values = pub.parameter_values.as_array(parameters) if parameters else None
    if values is not None:
        circuit_checks.check_values(values, index)
    circuit_checks.check_angles(job.device, pub.circuit, values, index)
    circuit_checks.warn_about_delays(job, pub.circuit, index)


def check_size(
    job: JobRun, index: int, pub: SamplerPub | EstimatorPub, labels: Collection[str] = ()
) -> None:
    """Refuse a PUB whose circuit fits no way of simulation, where that is seen at once.

    Parameters
    ----------
    job : JobRun
        It uses the device's noise.
    index : int
        Which PUB it is.
    pub : SamplerPub or EstimatorPub
        What does not fit.
    labels : collection of str
        Terms of an estimator's observables.

    Raises
    ------
    JobFailure
        If the device could not run the circuit, or nothing can simulate it.
    """
    facts = CircuitFacts.of(pub.circuit)
    facts.check(job.device, index)
    parameters = pub.circuit.parameters
    values = pub.parameter_values.as_array(parameters) if parameters else np.zeros((1, 0))
    label = None
    if isinstance(pub, EstimatorPub):
        # of Paulis only; the one on most qubits reaches furthest
        paulis = [label for label in labels if set(label) <= set("IXYZ")]
        if not paulis:
            return
        label = min(paulis, key=lambda label: label.count("I"))
    early_refusal.check(job, pub.circuit, facts.active, values, label)


def sweep_of(pub: SamplerPub | EstimatorPub, cut: QuantumCircuit) -> Sweep:
    """Return a compacted circuit with the parameter sets of its PUB."""
    parameters = pub.circuit.parameters
    return Sweep.of(cut, parameters, pub.parameter_values.as_array(parameters))


def kept_qubits(sets: Iterable[Iterable[int]]) -> tuple[int, ...]:
    """Return the qubits a group of circuits keeps: all that any of them uses, at least one."""
    kept = sorted(set().union(*sets))
    return tuple(kept) or (0,)


def cut_together(
    device: Device, circuits: Iterable[QuantumCircuit]
) -> tuple[tuple[int, ...], list[QuantumCircuit]]:
    """Cut the circuits of a job to the qubits that any of them uses.

    Returns
    -------
    tuple
        The qubits they keep, and the circuits on those qubits only.

    Raises
    ------
    JobFailure
        If the device could not run one of them.
    """
    facts = [CircuitFacts.of(circuit) for circuit in circuits]
    for index, fact in enumerate(facts):
        fact.check(device, index)
    kept = kept_qubits(fact.active for fact in facts)
    return kept, [fact.cut(kept) for fact in facts]


@dataclass
class Options:
    """The options of a sampler or estimator job that have an effect here.

    Attributes
    ----------
    values : dict
        What was posted and not yet understood.
    seed : int or None
        Makes outcomes repeatable.
    noise_model : NoiseModel or None
        The job's own.
    """

    values: dict[str, Any]
    seed: int | None = None
    noise_model: NoiseModel | None = None

    @classmethod
    def read(cls, job: JobRun, params: Mapping[str, Any]) -> Options:
        """Take the options both programs know out of the posted parameters."""
        values = _copied(params.get("options") or {})
        if not isinstance(values, dict):
            raise JobFailure("The options are no JSON object.", INVALID_OPTION)
        values["experimental"] = job.take_aer_options(values.get("experimental") or {})
        simulator = values.get("simulator") or {}
        seed = simulator.pop("seed_simulator", None)
        options = cls(values, None if seed is None else int(seed))
        model = simulator.pop("noise_model", None)
        if isinstance(model, dict):
            model = NoiseModel.from_dict(model)
        if model is not None and not isinstance(model, NoiseModel):
            raise JobFailure(
                "The option simulator.noise_model is neither a noise model nor the dictionary "
                "of one.",
                INVALID_OPTION,
            )
        options.noise_model = model
        level = params.get("resilience_level")
        if level:
            values["resilience_level"] = level
        return options

    def take(self, *path: str) -> Any:
        """Remove one option and return its value, None if it was not posted."""
        values: Any = self.values
        for name in path[:-1]:
            values = values.get(name)
            if not isinstance(values, dict):
                return None
        return values.pop(path[-1], None)

    def take_timing(self) -> bool:
        """Remove the option to tell when the gates of a circuit happen, and return it."""
        asked = self.take("execution", "scheduler_timing")
        nested = self.take("experimental", "execution", "scheduler_timing")
        return bool(asked or nested)

    def warn_about_rest(self, job: JobRun) -> None:
        """Name every posted option that has no effect."""
        for name, value in _leaves(self.values):
            if value is None or value is _AS_IT_IS.get(name, False):
                continue
            job.without_effect(
                name,
                f"The option {name} = {value!r:.80} has no effect in the local emulator with this "
                "program.",
            )

    def noise_for(
        self, job: JobRun, circuits: Iterable[QuantumCircuit], kept: tuple[int, ...]
    ) -> Noise:
        """Return the noise of compacted circuits: the job's own or the device's, as it is wished.

        What corrects errors must know of no others than those that are simulated.
        """
        if self.noise_model is not None:
            return method_choice.wished(job, OwnNoise(self.noise_model, kept), len(kept))
        if (
            not job.device.ideal
            and job.device.dt is None
            and any(name == "delay" for name, _ in noise.places(circuits))
        ):
            job.warn(
                f"The delays of this job are free of noise: {job.device.name} does not say how "
                "long its time step is."
            )
        return method_choice.wished(job, DeviceNoise(job.device, kept), len(kept))


def _copied(value: Any) -> Any:
    return (
        {key: _copied(inner) for key, inner in value.items()} if isinstance(value, dict) else value
    )


def _leaves(values: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def posted_pubs(params: Any) -> list[Any]:
    """Return the PUBs of posted parameters.

    Raises
    ------
    JobFailure
        If there are none.
    """
    pubs = params.get("pubs") if isinstance(params, dict) else None
    if not isinstance(pubs, list) or not pubs:
        raise JobFailure(
            'The job has no PUBs: post a list with at least one under "pubs".', INVALID_BODY
        )
    return pubs
