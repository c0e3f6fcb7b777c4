"""Make a sample of a catalogue's galaxies from the Legacy Surveys, by their service or from disk.

    python -m data.cutouts data/downloads/paper data/samples/paper --at-once 8

The catalogue has at least ``id``, ``ra`` and ``dec``; ``python -m data.catalogs`` makes one. With
``--bricks FOLDER`` the cutouts come from coadded bricks on disk and nothing is asked of a server.
What cannot be taken is left out, and ``left_out.csv`` says why. A killed call goes on where it was
when called again in the same way: what has been fetched is not asked for again.
"""

import argparse
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from data.pipeline.options import DustOptions, add_dust_options, add_sample_options, words
from data.services.legacy_surveys import BASE_URL, LAYER, PAPER_SIZE, PIXEL_SCALE, CutoutRequest
from pcvae.cutouts import PART, SampleInfo, SampleWriter
from pcvae.errors import SampleError, SettingsError
from pcvae.folders import partial_folder
from pcvae.lock import hold
from pcvae.script import command, run

if TYPE_CHECKING:
    from tqdm import tqdm

    from data.pipeline.batches import Part, Source
    from data.pipeline.dust_correction import DustFacts

__all__ = ["main", "parse_args"]

AT_ONCE = 8  # requests; what the public service is asked for at most
RARE = ("red_spiral", "green_pea")
NOT_SETTINGS = (
    *("output", "overwrite", "workers", "cache", "break_lock"),
    *("at_once", "timeout", "tries", "back_off", "contact"),
)
PRELOAD = ("data.services.cutout_queue", "photutils.background", "photutils.segmentation")
USUAL_ANSWER = 0.5  # s, of the public service; a guess until the first answers are there


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("catalog", metavar="CATALOG", type=Path, help="table, or folder with catalog.*, or HATS")
    add_sample_options(parser)
    add_dust_options(parser)
    add("--layer", default=LAYER, help=f"survey and release; default: {LAYER}, DECaLS alone")
    add("--bands", type=words, default=("g", "r", "z"), help="planes, bluest first: g,r,z")
    add("--size", type=int, default=PAPER_SIZE, help="pixels on a side")
    add("--pixel-scale", type=float, default=PIXEL_SCALE, help="arcsec a pixel")
    add("--base-url", default=BASE_URL, help="the service, or a mirror of it")
    add("--bricks", type=Path, help="folder of coadds on disk, which are cut instead")
    add("--at-once", type=int, default=AT_ONCE, help=f"requests at a time; public: {AT_ONCE}")
    add("--timeout", type=float, default=30.0, help="seconds without a byte that end a try")
    add("--tries", type=int, default=6, help="how often a galaxy is asked for")
    add("--back-off", type=float, default=1.0, help="seconds before the second try, then double")
    add("--contact", default="", help="your e-mail address, for the service's keepers")
    add("--cache", type=Path, help="folder that keeps the answers, for other samples")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> Path:
    """Make the sample and return its folder."""
    args = parse_args(argv)
    _check(args)
    with hold(args.output, break_lock=args.break_lock):
        return _make(args, argv)


def _make(args: argparse.Namespace, argv: Sequence[str] | None) -> Path:
    from tqdm import tqdm

    from data.pipeline.batches import summarise
    from data.pipeline.dust_correction import with_dust
    from data.published.column_mapping import read_candidates

    candidates = read_candidates(args.catalog, args.columns, args.population_column, args.survey)
    candidates, dust = with_dust(candidates, args.bands, "nanomaggy", DustOptions.of(args))
    source = None
    if args.bricks:
        from data.readers.legacy_bricks import BrickSource, by_brick

        candidates = by_brick(candidates, args.bricks)
        source = BrickSource(args.bricks, candidates, args.bands)
    pictures = source.files if source else ()
    writer = _writer(args, candidates, pictures, dust, command("data.cutouts", argv))
    to_do = sum(len(writer.part_rows(number)) for number in writer.missing())
    total = len(candidates)
    with tqdm(total=total, initial=total - to_do, unit="galaxy", smoothing=0.05) as bar:
        if source:
            _cut(args, source, candidates, writer, bar)
        else:
            _fetch(args, candidates, writer, bar)
    folder = writer.finish()
    summarise(folder, writer.info)
    return folder


def _check(args: argparse.Namespace) -> None:
    public = args.base_url.rstrip("/") == BASE_URL
    if args.at_once < 1 or (public and args.at_once > AT_ONCE):
        msg = f"--at-once is 1 to {AT_ONCE} for the public service, found {args.at_once}"
        raise SettingsError(f"{msg}. A mirror of your own, --base-url, may be asked more")
    for name in ("timeout", "back_off", "pixel_scale"):
        if not getattr(args, name) > 0:
            msg = f"--{name.replace('_', '-')} must be positive, found {getattr(args, name)}"
            raise SettingsError(msg)
    for name, least in (("tries", 1), ("size", 8)):
        if getattr(args, name) < least:
            msg = f"--{name} must be at least {least}, found {getattr(args, name)}"
            raise SettingsError(msg)


def _wanted(args: argparse.Namespace) -> CutoutRequest:
    return CutoutRequest(args.layer, args.bands, args.size, args.pixel_scale)


def _writer(
    args: argparse.Namespace,
    candidates: pd.DataFrame,
    pictures: Sequence[Path],
    dust: "DustFacts",
    made_by: str,
) -> SampleWriter:
    from data.pipeline.checksums import files_digest, table_digest
    from data.published.column_mapping import named

    rare = args.rare
    if rare is None:
        rare = tuple(name for name in RARE if (candidates["population"] == name).any())
    origin = f"from {args.base_url}"
    if args.bricks:
        origin = f"cut from the bricks in {args.bricks.resolve().name}"
    info = SampleInfo(
        name=args.name or args.output.name,
        source=f"Legacy Surveys coadds, layer {args.layer}, {origin}.",
        bands=args.bands,
        pixel_scale=args.pixel_scale,
        size=args.size,
        rare=named(candidates["population"], rare, "--rare"),
        hard_negative=named(candidates["population"], args.hard_negative, "--hard-negative"),
        dust=dust.dust,
        extinction=dust.extinction,
        command=made_by,
    )
    settings = {k: v for k, v in vars(args).items() if k not in NOT_SETTINGS}
    settings |= {"candidates": table_digest(candidates), "pictures": files_digest(pictures)}
    settings["rare"] = rare
    if not args.bricks:
        _wanted(args)
    return SampleWriter(args.output, info, len(candidates), settings, overwrite=args.overwrite)


def _fetch(
    args: argparse.Namespace, candidates: pd.DataFrame, writer: SampleWriter, bar: "tqdm[None]"
) -> None:
    from data.pipeline.process_pool import ordered_map
    from data.services.cutout_queue import Downloads, measure_fetched
    from data.services.http_client import Client, RetryPolicy

    wanted = _wanted(args)
    folder = partial_folder(args.output) / "fetched"
    folder.mkdir(exist_ok=True)
    _estimate(args, wanted, bar)
    with Client(RetryPolicy(args.timeout, args.tries, args.back_off, args.contact)) as client:
        downloads = Downloads(client, args.base_url, wanted, folder, args.cache)
        fetched = downloads.parts(writer, candidates, args.at_once, bar.update)
        look = partial(measure_fetched, wanted=wanted, info=writer.info)
        for part in ordered_map(look, fetched, args.workers, PRELOAD):
            _write(part, writer, args.layer)
            downloads.forget(writer.part_rows(part.number))
    shutil.rmtree(folder)


def _cut(
    args: argparse.Namespace,
    source: "Source",
    candidates: pd.DataFrame,
    writer: SampleWriter,
    bar: "tqdm[None]",
) -> None:
    from data.pipeline.batches import measured, read_parts

    for part in measured(read_parts(source, candidates, writer), writer.info, args.workers):
        _write(part, writer, args.layer)
        bar.update(len(part.rows) + len(part.left_out))


def _write(part: "Part", writer: SampleWriter, layer: str) -> None:
    writer.write(part.number, part.flux, part.rows.assign(layer=layer), part.left_out)


def _estimate(args: argparse.Namespace, wanted: CutoutRequest, bar: "tqdm[None]") -> None:
    """Print the size and duration of the download; refuse it if the disk is too small.

    Raises:
        SampleError: The disk has too little room.
    """
    galaxies = int(bar.total - bar.n)
    fetched = galaxies * wanted.file_bytes
    seconds = galaxies * USUAL_ANSWER / args.at_once
    # The fetched files of a few parts, or all if they are kept, lie beside the pixels.
    kept = fetched if args.cache else min(fetched, 16 * PART * wanted.file_bytes)
    needed = 2 * kept if args.cache else fetched + kept
    free = shutil.disk_usage(args.output.parent).free
    bar.write(
        f"{galaxies} cutouts of {wanted.file_bytes / 1e3:.0f} kB, {fetched / 1e9:.2f} GB in all, "
        f"{args.at_once} at once; about {seconds / 60:.0f} min if an answer takes "
        f"{USUAL_ANSWER} s; {needed / 1e9:.2f} of {free / 1e9:.0f} GB free are needed"
    )
    if needed > free:
        msg = f"expected {needed / 1e9:.2f} GB of room for {args.output}, found {free / 1e9:.2f}"
        raise SampleError(f"{msg}. Make room, or choose another place")


if __name__ == "__main__":
    run(main)
