"""Make a sample of simulated galaxies whose truth is known.

    python -m data.simulate data/samples/demo --galaxies 2000 --red-spirals 294 --green-peas 13

Spectra come from real SDSS galaxies, images from GalSim, with the seeing, noise and neighbours of
the survey. The same seed gives the same sample, whatever the number of workers. A second call of
the same command goes on where a killed one stopped.
"""

import argparse
from collections.abc import Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.pipeline.options import words
from data.simulation.survey import SURVEYS, Survey
from pcvae.cutouts import SampleInfo, SampleWriter
from pcvae.dust import extinction_of
from pcvae.errors import SettingsError
from pcvae.lock import BREAK_LOCK, hold
from pcvae.script import command, run

if TYPE_CHECKING:
    from data.simulation.image_simulator import StampMaker, StampSettings

__all__ = ["main", "parse_args"]

NOT_SETTINGS = ("output", "overwrite", "workers", "break_lock")
RARE = ("red_spiral", "green_pea")
HARD_NEGATIVES = ("blue_compact", "point_source", "dusty_spiral")
SMALLEST = 32  # px


class Part(NamedTuple):
    """A part of the sample: its cutouts (n, C, S, S), rows, and seconds of processor time."""

    number: int
    flux: NDArray[np.float32]
    rows: pd.DataFrame
    render_seconds: float
    measure_seconds: float


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; the defaults make the demo's sample."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("output", metavar="OUT", type=Path, help="sample to make; must not exist")
    add("--galaxies", type=int, default=2000, help="ordinary galaxies")
    add("--red-spirals", type=int, default=294, help="passive face-on discs, rare")
    add("--green-peas", type=int, default=13, help="compact bursts with strong [O III], rare")
    add("--hard-negatives", type=int, default=100, help="of each kind that resembles a rare one")
    add("--seed", type=int, default=0, help="decides all, with the options above and below")
    add("--workers", type=int, default=1, help="processes; they do not change the sample")
    add("--survey", choices=sorted(SURVEYS), default="decals", help="whose sky and selection")
    add("--bands", type=words, help="planes, bluest first: g,r,z; default: the survey's")
    add("--pixel-scale", type=float, help="arcsec a pixel; default: the survey's")
    add("--size", type=int, default=128, help="pixels on a side")
    add("--colour", action="store_true", help="8-bit pictures as SkyServer's, of three bands")
    add(
        "--dust",
        action="store_true",
        help="redden by the Milky Way's dust, and correct as a map that errs would",
    )
    add("--name", help="of the sample; default: the name of OUT")
    add("--overwrite", action="store_true", help="replace OUT, finished or not")
    add("--break-lock", action="store_true", help=BREAK_LOCK)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> Path:
    """Make the sample and return its folder."""
    args = parse_args(argv)
    _check(args)
    with hold(args.output, break_lock=args.break_lock):
        return _simulate(args, argv)


def _simulate(args: argparse.Namespace, argv: Sequence[str] | None) -> Path:
    info, populations = _info(args, command("data.simulate", argv)), _populations(args)
    settings = {k: v for k, v in vars(args).items() if k not in NOT_SETTINGS}
    writer = SampleWriter(args.output, info, len(populations), settings, overwrite=args.overwrite)
    parts = writer.missing()
    to_do = sum(len(writer.part_rows(number)) for number in parts)
    begun, render, measure = perf_counter(), 0.0, 0.0
    from tqdm import tqdm

    total = len(populations)
    with tqdm(total=total, initial=total - to_do, unit="galaxy", desc="simulate") as bar:
        for part in _made(args, writer, parts, populations):
            writer.write(part.number, part.flux, part.rows)
            render, measure = render + part.render_seconds, measure + part.measure_seconds
            bar.update(len(part.rows))
    folder = writer.finish()
    print(f"{folder}: {total} galaxies in {perf_counter() - begun:.1f} s")
    if to_do:
        each = (
            f"{1e3 * render / to_do:.1f} ms to render, {1e3 * measure / to_do:.1f} ms to measure"
        )
        print(f"  a galaxy and core: {each}")
    print(f"next: python -m train.train {folder} data/runs/{info.name}-physics --model physics")
    return folder


def _check(args: argparse.Namespace) -> None:
    if args.dust and args.colour:
        msg = "display pictures cannot be corrected for dust: give --dust or --colour, not both"
        raise SettingsError(msg)
    least = {"size": SMALLEST, "seed": 0, "workers": 1}
    for name, value in least.items():
        if getattr(args, name) < value:
            msg = f"expected --{name} of at least {value}, found {getattr(args, name)}"
            raise SettingsError(msg)


def _populations(args: argparse.Namespace) -> list[str]:
    counts = {"field": args.galaxies, "red_spiral": args.red_spirals, "green_pea": args.green_peas}
    counts |= dict.fromkeys(HARD_NEGATIVES, args.hard_negatives)
    if min(counts.values()) < 0 or not sum(counts.values()):
        msg = f"expected counts of galaxies of 0 and more, not all 0, found {counts}"
        raise SettingsError(msg)
    return [name for name, count in counts.items() for _ in range(count)]


def _info(args: argparse.Namespace, made_by: str) -> SampleInfo:
    survey = SURVEYS[args.survey]
    bands = args.bands or survey.bands
    scale = args.pixel_scale or survey.pixel_scale
    sharpest = min(band.fwhm for band in survey.choose(bands))
    if not 0 < scale <= sharpest / 2:
        msg = (
            f"expected --pixel-scale above 0 and, to sample a seeing of {sharpest} arcsec, up to "
            f"{sharpest / 2:.2f}, found {scale}"
        )
        raise SettingsError(msg)
    if args.colour and len(bands) != 3:
        msg = f"expected three --bands for --colour, found {' '.join(bands)}"
        raise SettingsError(msg)
    return SampleInfo(
        name=args.name or args.output.name,
        source=(
            f"Simulated galaxies as {args.survey.upper()} would see them: spectra of real SDSS "
            f"galaxies (kcorrect), images by GalSim."
        ),
        bands=bands,
        pixel_scale=scale,
        size=args.size,
        unit="stretched" if args.colour else "nanomaggy",
        rare=RARE,
        hard_negative=HARD_NEGATIVES,
        **_dust(args, survey, bands),
        command=made_by,
    )


def _dust(args: argparse.Namespace, survey: Survey, bands: Sequence[str]) -> dict[str, Any]:
    """What the sample says of dust: there is none, or it was corrected; with coefficients."""
    if args.colour:
        return {}
    extinction = extinction_of(bands, survey.camera) if args.dust else {}
    return {"dust": "corrected", "extinction": extinction}


def _made(
    args: argparse.Namespace, writer: SampleWriter, parts: list[int], populations: list[str]
) -> Iterator[Part]:
    from data.pipeline.process_pool import ordered_map
    from data.simulation.image_simulator import StampSettings

    info = writer.info
    settings = StampSettings(
        survey=args.survey,
        bands=info.bands,
        pixel_scale=info.pixel_scale or 0.0,
        size=info.size,
        seed=args.seed,
        dust=args.dust,
    )
    tasks = [(part, [(row, populations[row]) for row in writer.part_rows(part)]) for part in parts]
    make = partial(_make_part, settings=settings, unit=info.unit)
    return ordered_map(make, tasks, args.workers)


def _make_part(
    task: tuple[int, list[tuple[int, str]]], settings: "StampSettings", unit: str
) -> Part:
    from threadpoolctl import threadpool_limits

    from pcvae.orientation import measure_block

    number, rows = task
    # A worker is a core: more threads would get in each other's way, and round differently.
    with threadpool_limits(1):
        maker = _maker(settings)
        begun = process_time()
        stamps = [maker.make(row, population) for row, population in rows]
        flux = np.stack([stamp.flux for stamp in stamps])
        if unit == "stretched":
            flux = _coloured(flux, maker)
        rendered = process_time()
        measured = measure_block(flux, settings.bands, unit)
    table = pd.concat([pd.DataFrame([stamp.row for stamp in stamps]), measured], axis=1)
    return Part(number, flux, table, rendered - begun, process_time() - rendered)


@cache
def _maker(settings: "StampSettings") -> "StampMaker":
    """One a process: its tables take half a second to make."""
    from data.simulation.image_simulator import StampMaker

    return StampMaker(settings)


def _coloured(flux: NDArray[np.float32], maker: "StampMaker") -> NDArray[np.float32]:
    from data.simulation.sdss_colour_image import sky_server_colour

    area = (maker.settings.pixel_scale / maker.survey.native_scale) ** 2
    return np.stack([sky_server_colour(image.astype(np.float64), area) for image in flux])


if __name__ == "__main__":
    run(main)
