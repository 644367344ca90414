"""The line that a benchmark prints for each comparison."""

from __future__ import annotations

import json


def report(
    name: str, ours: float, peer: float, unit: str, target: str, *, high: bool = False
) -> None:
    """Print one comparison as a JSON object.

    Parameters
    ----------
    name : str
        What was measured, and beside what.
    ours, peer : float
        The two figures, in ``unit``.
    unit : str
        Such as ``s`` or ``bytes``.
    target : str
        What was agreed on.
    high : bool
        Whether more is better. ``ratio`` is above 1 where ours is better.
    """
    ratio = ours / peer if high else peer / ours
    row = {"name": name, "ours": _short(ours), "peer": _short(peer), "ratio": _short(ratio)}
    print(json.dumps({**row, "unit": unit, "target": target}), flush=True)


def _short(figure: float) -> float:
    return figure if isinstance(figure, int) else float(f"{figure:.3g}")
