"""How time and memory grow with the number of galaxies, measured and extrapolated."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from train.evaluation.survey_plan import Point, slope
from train.report_pages.metric_figures import ACCENT, GREY, INK, OTHER

__all__ = ["growth_figure"]

END = 1e8  # galaxies, to which lines are drawn


def growth_figure(points: Sequence[Point], limit: float) -> Figure:
    """CPU time of both steps, and peak memory, by number of galaxies.

    Args:
        points: What was measured.
        limit: The memory of a computer [bytes], drawn as a line.
    """
    figure = Figure(figsize=(8.4, 3.4), layout="constrained")
    time, memory = figure.subplots(1, 2)
    counts = np.array([point.galaxies for point in points], float)
    far = np.geomspace(counts[-1], END, 50)
    each, last = slope(points), points[-1]

    def draw(axes: Axes, name: str, colour: str, label: str, unit: float = 1.0) -> None:
        values = np.array([getattr(point, name) for point in points]) / unit
        grown = values[-1] + (far - last.galaxies) * getattr(each, name) / unit
        axes.plot(counts, values, "o-", color=colour, label=f"{label}, measured")
        axes.plot(far, grown, "--", color=colour, label=f"{label}, extrapolated")

    draw(time, "encode", ACCENT, "bricks to latents")
    draw(time, "indexing", OTHER, "latents to catalogue")
    draw(memory, "peak", ACCENT, "one process", 1e9)
    memory.axhline(limit / 1e9, color=GREY, linewidth=1)
    memory.text(counts[0], limit / 1e9 * 1.1, f"{limit / 1e9:.0f} GB", color=INK, fontsize=8)
    for axes, title in ((time, "CPU time [s]"), (memory, "Peak memory [GB]")):
        axes.set(xscale="log", yscale="log", xlabel="Galaxies", ylabel=title)
        axes.legend(fontsize=8, frameon=False)
    return figure
