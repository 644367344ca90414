"""The plotly figure of a timeline, which a notebook keeps with a still picture beside it."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go


class TimelineFigure(go.Figure):  # type: ignore[misc]
    """A figure that is saved with a picture for pages that run no scripts, such as GitHub's.

    Parameters
    ----------
    still : str
        The picture, as SVG; empty for none. What is changed of the figure is not seen in it, and a
        copy has none.
    """

    def __init__(self, *args: Any, still: str = "", **kwargs: Any):
        super().__init__(*args, **kwargs)
        # plotly takes attributes of its own schema only
        object.__setattr__(self, "_still", still)

    def _repr_mimebundle_(self, *args: Any, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(*args, **kwargs)
        return {**bundle, "image/svg+xml": self._still} if bundle and self._still else bundle

    def _ipython_display_(self) -> None:
        import plotly.io as pio
        from IPython.display import display

        bundle = self._repr_mimebundle_() if pio.renderers.render_on_display else None
        if bundle:
            display(bundle, raw=True)  # type: ignore[no-untyped-call]
        else:
            # in a terminal plotly opens a page of its own
            super()._ipython_display_()
