"""Time the interactions of a session on a synthetic store of any size.

    python -m dashboard.benchmarks.interactions --galaxies 1000000 --json bench.json

Times are medians in milliseconds of what the server does between an event of the browser and the
models that go back to it; ``first_view`` is taken in Chromium, from opening the page of a warm
server until its first figure rests. More than two million galaxies have no stamps, more than
twenty million five latents (``synthetic_store``). ``open`` is what opening a store takes whose
columns are mapped already, ``pick`` what finds the galaxy under a tap, ``neighbours`` a search for
ten of them, and ``tap`` all that follows a tap until the last worker is done. ``memory`` is what
is resident at the end and ``peak_memory`` what was at most, mapped pages and libraries included.
Figures of ten and of a hundred million have goals, which are printed beside them:

    python -m dashboard.benchmarks.interactions --galaxies 100000000 --folder STORE --only open \
        --only pick --only neighbours --only tap --only pan --only zoom --only lasso --only memory

which takes 8 GB of disk and some minutes to make STORE.
"""

import argparse
import json
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from pcvae.script import run

__all__ = ["main"]

Session: TypeAlias = Any  # an ``Explorer``, which is not imported for ``--help``
ROUNDS = 7
STAMPED = 2_000_000  # galaxies up to which the store has stamps
SOME = 1_000_000  # galaxies by which the size of the lasso is chosen
LASSO = 100_000  # galaxies in the lasso, or a tenth of fewer
LARGE, LARGEST = 10_000_000, 100_000_000  # galaxies from which there are goals
VIEW = {"width": 1280, "height": 800}
FRAME = (690, 400)  # px of the map in such a window
RESTS = """() => window.Bokeh && Bokeh.documents.length > 0
  && Bokeh.documents.every(document => document.is_idle)"""


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--galaxies", type=int, default=1_000_000, help="galaxies of the store")
    add("--folder", type=Path, help="keep the store there, or use the one that is there")
    add("--json", type=Path, help="write the figures there too")
    add("--only", choices=list(STEPS), action="append", help="this alone; may be repeated")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> dict[str, float]:
    """Time the steps, print their figures and return them."""
    from dashboard.benchmarks.synthetic_store import make_store
    from pcvae.store import map_tables, read_store

    args = parse_args(argv)
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.folder or Path(scratch) / "store"
        folder.parent.mkdir(parents=True, exist_ok=True)
        make_store(folder, args.galaxies, stamps=args.galaxies <= STAMPED)
        chosen = args.only or list(STEPS)
        map_tables(read_store(folder))
        figures = {name: STEPS[name](folder) for name in chosen if name in IN_BROWSER}
        inside = [name for name in chosen if name not in IN_BROWSER]
        session = _session(folder) if set(inside) - {"open"} else None
        figures |= {name: STEPS[name](session or folder) for name in inside}
    goals = goals_of(args.galaxies)
    for name, value in figures.items():
        goal = f"   (goal {goals[name]:,.0f})" if name in goals else ""
        print(f"{name:>16} {value:10.1f} {UNITS.get(name, 'ms')}{goal}", flush=True)
    if args.json:
        args.json.write_text(json.dumps({"galaxies": args.galaxies, **figures}, indent=1) + "\n")
    return figures


def first_view(folder: Path) -> float:
    """From opening the page until its first figure rests, in Chromium."""
    from dashboard.benchmarks.screenshot import browser, served

    taken = []
    with served(folder, "--warm") as url, browser() as chromium:
        for _ in range(3):
            page = chromium.new_page(viewport=VIEW)
            page.add_init_script("localStorage.setItem('pcvae-tour', 'seen')")
            begun = time.perf_counter()
            page.goto(url)
            page.wait_for_selector(".bk-Figure", timeout=120_000)
            page.wait_for_function(RESTS, timeout=120_000)
            taken.append(time.perf_counter() - begun)
            page.close()
    return 1000 * statistics.median(taken)


def open_store(session: Session) -> float:
    """From a folder to its tables, as when a server first shows it."""
    from dashboard.app import open_datastore

    begun = time.perf_counter()
    open_datastore(session if isinstance(session, Path) else session.datastore.store.folder)
    return 1000 * (time.perf_counter() - begun)


def pick(session: Session) -> float:
    """The galaxy nearest to a place on the map, with its name and stamp."""
    points = session.map.plane.points
    rows = iter(np.random.default_rng(1).integers(0, len(points), ROUNDS + 1))

    def act() -> None:
        x, y = points.iloc[int(next(rows))]
        session.map.tooltip.show(float(x), float(y))

    return _median(act)


def neighbours(session: Session) -> float:
    """The ten nearest galaxies of one, by the metric that the page begins with."""
    index, state = session.datastore.neighbours, session.state
    rows = iter(np.random.default_rng(2).integers(0, len(session.datastore), ROUNDS + 1))
    return _median(lambda: index.nearest(state.model, int(next(rows)), metric=state.metric))


def tap(session: Session) -> float:
    """A tap on the map: the nearest galaxy on the card, its neighbours below."""
    points = session.map.plane.points
    rows = iter(np.random.default_rng(0).integers(0, len(points), ROUNDS + 1))

    def act() -> None:
        row = int(next(rows))
        session.map.tap.event(x=float(points["x"][row]), y=float(points["y"][row]))

    return _median(act)


def pan(session: Session) -> float:
    """A step of the view to the right."""
    (left, right), (bottom, top) = session.map.plane.limits
    steps = iter(np.linspace(0.01, 0.2, ROUNDS + 1) * (right - left))

    def act() -> None:
        step = next(steps)
        session.map.range.event(x_range=(left + step, right + step), y_range=(bottom, top))

    return _median(act)


def zoom(session: Session) -> float:
    """A turn of the wheel."""
    (left, right), (bottom, top) = session.map.plane.limits
    shares = iter(np.geomspace(0.9, 0.05, ROUNDS + 1))

    def act() -> None:
        share = next(shares)
        across, up = ((start + end) / 2 for start, end in ((left, right), (bottom, top)))
        x, y = share * (right - left) / 2, share * (top - bottom) / 2
        session.map.range.event(x_range=(across - x, across + x), y_range=(up - y, up + y))

    taken = _median(act)
    session.map.axes.zoom = None
    return taken


def lasso(session: Session) -> float:
    """A lasso round a hundred thousand galaxies: selected, counted, drawn."""
    points = session.map.plane.points
    some = points.iloc[:: max(len(points) // SOME, 1)]
    centre, spread = some.median().to_numpy(), some.std().to_numpy()
    distance = np.hypot(*((some - centre) / spread).to_numpy().T)
    wanted = _wanted(len(points)) * len(some) // len(points)
    radius = float(np.partition(distance, wanted)[wanted])
    angle = np.linspace(0, 2 * np.pi, 200)
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    sizes = iter(np.linspace(0.98, 1.02, ROUNDS + 1) * radius)
    taken = _median(
        lambda: session.map.gestures.lasso.event(geometry=centre + circle * spread * next(sizes))
    )
    assert session.state.selection.focus is not None
    session.state.selection.selected = None
    return taken


def colour_density(session: Session) -> float:
    """A change to the density, from another colour."""
    return _coloured(session, "density", "inferred.redshift")


def colour_value(session: Session) -> float:
    """A change to a continuous colour."""
    return _coloured(session, "inferred.log_sfr", "density")


def colour_category(session: Session) -> float:
    """A change to the populations."""
    return _coloured(session, "population", "density")


def memory(_: Session) -> float:
    """What this process holds, in MB."""
    import psutil

    return psutil.Process().memory_info().rss / 2**20


def peak_memory(_: Session) -> float:
    """The most that this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def goals_of(galaxies: int) -> dict[str, float]:
    """The goals of a store of so many galaxies: ms and MB, by step; none for small ones.

    Of a hundred million, 100 bytes a galaxy above the first 500 MB.
    """
    if galaxies >= LARGEST:
        times = {"open": 10_000, "pick": 500, "neighbours": 1000, "pan": 1500, "zoom": 1500}
        return {**times, "lasso": 2000, "memory": 500 + 100 * galaxies / 2**20}
    return {"memory": 1500, "peak_memory": 1500} if galaxies >= LARGE else {}


STEPS: dict[str, Callable[[Session], float]] = {
    "first_view": first_view,
    "open": open_store,
    "pick": pick,
    "neighbours": neighbours,
    "tap": tap,
    "pan": pan,
    "zoom": zoom,
    "lasso": lasso,
    "colour_density": colour_density,
    "colour_value": colour_value,
    "colour_category": colour_category,
    "memory": memory,
    "peak_memory": peak_memory,
}
IN_BROWSER, UNITS = ("first_view",), {"memory": "MB", "peak_memory": "MB"}


def _wanted(total: int) -> int:
    return min(LASSO, total // 10)


def _coloured(session: Session, colour: str, other: str) -> float:
    taken = []
    for _ in range(ROUNDS):
        session.state.colour = other
        begun = time.perf_counter()
        session.state.colour = colour
        taken.append(time.perf_counter() - begun)
    session.state.colour = "density"
    return 1000 * statistics.median(taken)


def _median(act: Callable[[], object]) -> float:
    act()
    taken = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        act()
        taken.append(time.perf_counter() - begun)
    return 1000 * statistics.median(taken)


def _session(folder: Path) -> Any:
    """A session with its page built and all that comes late there."""
    from dashboard.app import Explorer, extend, open_datastore

    extend()
    session = Explorer(open_datastore(folder))
    session.page().get_root()
    session.start()
    session.map.size.event(width=FRAME[0], height=FRAME[1])
    session.datastore.neighbours.index(session.state.model, session.state.metric).result()
    session.datastore.model_jobs.codec(session.state.model).exception()
    return session


if __name__ == "__main__":
    run(main)
