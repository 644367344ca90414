"""Execution context of one job inside a worker: device, limits, time used, warnings and log."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from qsession_widgets.emulator.engine.devices.device import Device
from qsession_widgets.emulator.engine.failure import INVALID_BODY, INVALID_OPTION, JobFailure
from qsession_widgets.emulator.engine.simulation.approximation import Approximation, worst
from qsession_widgets.emulator.engine.simulation.cluster import Cluster
from qsession_widgets.emulator.engine.task import BY_ITSELF, TIME_OF_DAY, ClockReading, Simulation

MOST_EXECUTIONS = 10_000_000
"""Shots times circuits of a sampler or executor job. Source: IBM's guide to job limits, November
2026; an estimator's job has no such limit, because the service splits it."""

USER_AER_OPTIONS = frozenset(
    {
        "device",
        "extended_stabilizer_approximation_error",
        "fusion_enable",
        "matrix_product_state_max_bond_dimension",
        "matrix_product_state_truncation_threshold",
        "max_parallel_experiments",
        "max_parallel_shots",
        "max_parallel_threads",
        "method",
        "precision",
    }
)
"""Options that a job may set through ``options.experimental = {"aer": {…}}``."""


@dataclass
class JobRun:
    """One job under way.

    Attributes
    ----------
    device : Device
        Where it runs.
    options : dict
        Aer options of the emulator, then of the job.
    memory_limit : int or None
        Bytes.
    clock : ClockReading
        The service's.
    seconds : float
        Simulator time so far.
    executions : int
        Shots times circuits so far.
    on_planned : callable
        Takes the executions that it will have, once they are known.
    cluster : Cluster or None
        Where simulator calls go; None for this process.
    simulation : Simulation
        How its circuits are to be simulated.
    warnings, log : list of str
        For the user.
    methods : list of str
        How the circuits were simulated.
    inexact : dict
        What of the result is not exact, by method.
    no_effect : list of str
        Names of options that were sent and change nothing.
    """

    device: Device
    options: dict[str, Any]
    memory_limit: int | None = None
    clock: ClockReading = TIME_OF_DAY
    seconds: float = 0.0
    executions: int = 0
    on_planned: Callable[[int], object] = lambda executions: None
    cluster: Cluster | None = None
    simulation: Simulation = BY_ITSELF
    warnings: list[str] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)
    inexact: dict[str, Approximation] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    no_effect: list[str] = field(default_factory=list)

    def now(self) -> datetime.datetime:
        """Return the service's time."""
        return datetime.datetime.fromtimestamp(self.clock.at(time.time()), datetime.timezone.utc)

    def allow(self, executions: int) -> None:
        """Refuse a job that is too long to be run, before it runs, and tell how long it will be.

        Raises
        ------
        JobFailure
            If it has more executions than the service allows.
        """
        if executions > MOST_EXECUTIONS:
            raise JobFailure(
                f"The job has {executions:,} executions (circuits with their parameter sets, times "
                f"shots), and a job may have {MOST_EXECUTIONS:,}: ask for fewer shots, or split it "
                "into several jobs.",
                INVALID_BODY,
            )
        self.on_planned(executions)

    def note(self, line: str) -> None:
        """Write a line into the log, once."""
        if line not in self.log:
            self.log.append(line)

    def used(self, method: str, detail: str = "") -> None:
        """Write into the log by which method circuits were simulated."""
        self.note(f"method {method}{detail}")
        if method not in self.methods:
            self.methods.append(method)

    def approximated(self, how: Approximation) -> None:
        """Tell the user that a result is not exact; of several the worst is told."""
        total = worst([self.inexact.get(how.method), how])
        assert total is not None
        self.inexact[how.method] = total

    @property
    def approximations(self) -> list[str]:
        """Approximations of the result, as sentences."""
        return [how.sentence() for how in self.inexact.values()]

    def warn(self, sentence: str) -> None:
        """Tell the user something, once."""
        if sentence not in self.warnings:
            self.warnings.append(sentence)

    def without_effect(self, name: str, sentence: str) -> None:
        """Name an option that was sent and changes nothing.

        Raises
        ------
        JobFailure
            If the job is strict.
        """
        if self.simulation.strict:
            raise JobFailure(
                f"{sentence} --strict refuses such a job: leave the option out, or leave out "
                "--strict.",
                INVALID_OPTION,
            )
        if name not in self.no_effect:
            self.no_effect.append(name)
        self.warn(sentence)

    def take_aer_options(self, experimental: Mapping[str, Any]) -> dict[str, Any]:
        """Adopt the Aer options of a job, and return the experimental options that remain.

        Raises
        ------
        JobFailure
            If one of them is not for jobs to set.
        """
        remaining = dict(experimental)
        for name, value in dict(remaining.pop("aer", {})).items():
            if name not in USER_AER_OPTIONS:
                raise JobFailure(
                    f"The experimental Aer option {name!r} cannot be set by a job; these can: "
                    f"{', '.join(sorted(USER_AER_OPTIONS))}.",
                    INVALID_OPTION,
                )
            self.options[name] = value
        return remaining
