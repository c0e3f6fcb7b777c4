"""Make a sample from galaxies you have: a catalogue with arrays or with FITS cutouts.

    python -m data.ingest IN data/samples/mine --population-column category --rare starburst

IN holds ``catalog.csv`` (or .ecsv, .fits, .vot, .parquet) and either ``images.npz``, FITS files,
or JPEG or PNG pictures; or the array files that the authors of the method published; or Galaxy10's
HDF5 file; or, with ``--image-column``, a HATS or Parquet catalogue. data/README.md says what they
look like. A galaxy that cannot be taken is left out, and ``left_out.csv`` says why. A second call
of the same command goes on where a killed one stopped.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from data.pipeline.batches import Source
from data.pipeline.options import (
    DustOptions,
    add_dust_options,
    add_sample_options,
    pairs,
    words,
)
from pcvae.cutouts import SampleInfo, SampleWriter
from pcvae.errors import SampleError, SettingsError
from pcvae.lock import hold
from pcvae.script import command, run

if TYPE_CHECKING:
    import pandas as pd

    from data.pipeline.dust_correction import DustFacts

__all__ = ["main", "parse_args"]

NOT_SETTINGS = ("output", "overwrite", "workers", "break_lock")


class Pictures(Source, Protocol):
    """Pictures with what is the same for all of them, and the files that they are in."""

    @property
    def files(self) -> Sequence[Path]: ...
    @property
    def bands(self) -> tuple[str, ...]: ...
    @property
    def pixel_scale(self) -> float | None: ...
    @property
    def size(self) -> int: ...
    @property
    def unit(self) -> str: ...


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("input", metavar="IN", type=Path, help="folder with a catalogue and pictures, or a file")
    add_sample_options(parser)
    add("--bands", type=words, help="planes, bluest first: g,r,z; default: as the files say")
    add("--rename-bands", type=pairs, default={}, help="ours=yours: g=decam_g,r=decam_r")
    add("--pixel-scale", type=float, help="arcsec a pixel; states it where the files do not")
    add("--size", type=int, help="pixels on a side; default: the arrays', or 128 for FITS")
    add_dust_options(parser)
    add("--image-column", help="of the images in a HATS or Parquet catalogue")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> Path:
    """Make the sample and return its folder."""
    args = parse_args(argv)
    with hold(args.output, break_lock=args.break_lock):
        return _ingest(args, argv)


def _ingest(args: argparse.Namespace, argv: Sequence[str] | None) -> Path:
    from tqdm import tqdm

    from data.pipeline.batches import measured, read_parts, summarise
    from data.pipeline.checksums import files_digest, table_digest
    from data.pipeline.dust_correction import with_dust

    candidates, source = _open(args)
    bands = _renamed(source.bands, args.rename_bands)
    candidates, dust = with_dust(candidates, bands, source.unit, DustOptions.of(args))
    info = _info(args, candidates, source, dust, command("data.ingest", argv))
    settings = {k: v for k, v in vars(args).items() if k not in NOT_SETTINGS}
    settings |= {"candidates": table_digest(candidates), "pictures": files_digest(source.files)}
    writer = SampleWriter(args.output, info, len(candidates), settings, overwrite=args.overwrite)
    to_do = sum(len(writer.part_rows(number)) for number in writer.missing())
    total = len(candidates)
    with tqdm(total=total, initial=total - to_do, unit="galaxy", desc="ingest") as bar:
        for part in measured(read_parts(source, candidates, writer), info, args.workers):
            writer.write(part.number, part.flux, part.rows, part.left_out)
            bar.update(len(part.rows) + len(part.left_out))
    folder = writer.finish()
    summarise(folder, info)
    return folder


def _open(args: argparse.Namespace) -> "tuple[pd.DataFrame, Pictures]":
    """The catalogue and the pictures that IN holds."""
    from data.published.column_mapping import as_ours, catalog_file, read_candidates
    from data.readers.galaxy10 import galaxy10_file, open_galaxy10
    from data.readers.paper_arrays import check_options, open_published, published_files

    named = args.columns, args.population_column, args.survey
    if files := published_files(args.input):
        check_options(args.bands)
        table, source = open_published(files)
        return as_ours(table, *named, str(args.input)), source
    if file := galaxy10_file(args.input):
        table, pictures = open_galaxy10(file)
        return as_ours(table, *named, str(file)), pictures
    if args.image_column:
        return _columns(args)
    candidates = read_candidates(catalog_file(args.input), *named)
    return candidates, _beside(args, candidates)


def _columns(args: argparse.Namespace) -> "tuple[pd.DataFrame, Pictures]":
    from data.published.column_mapping import as_ours
    from data.readers.parquet_images import ColumnSource, is_hats, read_columns

    place = args.input / "dataset" if is_hats(args.input) else args.input
    named = args.columns, args.population_column, args.survey
    candidates = as_ours(read_columns(place), *named, str(place))
    return candidates, ColumnSource(place, args.image_column, args.bands, args.pixel_scale)


def _beside(args: argparse.Namespace, candidates: "pd.DataFrame") -> "Pictures":
    from data.readers.fits_cutouts import FitsSource, fits_files
    from data.readers.npz_arrays import ArraySource
    from data.readers.picture_files import PictureSource, picture_files

    arrays = args.input / "images.npz"
    if arrays.is_file():
        return ArraySource(arrays, candidates, args.bands, args.pixel_scale)
    for files, source in ((fits_files, FitsSource), (picture_files, PictureSource)):
        if files(args.input):
            return source(args.input, candidates, args.bands, args.pixel_scale)
    msg = (
        f"expected images.npz, FITS files, or JPEG or PNG pictures beside the catalogue in "
        f"{args.input}, found none"
    )
    raise SampleError(f"{msg}. data/README.md says what they look like")


def _info(
    args: argparse.Namespace,
    candidates: "pd.DataFrame",
    source: "Pictures",
    dust: "DustFacts",
    made_by: str,
) -> SampleInfo:
    from data.published.column_mapping import named

    if args.size is not None and args.size < 8:
        msg = f"--size must be at least 8 px, found {args.size}"
        raise SettingsError(msg)
    if args.pixel_scale is not None and not args.pixel_scale > 0:
        msg = f"--pixel-scale must be positive, found {args.pixel_scale}"
        raise SettingsError(msg)
    what = "colour pictures" if source.unit == "stretched" else "cutouts"
    return SampleInfo(
        name=args.name or args.output.name,
        source=f"Ingested from {args.input.resolve().name}: a catalogue and {what}.",
        bands=_renamed(source.bands, args.rename_bands),
        pixel_scale=args.pixel_scale or source.pixel_scale,
        size=args.size or source.size,
        unit=source.unit,
        rare=named(candidates["population"], _rare(args, candidates), "--rare"),
        hard_negative=named(candidates["population"], args.hard_negative, "--hard-negative"),
        dust=dust.dust,
        extinction=dust.extinction,
        command=made_by,
    )


def _renamed(bands: tuple[str, ...], names: Mapping[str, str]) -> tuple[str, ...]:
    """The bands, those that ``--rename-bands`` names under our names."""
    ours = {theirs: name for name, theirs in names.items()}
    if absent := [band for band in ours if band not in bands]:
        msg = f"--rename-bands names {absent[0]!r}, the bands are {', '.join(bands)}"
        raise SettingsError(msg)
    return tuple(ours.get(band, band) for band in bands)


def _rare(args: argparse.Namespace, candidates: "pd.DataFrame") -> tuple[str, ...]:
    """What the option says; for the published arrays, their two rare populations."""
    if args.rare is not None:
        return args.rare
    from data.readers.paper_arrays import published_files

    known = {"red_spiral", "green_pea"} if published_files(args.input) else set()
    return tuple(sorted(known & set(candidates["population"])))


if __name__ == "__main__":
    run(main)
