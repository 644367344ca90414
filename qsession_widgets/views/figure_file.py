"""The picture of `svg_timeline` as PDF or PNG, drawn by matplotlib: no browser takes part."""

from __future__ import annotations

import io
import re
from typing import Any
from xml.etree import ElementTree

from ..errors import UserError
from .theme import COLOURS

SVG = "{http://www.w3.org/2000/svg}"
DOTS_PER_INCH = 144
"""Of a PNG: two dots a unit of the SVG, which is a point in a PDF."""


def as_figure_file(svg: str, kind: str) -> bytes:
    """A picture in another format.

    Parameters
    ----------
    svg : str
        What `svg_timeline.draw` has made; other SVG may have elements that are left out.
    kind : {"pdf", "png"}
        The format; a PDF has lines and words, no pixels.

    Raises
    ------
    UserError
        matplotlib is not installed.
    """
    try:
        from matplotlib import patches, path, rc_context
        from matplotlib.figure import Figure
    except ImportError:
        raise UserError(
            f"A {kind.upper()} needs matplotlib: pip install qsession-widgets[figures], or export "
            "to .svg, which needs nothing."
        ) from None
    picture = ElementTree.fromstring(svg)
    width, height = float(picture.attrib["width"]), float(picture.attrib["height"])
    # words that can be searched and edited, not outlines of them
    with rc_context({"pdf.fonttype": 42}):
        figure = Figure(figsize=(width / 72, height / 72), facecolor="white")
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set(xlim=(0, width), ylim=(height, 0))
        axes.set_axis_off()
        for at, element in enumerate(picture):
            if element.tag == f"{SVG}text":
                _write(axes, element, float(picture.attrib["font-size"]), at)
            elif element.tag == f"{SVG}rect":
                named = (float(element.attrib[name]) for name in ("x", "y", "width", "height"))
                x, y, *size = named
                look = _look(element.attrib)
                axes.add_patch(patches.Rectangle((x, y), *size, zorder=at, **look))
            elif element.tag == f"{SVG}path":
                outline = path.Path(*_outline(element.attrib["d"], path.Path))
                axes.add_patch(patches.PathPatch(outline, zorder=at, **_look(element.attrib)))
        written = io.BytesIO()
        figure.savefig(written, format=kind, dpi=DOTS_PER_INCH)
    return written.getvalue()


def _write(axes: Any, element: ElementTree.Element, font_size: float, at: int) -> None:
    given = element.attrib
    anchor = {"middle": "center", "end": "right"}.get(given["text-anchor"], "left")
    x, y, words = float(given["x"]), float(given["y"]), element.text or ""
    # a dollar is one, not the beginning of a formula
    style = {"color": given["fill"], "fontsize": font_size, "parse_math": False}
    axes.text(x, y, words, ha=anchor, va="baseline", zorder=at, **style)


def _look(given: dict[str, str]) -> dict[str, Any]:
    """Colour, opacity, hatch and dashes, as matplotlib calls them."""
    fill, stroke = given.get("fill"), given.get("stroke", "none")
    line = {"edgecolor": stroke, "linewidth": float(given.get("stroke-width", "1"))}
    if fill in (None, "none"):
        dashes = [float(part) for part in given.get("stroke-dasharray", "").split()]
        return {"fill": False, **line, "linestyle": (0, dashes) if dashes else "-"}
    if fill.startswith("url("):
        return {"facecolor": "none", "hatch": "/////", **line, "edgecolor": COLOURS["done"]}
    alpha = float(given.get("fill-opacity", "1"))
    return {"facecolor": fill, "alpha": alpha, "linewidth": 0}


def _outline(steps: str, kinds: Any) -> tuple[list[tuple[float, float]], list[Any]]:
    """Points, and the kind of each, of the commands in its pictures: M, H, V, h, v, z."""
    points: list[tuple[float, float]] = []
    codes: list[Any] = []
    x = y = 0.0
    for command, numbers in re.findall(r"([MHVhvz])([^MHVhvz]*)", steps):
        values = [float(number) for number in numbers.split()]
        if command == "M":
            x, y = values
        elif command == "H":
            (x,) = values
        elif command == "V":
            (y,) = values
        elif command == "h":
            x += values[0]
        elif command == "v":
            y += values[0]
        points.append((x, y))
        codes.append({"M": kinds.MOVETO, "z": kinds.CLOSEPOLY}.get(command, kinds.LINETO))
    return points, codes
