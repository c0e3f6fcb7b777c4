"""Finder charts: a galaxy with the other galaxies of the sample around it, north up, east left.

Offsets are in arcsec along the great circle from the galaxy (a zenithal equidistant projection).
"""

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes as Plot
from matplotlib.patches import Polygon
from matplotlib.transforms import Affine2D
from numpy.typing import NDArray

from dashboard.backend.datastore import DataStore
from dashboard.backend.stamp_images import scale_bar
from dashboard.components.theme import ACCENT
from dashboard.export.paper import INK, Looks
from dashboard.sky.coordinates import Place

__all__ = ["FinderChart", "Neighbour", "draw_chart", "finder_chart"]

FIELDS = (60.0, 120.0, 180.0, 300.0)  # arcsec, widths of a chart
WANTED = 3  # other galaxies that a field should show, if a field does
MAX_SHOWN = 60  # other galaxies on a chart
NUMBERED = 4  # of them with a number, the nearest
STAMPS = 1.5  # widths of the galaxy's own stamp that a field with other galaxies holds
CORNER = 0.86, 0.1  # of the arrows, in shares of the chart
HEAD = "-|>,head_length=0.25,head_width=0.12"
MARK = ACCENT[False]

ARROW: Looks = {"arrowstyle": HEAD, "lw": 0.8, "color": INK, "shrinkA": 0, "shrinkB": 0}


class Neighbour(NamedTuple):
    """Another galaxy of the sample.

    Args:
        row: Which one.
        separation: Its distance [arcsec].
        position_angle: Its direction, from north to east [deg], in [0, 360).
    """

    row: int
    separation: float
    position_angle: float

    @property
    def offset(self) -> tuple[float, float]:
        """Its offset to the east and to the north [arcsec]."""
        angle = np.deg2rad(self.position_angle)
        return self.separation * float(np.sin(angle)), self.separation * float(np.cos(angle))

    @property
    def reach(self) -> float:
        """Half the width of a field that just holds it [arcsec]."""
        return max(map(abs, self.offset))


class FinderChart(NamedTuple):
    """What a chart of a galaxy shows.

    Args:
        field: Its width [arcsec]; 0 where neither place nor pixel scale is known.
        stamp: The galaxy's image (S, S), dark on white in [0, 1], row 0 at the bottom; or None.
        width: The width of the stamp [arcsec]; 0 where the pixel scale is unknown.
        north: Direction of north on the stamp [rad], counter-clockwise from +x; NaN if unknown.
        placed: Whether the galaxy's place on the sky is known.
        neighbours: The others in the field, nearest first.
        nearest: The nearest other galaxy of the sample, in the field or not; None for none.
    """

    field: float
    stamp: NDArray[np.floating] | None
    width: float
    north: float
    placed: bool
    neighbours: tuple[Neighbour, ...]
    nearest: Neighbour | None

    @property
    def upright(self) -> bool:
        """Whether it is in sky directions; else in those of the stamp."""
        return bool(np.isfinite(self.north)) or self.stamp is None


def finder_chart(datastore: DataStore, row: int) -> FinderChart:
    """The chart of a galaxy, of what the store knows: its stamp, and the sample around it.

    The field is the smallest that shows ``WANTED`` other galaxies; where none does, the smallest
    with as many as the largest shows; the stamp alone where that shows none.
    """
    info, galaxy, stamp = datastore.store.info, datastore.store.galaxies.iloc[row], None
    if (colours := datastore.stamp(row)) is not None:
        stamp = 1 - colours.astype(np.float64).mean(axis=2) / 255
    width = (info.pixel_scale or 0.0) * info.size if stamp is not None else 0.0
    place = Place(float(galaxy["ra"]), float(galaxy["dec"]))
    placed, north = bool(np.isfinite(place).all()), float(galaxy.get("north_angle", np.nan))
    others = _others(datastore, row, place) if placed else []
    if not placed or (stamp is not None and not np.isfinite(north)):
        return FinderChart(width, stamp, width, north, placed, (), next(iter(others), None))
    field = field_of([other.reach for other in others], width)
    inside = [other for other in others if other.reach < field / 2]
    return FinderChart(field, stamp, width, north, placed, tuple(inside), next(iter(others), None))


def field_of(offsets: list[float], stamp: float) -> float:
    """The width of a chart [arcsec].

    Args:
        offsets: The reach of each other galaxy [arcsec].
        stamp: The width of the galaxy's own stamp; 0 for none.

    Example:
        >>> field_of([20, 25, 40, 200], 33), field_of([9000], 33), field_of([9000], 0)
        (120.0, 33, 60.0)
    """
    fields = [field for field in FIELDS if field >= STAMPS * stamp]
    shown = [sum(offset < field / 2 for offset in offsets) for field in fields]
    wanted = min(WANTED, max(shown, default=0))
    if not wanted:
        return stamp or FIELDS[0]
    return next(field for field, count in zip(fields, shown, strict=True) if count >= wanted)


def _others(datastore: DataStore, row: int, place: Place) -> list[Neighbour]:
    from astropy.coordinates import position_angle

    rows, separations = datastore.sky().closest(*place, MAX_SHOWN + 1)
    separations, rows = separations[rows != row], rows[rows != row]
    places = datastore.store.galaxies.iloc[rows][["ra", "dec"]].to_numpy(np.float64)
    angles = position_angle(*np.deg2rad(place), *np.deg2rad(places).T).to_value("deg") % 360
    found = zip(rows.tolist(), separations.tolist(), angles.tolist(), strict=True)
    return [Neighbour(*one) for one in found]


def draw_chart(plot: Plot, chart: FinderChart, size: float = 7) -> None:
    """Draw a chart on square axes.

    Args:
        plot: The axes.
        chart: What it shows.
        size: Of the letters [pt].
    """
    half = chart.field / 2
    plot.set(xticks=[], yticks=[], facecolor="white", aspect="equal")
    if not half:
        words = "no place and no pixel scale: no chart"
        plot.text(0.5, 0.5, words, ha="center", va="center", size=size, transform=plot.transAxes)
        return
    turned = chart.placed and chart.upright
    plot.set(xlim=(half, -half) if turned else (-half, half), ylim=(-half, half))
    if chart.stamp is not None:
        _draw_stamp(plot, chart, chart.stamp, turned=turned)
    _draw_target(plot, half, turned=turned)
    for place, other in enumerate(chart.neighbours, 1):
        spot: Looks = {"xy": other.offset, "xytext": (3, 3), "textcoords": "offset points"}
        plot.plot(*other.offset, "o", ms=6, mfc="none", mec=INK, mew=0.8)
        if place <= NUMBERED:
            plot.annotate(str(place), size=size, color=INK, **spot)
    _draw_scale(plot, chart, size)
    if np.isfinite(chart.north) or turned:
        _draw_compass(plot, np.pi / 2 if turned else chart.north, size)


def _draw_stamp(
    plot: Plot, chart: FinderChart, stamp: NDArray[np.floating], *, turned: bool
) -> None:
    """The galaxy's image, turned so that north is up where that is known."""
    edge = chart.width / 2
    c, s = np.cos(chart.north), np.sin(chart.north)
    turn = Affine2D.from_values(-s, c, c, s, 0, 0) if turned else Affine2D()
    looks: Looks = {"origin": "lower", "cmap": "gray", "vmin": 0.0, "vmax": 1.0, "aspect": "auto"}
    limits = plot.get_xlim(), plot.get_ylim()
    image = plot.imshow(stamp, extent=(-edge, edge, -edge, edge), **looks)
    image.set_transform(turn + plot.transData)
    plot.set(xlim=limits[0], ylim=limits[1], aspect="equal")
    if chart.field > chart.width:
        corners = np.array([(-edge, -edge), (edge, -edge), (edge, edge), (-edge, edge)])
        line: Looks = {"fill": False, "ec": INK, "lw": 0.5, "ls": ":"}
        plot.add_patch(Polygon(turn.transform(corners), **line))


def _draw_target(plot: Plot, half: float, *, turned: bool) -> None:
    """Two bars beside the galaxy, to the east and to the north, as finder charts have them."""
    side = 1 if turned else -1
    for line in ([(0.05, 0.17), (0, 0)], [(0, 0), (0.05, 0.17)]):
        across, up = np.array(line) * half * 2
        plot.plot(side * across, up, color=MARK, lw=1.3, solid_capstyle="butt")


def _draw_scale(plot: Plot, chart: FinderChart, size: float) -> None:
    """A bar of a round angle at the bottom."""
    bar = scale_bar(1.0, max(round(chart.field), 1))
    if bar is None:
        return
    words, share = bar
    looks: Looks = {"transform": plot.transAxes, "color": INK}
    plot.plot([0.05, 0.05 + share], [0.05, 0.05], lw=1.3, solid_capstyle="butt", **looks)
    plot.text(0.05 + share / 2, 0.065, words, ha="center", va="bottom", size=size, **looks)


def _draw_compass(plot: Plot, north: float, size: float) -> None:
    """Arrows to north and east in the lower right corner; east is a quarter turn on."""
    x, y = CORNER
    for name, angle in (("N", north), ("E", north + np.pi / 2)):
        c, s = float(np.cos(angle)), float(np.sin(angle))
        ends: Looks = {
            "xy": (x + 0.1 * c, y + 0.1 * s),
            "xytext": CORNER,
            "xycoords": "axes fraction",
        }
        plot.annotate("", arrowprops=ARROW, **ends)
        looks: Looks = {"transform": plot.transAxes, "ha": "center", "va": "center", "color": INK}
        plot.text(x + 0.14 * c, y + 0.14 * s, name, size=size, **looks)
