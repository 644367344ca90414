"""The mitigation and suppression options of a classic job, as the client's own models of them.

The service's `EstimatorV2` and `SamplerV2` take their options as JSON; the client's newer
primitives prepare and post-process by themselves, with models of nearly the same options. A classic
job that asks for twirling, mitigation or decoupling is translated to those models, prepared by the
client's functions as a quantum program, and its outcomes are post-processed by them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from qsession_widgets.emulator.engine.failure import INVALID_OPTION, JobFailure
from qsession_widgets.emulator.engine.programs import layers
from qsession_widgets.emulator.engine.programs.pubs import Options
from qsession_widgets.emulator.engine.simulation.job_run import JobRun

DEFAULT_RESILIENCE = 1
"""The level of estimator jobs that name none. Source: the client's `EstimatorOptions`."""

_TWIRLING = (
    "enable_gates",
    "enable_measure",
    "group",
    "num_randomizations",
    "shots_per_randomization",
    "strategy",
)
_DECOUPLING = (
    "enable",
    "extra_slack_distribution",
    "scheduling_method",
    "sequence_type",
    "skip_reset_qubits",
)
_RESILIENCE = ("measure_mitigation", "pec_mitigation", "zne_mitigation")
_ZNE = ("amplifier", "extrapolated_noise_factors", "extrapolator", "noise_factors")
_PEC = ("max_overhead", "noise_gain")
DECOUPLING_NOTE = (
    "dynamical decoupling: the circuits are scheduled and its pulses are in them; idle times relax "
    "as the calibration's T1 and T2 say, and gates have their errors. What it is for, slow drifts "
    "and crosstalk between qubits, is not in this noise, so that no benefit of it can be seen"
)


@dataclass
class JobOptions:
    """The options of a classic job.

    Attributes
    ----------
    model : EstimatorOptions or SamplerOptions
        The client's model, as the user set it.
    final : EstimatorOptions or SamplerOptions
        The same with what follows from the resilience level filled in.
    layer_noise : list of LayerError or None
        The noise of layers that the job brings along.
    learning : dict
        Options of the noise learning that mitigation by layers would need.
    by_default : bool
        Whether the resilience level is the default.
    """

    model: Any
    final: Any
    layer_noise: list[Any] | None = None
    learning: dict[str, Any] = field(default_factory=dict)
    by_default: bool = False

    @property
    def prepared(self) -> bool:
        """True if anything has to be prepared; if not, circuits run as they are."""
        twirling = self.final.twirling
        resilience = getattr(self.final, "resilience", None)
        return bool(
            twirling.enable_gates
            or twirling.enable_measure
            or self.final.dynamical_decoupling.enable
            or (
                resilience is not None
                and (
                    resilience.measure_mitigation
                    or resilience.zne_mitigation
                    or resilience.pec_mitigation
                )
            )
        )

    @property
    def by_layers(self) -> bool:
        """True if the noise of layers of gates has to be known."""
        resilience = self.final.resilience
        return bool(
            resilience.pec_mitigation
            or (resilience.zne_mitigation and resilience.zne.amplifier == "pea")
        )


def as_measured(job: JobRun, asked: JobOptions, error: layers.Unprepared) -> JobOptions:
    """Return what is left of a job's options where its default cannot be prepared.

    The client's functions do not twirl circuits with control flow, or with operations after
    measurements; a job that asks for no mitigation is run without it, and told.

    Raises
    ------
    Unprepared
        The job does ask for something.
    """
    from qiskit_ibm_runtime.executor_estimator.finalize_options import finalize_estimator_options

    model = asked.model.model_copy(update={"resilience_level": 0})
    left = JobOptions(model, finalize_estimator_options(model))
    if not asked.by_default or left.prepared:
        raise error
    job.warn(
        "Values are as measured: the readout is not corrected, as resilience_level 1 would have "
        f"it, because the client's functions cannot twirl a circuit ({error.cause})."
    )
    return left


def estimator(job: JobRun, options: Options, level: int | None) -> JobOptions | None:
    """Take what an estimator's job asks for out of its options.

    Parameters
    ----------
    job : JobRun
        Told what has no effect.
    options : Options
        Posted; what is understood is removed.
    level : int, optional
        The resilience level that was posted.

    Returns
    -------
    JobOptions or None
        None where the client's release lacks the functions; the options stay, to be named.

    Raises
    ------
    JobFailure
        If an option has a value that is not allowed.
    """
    try:
        from qiskit_ibm_runtime.executor_estimator.finalize_options import (
            finalize_estimator_options,
        )
        from qiskit_ibm_runtime.options_models import EstimatorOptions
    except ImportError:
        return None
    options.take("resilience_level")
    by_default = level is None
    if level is None:
        level = DEFAULT_RESILIENCE
        ideal = job.device.ideal and options.noise_model is None
        if ideal or job.simulation.noise == "none":
            job.note("resilience_level 0, because there is no noise to mitigate")
            level = 0
    resilience: dict[str, Any] = _section(options, _RESILIENCE, "resilience")
    resilience["zne"] = _section(options, _ZNE, "resilience", "zne")
    resilience["pec"] = _section(options, _PEC, "resilience", "pec")
    resilience["measure_noise_learning"] = _section(
        options, ("num_randomizations",), "resilience", "measure_noise_learning"
    )
    learning = _section(options, layers.OPTIONS, "resilience", "layer_noise_learning")
    layer_noise = options.take("resilience", "layer_noise_model")
    if options.values.get("resilience", {}).get("measure_noise_learning") == {
        "shots_per_randomization": "auto"
    }:
        options.take("resilience", "measure_noise_learning")
    values = {**_shared(options), "resilience": resilience, "resilience_level": level}
    asked = _checked(EstimatorOptions, finalize_estimator_options, values)
    return _possible(
        job,
        JobOptions(
            *asked,
            layer_noise=None if layer_noise is None else list(layer_noise),
            learning=learning,
            by_default=by_default,
        ),
    )


def sampler(job: JobRun, options: Options) -> JobOptions | None:
    """Take what a sampler's job asks for out of its options; see `estimator`."""
    try:
        from qiskit_ibm_runtime.executor_sampler.finalize_options import finalize_sampler_options
        from qiskit_ibm_runtime.options_models import SamplerOptions
    except ImportError:
        return None
    asked = _checked(SamplerOptions, finalize_sampler_options, _shared(options))
    return _possible(job, JobOptions(*asked))


def _possible(job: JobRun, asked: JobOptions) -> JobOptions:
    """Take back decoupling where nothing says how long idle times are, and tell the user."""
    if asked.final.dynamical_decoupling.enable and (job.device.ideal or job.device.dt is None):
        job.without_effect(
            "dynamical_decoupling.enable",
            "The option dynamical_decoupling.enable = True has no effect: "
            f"{job.device.name} does not say how long its gates take.",
        )
        for options in (asked.model, asked.final):
            options.dynamical_decoupling.enable = False
    return asked


def _shared(options: Options) -> dict[str, Any]:
    return {
        "twirling": _section(options, _TWIRLING, "twirling"),
        "dynamical_decoupling": _section(options, _DECOUPLING, "dynamical_decoupling"),
    }


def _section(options: Options, names: Sequence[str], *path: str) -> dict[str, Any]:
    """Remove some options of a section, and return those that were posted."""
    values: Any = options.values
    for name in path:
        values = values.get(name)
        if not isinstance(values, dict):
            return {}
    return {name: values.pop(name) for name in names if name in values}


def _checked(
    model: Callable[..., Any], finalize: Callable[[Any], Any], values: Mapping[str, Any]
) -> tuple[Any, Any]:
    """Return a model of the options, as they were set and finalized."""
    try:
        made = model(**values)
        return made, finalize(made)
    except Exception as error:
        raise JobFailure(f"An option is not valid: {_sentence(error)}.", INVALID_OPTION) from error


def _sentence(error: Exception) -> str:
    """Return what was wrong, and where it was, in one line."""
    errors = getattr(error, "errors", None)
    if callable(errors):
        found = [
            f"{'.'.join(str(part) for part in each['loc'] if isinstance(part, str))}: "
            f"{each['msg'].removeprefix('Value error, ')}"
            for each in errors()
        ]
        return "; ".join(dict.fromkeys(found))[:400]
    return layers.words(error)


def described(job: JobRun, asked: JobOptions | None) -> dict[str, Any]:
    """Return what a result says of its options: those in effect, and those without any."""
    found: dict[str, Any] = {}
    if asked is not None:
        final = asked.final
        found["dynamical_decoupling"] = final.dynamical_decoupling.model_dump()
        found["twirling"] = {**final.twirling.model_dump(), "interleave_randomizations": True}
        if (resilience := getattr(final, "resilience", None)) is not None:
            found["resilience"] = {
                "measure_mitigation": bool(resilience.measure_mitigation),
                "zne_mitigation": bool(resilience.zne_mitigation),
                "pec_mitigation": bool(resilience.pec_mitigation),
            }
    if job.no_effect:
        found["options_without_effect"] = list(job.no_effect)
    return found
