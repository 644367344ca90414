"""The colours and manners that the still picture and the figures have in common."""

from __future__ import annotations

from typing import Any

COLOURS = {
    "queued": "#a9b1be",
    "running": "#0f62fe",
    "done": "#1a9a6b",
    "cancelled": "#6b7382",
    "failed": "#da1e28",
}
"""Colours of jobs by status."""

PARTS = {"QPU": "#1a9a6b", "classical": "#8fb3ff", "idle": "#f3c26b"}
"""Colours of the parts of usage."""

MUTED = "#5b6270"
IDLE = "#c77700"


def small(colour: str = MUTED) -> dict[str, Any]:
    """The letters of what is written beside the data, for plotly."""
    return {"size": 11, "color": colour}


def hatch(colour: str) -> dict[str, Any]:
    """The marker of bars whose jobs an earlier run had paid for, for plotly."""
    pattern = {"shape": "/", "size": 5, "solidity": 0.35, "fillmode": "replace"}
    return {"color": colour, "line": {"width": 1, "color": colour}, "pattern": pattern}


def axis_title(text: str) -> dict[str, Any]:
    """An axis' name, near the axis, for plotly."""
    return {"text": text, "standoff": 4, "font": small()}


def frame(height: int, margin: dict[str, int], legend: dict[str, Any]) -> dict[str, Any]:
    """A plotly layout for bars that lie: a white ground, and the legend in one line."""
    return {
        "template": "plotly_white",
        "height": height,
        "margin": margin,
        "legend": {"orientation": "h", "x": 0, **legend},
    }
