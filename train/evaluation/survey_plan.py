"""What 20 billion galaxies cost: arithmetic on what ``train.bench`` has measured.

Reads the figures of ``--only bricks`` and ``--only growth``; writes tables in Markdown, each of
which says what is measured and what is extrapolated or assumed.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pcvae.errors import SettingsError

__all__ = ["MEMORY", "Point", "Slope", "counts_of", "growth", "plan", "slope"]

GALAXIES = 20e9  # that Rubin will see, as the paper says
AREA = 18_000  # deg^2 of Rubin's main survey; Ivezic et al. 2019, arXiv:0805.2366
BRICKS = 16  # of 0.25 deg, a square degree
PIXEL, CUTOUT = 0.262, 128  # arcsec; px on a side
TO_24, COUNT_SLOPE = 25.0, 0.42  # data.simulate's counts: a square arcmin to r = 24, and slope
CORES = 1_000
BANDWIDTH = 2e9  # bytes a second that all cores together read and write: a shared file system
PASSES = 8  # over the galaxies: parts and tables are written and read, rows are mapped, ...
GPU = 10e12  # operations a second that small convolutions sustain on a data centre's GPU
LINK = 20e9  # bytes a second from memory to a GPU, PCIe 4.0
IMAGE = 4 * 3 * (64 * 64 + 16 * 16)  # bytes of a network's image and its core, single precision
ROW = 4 * (2 * 5 + 1) + 8 * 3 + 16  # bytes: 5 latents, sigmas, an error; the place; an id
MEMORY = 24e9  # bytes of one computer
TASK = 1e-3  # s of Dask's scheduler a task; docs.dask.org, "Best Practices"
PART = 8_192  # galaxies a part on disk
PARTITION = 250_000  # and a partition of the catalogue
EXTRAPOLATED = (10**7, 10**8)
DENSITY = 69_000  # galaxies a brick in the figures
STEPS = {  # of the plan: what the bench calls its parts
    "read: decompress bricks": ("decompress",),
    "cut: find, stretch, slice": ("find", "stretch_and_pool", "slice"),
    "encode": ("encode",),
    "write parts": ("write",),
}
Figures = Mapping[str, Mapping[str, float]]


class Point(NamedTuple):
    """What so many galaxies took: CPU seconds of both steps, and peak memory [bytes]."""

    galaxies: int
    encode: float
    indexing: float
    peak: float


class Slope(NamedTuple):
    """What each further galaxy takes: CPU seconds of both steps, and memory [bytes]."""

    encode: float
    indexing: float
    peak: float


def counts_of(figures: Mapping[str, float]) -> list[int]:
    """The numbers of galaxies that the growth was measured for, rising."""
    name = "index_peak_bytes_at_"
    return sorted(int(key.removeprefix(name)) for key in figures if key.startswith(name))


def growth(figures: Mapping[str, float]) -> list[Point]:
    """What was measured, by number of galaxies.

    Raises:
        SettingsError: The growth was measured for fewer than two numbers of galaxies.
    """
    points = [
        Point(
            count,
            figures[f"encode_cpu_seconds_at_{count}"],
            figures[f"index_cpu_seconds_at_{count}"],
            figures[f"index_peak_bytes_at_{count}"],
        )
        for count in counts_of(figures)
    ]
    if len(points) < 2:
        msg = "expected the growth for two numbers of galaxies at least: measure it by "
        raise SettingsError(f"{msg}python -m train.bench --only bricks --only growth --json FILE")
    return points


def slope(points: Sequence[Point]) -> Slope:
    """The growth between the two largest numbers of galaxies."""
    few, many = points[-2:]
    more = many.galaxies - few.galaxies
    return Slope(*((b - a) / more for a, b in zip(few[1:], many[1:], strict=True)))


def plan(figures: Figures) -> str:
    """All tables.

    Raises:
        SettingsError: A figure is missing.
    """
    try:
        tables = [
            _sky(),
            *(_steps(figures, recipe) for recipe in ("paper", "default")),
            _bytes(figures),
            _gpu(figures),
            _limits(figures),
            _growth(figures),
        ]
    except KeyError as error:
        msg = f"expected the figure {error} of train.bench, found none: measure it by "
        command = "python -m train.bench --only bricks --only growth --json FILE"
        raise SettingsError(f"{msg}{command}") from error
    return "\n\n".join(tables)


def _sky() -> str:
    degree = GALAXIES / AREA
    arcmin = degree / 3600
    faintest = 24 + math.log10(arcmin / TO_24) / COUNT_SLOPE
    pixels = (0.25 * 3600 / PIXEL) ** 2
    rows = [
        ("galaxies a square degree", _short(degree),
         f"{GALAXIES / 1e9:.0f} billion on {AREA:,} deg², assumed"),
        ("galaxies a square arcmin", _short(arcmin), f"as many as brighter than r = {faintest:.1f}"
         " by the counts of `data.simulate`"),
        ("galaxies a brick of 0.25°", f"{degree / BRICKS:,.0f}", f"measured with {DENSITY:,}"),
        ("bricks", f"{AREA * BRICKS:,}", "without their overlaps"),
        ("cutouts in which a pixel lies", f"{degree / BRICKS * CUTOUT**2 / pixels:.0f}",
         f"of {CUTOUT} px of {PIXEL}″"),
    ]  # fmt: skip
    return _table(("the sky", "", "from"), rows)


def _steps(figures: Figures, recipe: str) -> str:
    """CPU-hours of each step of a recipe, and of all."""
    bricks = figures["bricks"]
    spent = {
        step: sum(bricks[f"{recipe}_at_{DENSITY}_{part}_us"] for part in parts)
        for step, parts in STEPS.items()
    }
    whole = bricks[f"{recipe}_at_{DENSITY}_all_in_us"]
    dust = bricks[f"{recipe}_at_{DENSITY}_all_in_with_dust_undone_us"] - whole
    index = 1e6 * slope(growth(figures["growth"])).indexing
    rows = [_step(step, time, "measured on one brick") for step, time in spent.items()]
    rest = whole - sum(spent.values())
    rows += [
        _step("catalogue and joining: the whole without the parts", rest, "measured on one brick"),
        _step("index: HATS catalogue", index, "measured, 10⁵ to 10⁶ galaxies, 5 latents"),
        _step("**all**", whole + index, "sum"),
        _step("dust undone by galaxy, in addition", dust, "measured on one brick"),
    ]
    hours = (whole + index) * 1e-6 * GALAXIES / CORES / 3600
    rows.append((f"hours of {CORES:,} cores", "", f"{hours:.1f} h", "if none waits for disks"))
    return _table((f"`{recipe}`", "µs a galaxy", "CPU-hours", "from"), rows)


def _step(name: str, microseconds: float, source: str) -> tuple[str, str, str, str]:
    hours = microseconds * 1e-6 * GALAXIES / 3600
    return name, f"{microseconds:.1f}", f"{hours:,.0f}", source


def _bytes(figures: Figures) -> str:
    found = figures["growth"]
    many = counts_of(found)[-1]
    brick, packed = found["brick_bytes"], found[f"catalogue_bytes_at_{many}"] / many
    read, kept = brick * AREA * BRICKS, ROW * GALAXIES
    passes = PASSES * kept
    rows = [
        ("read: bricks of 3 bands, each once", f"{brick / 1e6:.0f} MB a brick", _bulk(read),
         "measured on noise (RICE)"),
        ("catalogue: 5 latents, sigmas, place, id", f"{ROW} a galaxy", _bulk(kept),
         f"counted; {packed:.0f} measured, of an untrained network, whose latents compress"),
        ("written and read between", f"{PASSES} passes", _bulk(passes), "counted"),
        ("cutouts on disk, were there any", f"{4 * 3 * CUTOUT**2:,} a galaxy",
         _bulk(4 * 3 * CUTOUT**2 * GALAXIES), "counted: what bricks save"),
        (f"hours at {BANDWIDTH / 1e9:.0f} GB/s", "", f"{(read + passes) / BANDWIDTH / 3600:.1f} h",
         "assumed of a shared file system"),
    ]  # fmt: skip
    return _table(("bytes moved", "each", "20 billion", "from"), rows)


def _gpu(figures: Figures) -> str:
    flops = figures["growth"]["encoder_flops"]
    compute, link = flops * GALAXIES / GPU / 3600, IMAGE * GALAXIES / LINK / 3600
    cut = sum(figures["bricks"][f"paper_at_{DENSITY}_{part}_us"] for part in STEPS[
        "cut: find, stretch, slice"]) * 1e-6  # fmt: skip
    rows = [
        ("operations of the encoder", f"{flops / 1e6:.1f} million a galaxy", "counted"),
        (f"GPU-hours at {GPU / 1e12:.0f} TFLOP/s", f"{compute:.1f}", "assumed rate"),
        (f"GPU-hours to bring the images over at {LINK / 1e9:.0f} GB/s", f"{link:.1f}",
         f"{IMAGE:,} bytes each; assumed rate"),
        ("cores that cut as fast as one GPU takes images", f"{cut * LINK / IMAGE:.0f}",
         "measured µs, assumed rate"),
    ]  # fmt: skip
    return _table(("a GPU for `paper`'s encoder", "", "from"), rows)


def _limits(figures: Figures) -> str:
    """What breaks at which number of galaxies, the first one first."""
    points = growth(figures["growth"])
    each, last = slope(points).peak, points[-1]
    fits = last.galaxies + (MEMORY - last.peak) / each
    tasks = AREA * BRICKS
    rows = [
        (f"memory of the calling process, {each:,.0f} bytes a galaxy", f"{_short(fits)} galaxies",
         f"{MEMORY / 1e9:.0f} GB are full: encode the sky in {GALAXIES / fits:,.0f} regions, a "
         "catalogue each; slope measured, extrapolated"),
        ("files of parts in one folder", f"{_short(GALAXIES / PART)} files", f"{PART:,} galaxies "
         "each; a region has fewer; counted"),
        ("Dask's scheduler, a task a brick", f"{tasks * TASK / 60:.0f} min for {tasks:,} tasks",
         "does not break; rate by Dask's documents"),
        ("partitions of the catalogue", f"{GALAXIES / PARTITION:,.0f} files",
         f"{PARTITION:,} galaxies each; does not break; counted"),
    ]  # fmt: skip
    return _table(("what breaks first", "at", "what to do; from"), rows)


def _growth(figures: Figures) -> str:
    points = growth(figures["growth"])
    each, last = slope(points), points[-1]
    rows = [_grown(point, "measured") for point in points]
    for count in EXTRAPOLATED:
        more = [a + (count - last.galaxies) * b for a, b in zip(last[1:], each, strict=True)]
        rows.append(_grown(Point(count, *more), "extrapolated from the last two"))
    head = ("galaxies", "encode, CPU s", "index, CPU s", "peak memory, GB", "")
    return _table(head, rows)


def _grown(point: Point, source: str) -> tuple[str, ...]:
    seconds = f"{point.encode:,.1f}", f"{point.indexing:,.1f}"
    return f"{point.galaxies:,}", *seconds, f"{point.peak / 1e9:.2f}", source


def _bulk(size: float) -> str:
    return f"{size / 1e15:.2f} PB" if size >= 1e15 else f"{size / 1e12:.2f} TB"


def _short(number: float) -> str:
    return f"{number:,.0f}" if number < 1e5 else f"{number / 1e6:,.3g} million"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
