"""The options of an emulator: one table for its command line, the magics, their help and Tab."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class EmulatorOption:
    """One option.

    Attributes
    ----------
    name : str
        Its field in `EmulatorOptions`.
    kind : {"text", "number", "share", "duration", "whole", "flag", "pairs"}
        The type of its value; one of ``pairs`` is given once for each pair.
    value : str
        Placeholder of its value in the help; choices stand in a row with bars.
    meaning : str
        Its meaning, for the help.
    smallest : float, optional
        The smallest value.
    in_notebooks : bool
        Whether ``%%session`` has it, with ``--local-`` in front of its name.
    of_session : bool
        Whether it belongs to the session there, and not to the emulator's process.
    """

    name: str
    kind: Literal["text", "number", "share", "duration", "whole", "flag", "pairs"]
    value: str
    meaning: str
    smallest: float | None = None
    in_notebooks: bool = True
    of_session: bool = False

    @property
    def spelled(self) -> str:
        """Its name with hyphens, without any in front; of one for a pair, in the singular."""
        name = self.name.removesuffix("s") if self.kind == "pairs" else self.name
        return name.replace("_", "-")


EMULATOR_OPTIONS: tuple[EmulatorOption, ...] = (
    EmulatorOption(
        "plan", "text", "PLAN", "the plan the emulator plays: premium, payg, flex or open"
    ),
    EmulatorOption(
        "instances",
        "pairs",
        "NAME=PLAN",
        "a further instance with a key of its own; may be repeated",
        in_notebooks=False,
    ),
    EmulatorOption(
        "devices",
        "pairs",
        "NAME=DEVICE",
        "a backend of that name with the data of another; may be repeated",
        in_notebooks=False,
    ),
    EmulatorOption(
        "ittl",
        "duration",
        "TIME",
        "its interactive timeout: 90, 5m; the plan's when left out",
        0.1,
    ),
    EmulatorOption(
        "max_ttl",
        "duration",
        "TIME",
        "its longest maximum time: 8h; the plan's when left out",
        1,
    ),
    EmulatorOption("cap", "flag", "", "shorten a longer maximum time instead of refusing it"),
    EmulatorOption(
        "quota",
        "duration",
        "TIME",
        "usage its instance has in 28 days; the plan's when left out",
        0,
    ),
    EmulatorOption("speed", "number", "FACTOR", "how fast its clock runs", 0),
    EmulatorOption(
        "queue",
        "text",
        "LOAD",
        "others' jobs beside yours: 120 for two minutes of waiting; none when left out",
    ),
    EmulatorOption(
        "job_time",
        "text",
        "simulated|device",
        "whether a job takes as long as its simulation or as on the device",
    ),
    EmulatorOption(
        "lanes", "whole", "N", "how many jobs a device runs at once; 1, aer 2, when left out", 1
    ),
    EmulatorOption(
        "workers",
        "whole",
        "N",
        "how many worker processes simulate; one a processor, at most 4, when left out",
        1,
    ),
    EmulatorOption("memory", "number", "GIB", "memory of each worker; any when left out", 0.25),
    EmulatorOption("cluster", "text", "ADDRESS", "a Dask scheduler to simulate on"),
    EmulatorOption(
        "method",
        "text",
        "exact|stabilizer|matrix_product_state|pauli_propagation",
        "how circuits are simulated; what fits, exactly where it can, when left out",
        of_session=True,
    ),
    EmulatorOption(
        "noise",
        "text",
        "device|pauli|none",
        "the device's noise, its noise twirled to Pauli channels, or none",
        of_session=True,
    ),
    EmulatorOption(
        "precision_limit",
        "share",
        "ERROR",
        "error accepted of approximations: 0.01 when left out; 0.1 for a fidelity of 0.9",
        of_session=True,
    ),
    EmulatorOption(
        "strict",
        "flag",
        "",
        "refuse inexact results, and options without effect",
        in_notebooks=False,
    ),
    EmulatorOption("seed", "whole", "N", "seed of everything random in it"),
    EmulatorOption(
        "faults", "flag", "", "serve its faults plane, which makes requests fail on demand"
    ),
    EmulatorOption(
        "job_limit",
        "duration",
        "TIME",
        "longest a job may compute, 0 for any time; 10m where there are several instances",
        0,
        in_notebooks=False,
    ),
    EmulatorOption(
        "idle_exit",
        "duration",
        "TIME",
        "end when nothing used it for so long; 0 for never",
        0,
        in_notebooks=False,
    ),
)
"""Every option, in the order of the help."""
