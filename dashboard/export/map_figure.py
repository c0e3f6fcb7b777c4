"""The map as a figure for a paper: what the screen shows, in the width of a journal's column."""

import io
from copy import copy
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, NamedTuple

from matplotlib.axes import Axes as Plot
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D

from dashboard.backend.datastore import DataStore
from dashboard.backend.populations import population_title
from dashboard.components.theme import GROUND, TEXT
from dashboard.export.map_layers import Glyphs, Map, draw_galaxies, draw_over
from dashboard.export.paper import INCH, POINT, Looks, axis_title, legible, width_of
from dashboard.plotting.colour_by import Colouring, chosen_colouring
from dashboard.state import State

__all__ = ["COLUMN", "PAGE", "Paper", "map_figure"]

COLUMN, PAGE = 88.0, 180.0  # mm, one and two columns of A&A; ApJ and MNRAS have nearly the same
STACKED = 120.0  # mm, below which two maps lie one over the other
DPI = 300
SIZE = {COLUMN: 7.0, PAGE: 8.0}  # pt, of letters by width
SHAPE = 0.6, 1.0  # a map's height in widths, at least and at most
SCALES = 0.34, 0.6  # points a pixel of the screen, at least and at most
SIDE, BAR, FOOT = 11.0, 13.0, 10.0  # mm beside a map, for its bar, and below it
ENTRY = 6.0  # letters that the sign of an entry of the key takes, with the gap after it


class Paper(NamedTuple):
    """The paper that a map is printed on.

    Args:
        kind: ``pdf``, ``png`` or ``svg``.
        width: Of the figure [mm].
        dark: Whether its ground is dark.
    """

    kind: str = "pdf"
    width: float = COLUMN
    dark: bool = False

    @property
    def size(self) -> float:
        """Of its letters [pt]."""
        return SIZE.get(self.width, 8.0)


def map_figure(
    datastore: DataStore,
    state: Any,
    paper: Paper,
    glyphs: Glyphs | None = None,
) -> bytes:
    """The map, or both maps, with the zoom, key, marks, lines and selection of the screen.

    Args:
        datastore: The galaxies.
        state: The choices; ``frozen`` for a worker. Its ``dark`` counts for nothing.
        paper: The paper.
        glyphs: What other parts of the page lay over the maps.
    """
    kept: Any = state.frozen() if isinstance(state, State) else copy(state)
    kept.dark = paper.dark
    glyphs = glyphs or Glyphs()
    axes = [kept, kept.second] if kept.split else [kept]
    across = len(axes) if paper.width > STACKED else 1
    chosen = chosen_colouring(datastore, kept)
    bar = bool(chosen.gradient and chosen.ends)
    wide = (paper.width - BAR * bar) / across - SIDE  # mm, of one map
    frame = glyphs.frames[0]
    high = wide * min(max(frame[1] / frame[0], SHAPE[0]), SHAPE[1])
    scale = min(max(wide / POINT / frame[0], SCALES[0]), SCALES[1])
    maps = [Map(datastore, kept, one, glyphs, scale) for one in axes]
    down = len(axes) // across
    figure = _figure(paper, down * (high + FOOT))
    plots = [figure.add_subplot(down, across, k + 1) for k in range(len(maps))]
    _lay_out(figure, plots, maps, chosen, paper)
    for plot, shown in zip(plots, maps, strict=True):
        draw_galaxies(plot, shown, chosen)
    file = io.BytesIO()
    figure.savefig(file, format=paper.kind, dpi=DPI, metadata=_metadata(datastore, kept, paper))
    return file.getvalue()


def _figure(paper: Paper, height: float) -> Figure:
    layout = ConstrainedLayoutEngine(w_pad=0.02, h_pad=0.02)
    figure = Figure((paper.width / INCH, height / INCH), DPI, layout=layout)
    FigureCanvasAgg(figure)
    figure.set_facecolor(GROUND[paper.dark])
    return figure


def _lay_out(
    figure: Figure, plots: list[Plot], maps: list[Map], chosen: Colouring, paper: Paper
) -> None:
    """Draw all but the galaxies, and let everything find its place, the maps as high as now."""
    entries: dict[str, Line2D] = {}
    for entry in _categories(maps, chosen):
        entries[str(entry.get_label())] = entry
    for plot, shown in zip(plots, maps, strict=True):
        for entry in draw_over(plot, shown):
            entries.setdefault(str(entry.get_label()), entry)
        _dress(plot, shown, paper, titled=len(maps) > 1)
    if chosen.gradient and chosen.ends:
        _bar(figure, plots, chosen, paper)
    if entries:
        _key(figure, list(entries.values()), paper)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")


def _dress(plot: Plot, shown: Map, paper: Paper, *, titled: bool) -> None:
    """Titles and ticks of the axes, in the colours of the paper."""
    text, size = TEXT[paper.dark], paper.size
    plot.set_facecolor(GROUND[paper.dark])
    plot.tick_params(colors=text, labelsize=size - 0.5, length=2.5, width=0.6)
    looks: Looks = {"color": text, "fontsize": size}
    plot.set_xlabel(axis_title(shown.plane.x.axis), labelpad=2, **looks)
    plot.set_ylabel(axis_title(shown.plane.y.axis), labelpad=2, **looks)
    if titled:
        plot.set_title(f"Model {shown.axes.model}", parse_math=False, pad=3, **looks)
    for spine in plot.spines.values():
        spine.set(color=text, linewidth=0.6)


def _key(figure: Figure, entries: list[Line2D], paper: Paper) -> None:
    """The key above the maps, in as many columns as fit; the figure grows by its height."""
    size = paper.size - 0.5
    letter = size * POINT * 0.62
    widest = max(width_of(legible(str(one.get_label())), size) for one in entries) + ENTRY * letter
    columns = max(int((paper.width - 2) / widest), 1)
    lines = -(-len(entries) // columns)
    figure.set_figheight(figure.get_figheight() + (lines * size * 1.35 + 4) / 72)
    looks: Looks = {"labelcolor": TEXT[paper.dark], "frameon": False, "fontsize": size}
    spaces: Looks = {"handletextpad": 0.4, "columnspacing": 1.2, "labelspacing": 0.3}
    spaces |= {"borderpad": 0.1, "handlelength": 1.5}
    key = figure.legend(
        handles=entries, loc="outside upper left", ncols=columns, **looks, **spaces
    )
    for text in key.get_texts():
        text.set(parse_math=False, text=legible(text.get_text()))


def _categories(maps: list[Map], chosen: Colouring) -> list[Line2D]:
    """The colours of populations without marks of their own."""
    if chosen.ends:
        return []
    marked = [population_title(name) for name in maps[0].datastore.populations.marked]
    looks: Looks = {"marker": "o", "ls": "", "ms": 3.5}
    pairs = zip(chosen.categories, chosen.gradient, strict=True)
    return [Line2D([], [], color=c, label=n, **looks) for n, c in pairs if n not in marked]


def _bar(figure: Figure, plots: list[Plot], chosen: Colouring, paper: Paper) -> None:
    """The bar of the colours beside the maps, with numbers where they are some."""
    text, size = TEXT[paper.dark], paper.size
    colours = LinearSegmentedColormap.from_list("key", chosen.gradient)
    shown = ScalarMappable(Normalize(*(chosen.limits or (0, 1))), colours)
    aspect = 32 * (len(plots) if paper.width <= STACKED else 1)
    bar: Colorbar = figure.colorbar(shown, ax=plots, pad=0.015, aspect=aspect, fraction=0.06)
    if not chosen.limits:
        bar.set_ticks([0, 1], labels=list(chosen.ends))
    pad = 2 if chosen.limits else -2 * size  # between the words at the ends
    bar.set_label(axis_title(chosen.title), fontsize=size, color=text, labelpad=pad)
    bar.ax.tick_params(colors=text, labelsize=size - 0.5, length=2.5, width=0.6)
    bar.outline.set(edgecolor=text, linewidth=0.6)


def _metadata(datastore: DataStore, state: Any, paper: Paper) -> dict[str, str]:
    """The provenance, for the file's own metadata."""
    info, focus = datastore.store.info, state.selection.focus
    some = "" if focus is None else f"{int(focus.sum()):,} in colour of "
    words = f"{some}{len(datastore):,} galaxies; store {datastore.store.folder.name}, encoded "
    words += f"{info.created}; model {state.model}; drawn {datetime.now(UTC):%Y-%m-%d}"
    told = "Subject" if paper.kind == "pdf" else "Description"
    creator = {"pdf": "Creator", "png": "Software", "svg": "Creator"}[paper.kind]
    return {
        "Title": f"{info.sample}: latent space",
        told: words,
        creator: f"pcvae {version('pcvae')}",
    }
