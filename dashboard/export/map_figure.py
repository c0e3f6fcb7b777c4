"""The map as a printable figure: axes, legend, markers, boundaries, provenance."""

import io
from datetime import UTC, datetime
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dashboard.backend.datastore import DataStore
from dashboard.backend.populations import population_title
from dashboard.components.theme import ACCENT, GROUND, TEXT
from dashboard.galaxy.external_galaxy import place_on
from dashboard.plotting.colour_by import Colouring, chosen_colouring
from dashboard.plotting.decision_boundaries import outline, wanted_fit
from dashboard.plotting.layers import galaxy_picture
from dashboard.plotting.raster import Canvas
from dashboard.state import Axes, State
from pcvae.anomaly import NORMAL
from pcvae.boundaries import Boundaries

__all__ = ["figure_png"]

WIDTH, HEIGHT, DPI = 7.2, 5.6, 200  # inches a map
DOTS = 100  # an inch, of the galaxies: about as on the screen
MARKS = {
    "circle": "o",
    "diamond": "D",
    "square": "s",
    "triangle": "^",
    "inverted_triangle": "v",
    "hex": "H",
    "star": "*",
    "plus": "P",
}


def figure_png(datastore: DataStore, state: Any) -> bytes:
    """The map, or both maps, as they are shown, with their zoom, as a PNG of 200 dots an inch.

    Args:
        datastore: The galaxies.
        state: The choices; ``frozen`` for a worker.
    """
    shown = [state, state.second] if state.split else [state]
    figure = Figure((WIDTH * len(shown), HEIGHT), DPI, layout="constrained")
    FigureCanvasAgg(figure)
    figure.set_facecolor(GROUND[state.dark])
    chosen = chosen_colouring(datastore, state)
    for place, axes in enumerate(shown, 1):
        _draw(figure.add_subplot(1, len(shown), place), datastore, state, axes, chosen)
    info = datastore.store.info
    focus = (
        ""
        if state.selection.focus is None
        else f"{int(state.selection.focus.sum()):,} in colour of "
    )
    figure.supxlabel(
        f"{info.sample}: {focus}{len(datastore):,} galaxies. Store {datastore.store.folder.name}, "
        f"encoded {info.created[:10]}; drawn {datetime.now(UTC):%Y-%m-%d}",
        fontsize=7,
        color=TEXT[state.dark],
    )
    file = io.BytesIO()
    figure.savefig(file, format="png", metadata={"Title": f"{info.sample}: latent space"})
    return file.getvalue()


def _draw(ax: Any, datastore: DataStore, state: State, axes: Axes, chosen: Colouring) -> None:
    plane, text = datastore.columns.plane(axes.model, axes.x, axes.y), TEXT[state.dark]
    left, bottom, right, top = axes.zoom or _corners(plane.limits)
    canvas = Canvas((left, right), (bottom, top), int(WIDTH * DOTS), int(HEIGHT * DOTS))
    picture = galaxy_picture(plane, canvas, chosen, state.selection.focus, dark=state.dark)
    ax.imshow(picture, extent=(left, right, bottom, top), origin="lower", aspect="auto")
    ax.set(xlim=(left, right), ylim=(bottom, top), title=f"Model {axes.model}")
    ax.set_xlabel(plane.x.axis)
    ax.set_ylabel(plane.y.axis)
    _colour_axes(ax, text, GROUND[state.dark])
    handles = _marks(ax, datastore, state, plane.points) + _ringed(ax, datastore, state, axes)
    handles += _categories(datastore, chosen) + _boundaries(ax, datastore, state, axes)
    if handles:
        ax.legend(handles=handles, fontsize=7, labelcolor=text, framealpha=0, loc="best")
    if chosen.gradient and chosen.ends:
        _bar(ax, chosen, text)


def _colour_axes(ax: Any, text: str, ground: str) -> None:
    ax.set_facecolor(ground)
    ax.tick_params(colors=text, labelsize=8)
    for words in (ax.title, ax.xaxis.label, ax.yaxis.label):
        words.set(color=text, fontsize=9)
    for spine in ax.spines.values():
        spine.set_color(text)


def _marks(ax: Any, datastore: DataStore, state: State, points: Any) -> list[Line2D]:
    """The rare populations by their marks, each with its number."""
    handles = []
    for name in datastore.populations.marked:
        rows, colour = (
            datastore.populations.members(name),
            datastore.populations.colour(name, dark=state.dark),
        )
        size = 5 if len(rows) <= 50 else 3.5 if len(rows) <= 1000 else 2
        looks = {
            "marker": MARKS[datastore.populations.shape(name)],
            "ms": size,
            "mew": 0.8,
            "ls": "",
        }
        (line,) = ax.plot(
            points["x"].iloc[rows],
            points["y"].iloc[rows],
            mfc=(*_rgb(colour), 0.35),
            mec=colour,
            label=f"{population_title(name)} ({len(rows):,})",
            **looks,
        )
        handles.append(line)
    return handles


def _ringed(ax: Any, datastore: DataStore, state: State, axes: Axes) -> list[Line2D]:
    """A ring around the picked galaxy, a star for the external one."""
    plane, handles = datastore.columns.plane(axes.model, axes.x, axes.y), []
    looks = {"mfc": "none", "mec": ACCENT[state.dark], "mew": 1.6, "ls": ""}
    if state.row is not None:
        x, y = plane.points.iloc[state.row]
        label = str(datastore.ids[state.row])
        handles += ax.plot([x], [y], marker="o", ms=11, label=label, **looks)
    external = place_on(state.external, axes.model, plane.x.column, plane.y.column)
    if len(external):
        label = state.external.name
        handles += ax.plot(external["x"], external["y"], marker="*", ms=13, label=label, **looks)
    return handles


def _boundaries(ax: Any, datastore: DataStore, state: State, axes: Axes) -> list[Line2D]:
    """The borders of the SVM's classes; the legend names those without markers."""
    job, handles = wanted_fit(datastore, state, axes), []
    found: Boundaries | None = datastore.result(job) if job is not None else None
    if found is None:
        return []
    for name in (name for name in found.classes if name != NORMAL):
        colour = datastore.populations.colour(name, dark=state.dark)
        for line in outline(found, name):
            ax.plot(*np.asarray(line).T, color=colour, lw=0.9)
        if name not in datastore.populations.marked:
            handles.append(Line2D([], [], label=population_title(name), color=colour, lw=0.9))
    return handles


def _categories(datastore: DataStore, chosen: Colouring) -> list[Line2D]:
    marked = [population_title(name) for name in datastore.populations.marked]
    pairs = zip(chosen.categories, chosen.gradient, strict=False)
    return [
        Line2D([], [], marker="o", ls="", ms=3.5, color=colour, label=name)
        for name, colour in pairs
        if name not in marked
    ]


def _bar(ax: Any, chosen: Colouring, text: str) -> None:
    from matplotlib.cm import ScalarMappable

    colours = LinearSegmentedColormap.from_list("key", chosen.gradient)
    bar = ax.figure.colorbar(
        ScalarMappable(cmap=colours), ax=ax, ticks=[0, 1], pad=0.02, aspect=30
    )
    bar.ax.set_yticklabels(chosen.ends, fontsize=8, color=text)
    bar.set_label(chosen.title, fontsize=9, color=text, labelpad=-8)
    bar.ax.tick_params(colors=text)
    bar.outline.set_edgecolor(text)


def _corners(limits: Any) -> tuple[float, float, float, float]:
    (left, right), (bottom, top) = limits
    return left, bottom, right, top


def _rgb(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue
