"""Glyphs over a map that change without redrawing the rest: rings and outlines."""

from typing import Any

import numpy as np
import pandas as pd
from bokeh.models import ColumnDataSource
from numpy.typing import ArrayLike

from dashboard.components.theme import ACCENT, GROUND, TEXT

__all__ = ["Outline", "Rings", "mark_svg"]


class Rings:
    """Rings around the picked galaxy, its neighbours and the seeds of the reason that is told.

    An external galaxy has a star.

    Args:
        figure: The Bokeh figure.
    """

    def __init__(self, figure: Any) -> None:
        empty: dict[str, Any] = {
            "x": [],
            "y": [],
            "size": [],
            "width": [],
            "colour": [],
            "shape": [],
        }
        self.source = ColumnDataSource(empty)
        figure.scatter(
            "x",
            "y",
            source=self.source,
            marker="shape",
            size="size",
            line_width="width",
            line_color="colour",
            fill_alpha=0,
            level="overlay",
        )

    def show(
        self,
        picked: pd.DataFrame,
        near: pd.DataFrame,
        external: pd.DataFrame,
        seeds: pd.DataFrame | None = None,
        *,
        dark: bool,
    ) -> None:
        """Ring the picked galaxy, over a darker ring for contrast; star the external one.

        Each has columns ``x`` and ``y``.
        """
        seeds = picked.iloc[:0] if seeds is None else seeds
        parts = [
            (near, 10, 1.3, TEXT, "circle"),
            (seeds, 17, 5.0, GROUND, "circle"),
            (seeds, 17, 2.2, ACCENT, "circle"),
            (picked, 24, 6.0, GROUND, "circle"),
            (picked, 24, 2.6, ACCENT, "circle"),
            (external, 26, 6.0, GROUND, "star"),
            (external, 26, 2.4, ACCENT, "star"),
        ]
        shown = pd.concat(
            [
                points.assign(size=size, width=width, colour=colours[dark], shape=shape)
                for points, size, width, colours, shape in parts
            ]
        )
        self.source.data = {name: shown[name].to_numpy() for name in self.source.column_names}


class Outline:
    """The outline of the last selection gesture.

    Args:
        figure: The Bokeh figure.
    """

    def __init__(self, figure: Any) -> None:
        self.source = ColumnDataSource({"x": [], "y": []})
        self._glyph = figure.patch(
            "x",
            "y",
            source=self.source,
            line_width=1.4,
            line_dash="dashed",
            fill_alpha=0,
            level="overlay",
        ).glyph

    def show(self, corners: ArrayLike, dark: bool) -> None:
        """Draw the line through these corners, (n, 2), and back to the first."""
        line = np.reshape(np.asarray(corners, np.float64), (-1, 2))
        self._glyph.line_color = TEXT[dark]
        self.source.data = {"x": line[:, 0], "y": line[:, 1]}


SHAPES = {
    "circle": '<circle cx="6" cy="6" r="4.2"/>',
    "diamond": '<path d="M6 .8L10.4 6L6 11.2L1.6 6Z"/>',
    "square": '<path d="M2 2H10V10H2Z"/>',
    "triangle": '<path d="M6 1.5L10.8 10H1.2Z"/>',
    "inverted_triangle": '<path d="M6 10.5L10.8 2H1.2Z"/>',
    "hex": '<path d="M6 1L10.4 3.5V8.5L6 11L1.6 8.5V3.5Z"/>',
    "star": '<path d="M6 1L7.5 4.4L11 5L8.4 7.2L9.4 11L6 9L2.6 11L3.6 7.2L1 5L4.5 4.4Z"/>',
    "plus": '<path d="M6 1V11M1 6H11"/>',
}


def mark_svg(shape: str, colour: str) -> str:
    """A population's marker as an SVG."""
    return (
        f'<svg width="12" height="12" viewBox="0 0 12 12" fill="{colour}" fill-opacity=".35" '
        f'stroke="{colour}" stroke-width="1.3" aria-hidden="true">{SHAPES[shape]}</svg>'
    )
