"""Make a sample from galaxies you have: a catalogue with arrays or with FITS cutouts.

    python -m data.ingest IN data/samples/mine --population-column category --rare starburst

IN holds ``catalog.csv`` (or .ecsv, .fits, .vot, .parquet) and either ``images.npz`` or FITS files;
data/README.md says what they look like. A galaxy that cannot be taken is left out, and
``left_out.csv`` says why. A second call of the same command goes on where a killed one stopped.
"""

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pcvae.cutouts import SampleInfo, SampleWriter
from pcvae.errors import SampleError, SettingsError
from train.cli import command, run

if TYPE_CHECKING:
    from data.arrays import ArraySource
    from data.fits_cutouts import FitsSource

__all__ = ["main", "parse_args"]

NOT_SETTINGS = ("output", "overwrite", "workers")


class Part(NamedTuple):
    """A part of the sample: cutouts (n, C, S, S), their rows, and those that are left out."""

    number: int
    flux: NDArray[np.float32]
    rows: pd.DataFrame
    left_out: pd.DataFrame


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("input", metavar="IN", type=Path, help="folder with a catalogue and pictures")
    add("output", metavar="OUT", type=Path, help="sample to make; must not exist")
    add("--bands", type=_words, help="planes, bluest first: g,r,z; default: as the files say")
    add("--pixel-scale", type=float, help="arcsec a pixel; states it where the files do not")
    add("--size", type=int, help="pixels on a side; default: the arrays', or 128 for FITS")
    add("--name", help="of the sample; default: the name of OUT")
    add("--survey", help="for galaxies whose row does not say")
    add("--columns", type=_pairs, default={}, help="ours=yours: log_mass=lgm_tot_p50,ra=RA")
    add("--population-column", help="column of the populations; default: all are 'field'")
    add("--rare", type=_words, default=(), help="populations looked for, which never train")
    add("--hard-negative", type=_words, default=(), help="populations like them; never train")
    add("--workers", type=int, default=1, help="processes that measure")
    add("--overwrite", action="store_true", help="replace OUT, finished or not")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> Path:
    """Make the sample and return its folder."""
    args = parse_args(argv)
    from tqdm import tqdm

    from data.candidates import catalog_file, read_candidates

    table = catalog_file(args.input)
    candidates = read_candidates(table, args.columns, args.population_column, args.survey)
    source = _source(args, candidates)
    info = _info(args, candidates, source, command("data.ingest", argv))
    settings = {k: v for k, v in vars(args).items() if k not in NOT_SETTINGS}
    settings |= {"candidates": str(pd.util.hash_pandas_object(candidates).sum())}
    writer = SampleWriter(args.output, info, len(candidates), settings, overwrite=args.overwrite)
    to_do = sum(len(writer.part_rows(number)) for number in writer.missing())
    total = len(candidates)
    with tqdm(total=total, initial=total - to_do, unit="galaxy", desc="ingest") as bar:
        for part in _measured(_read(source, candidates, writer), info, args.workers):
            writer.write(part.number, part.flux, part.rows, part.left_out)
            bar.update(len(part.rows) + len(part.left_out))
    folder = writer.finish()
    _summarise(folder, info)
    return folder


def _source(args: argparse.Namespace, candidates: pd.DataFrame) -> "ArraySource | FitsSource":
    from data.arrays import ArraySource
    from data.fits_cutouts import FitsSource, fits_files

    arrays = args.input / "images.npz"
    if arrays.is_file():
        return ArraySource(arrays, candidates, args.bands, args.pixel_scale)
    if fits_files(args.input):
        return FitsSource(args.input, candidates, args.bands, args.pixel_scale)
    msg = f"expected images.npz or FITS files beside the catalogue in {args.input}, found neither"
    raise SampleError(f"{msg}. data/README.md says what they look like")


def _info(
    args: argparse.Namespace,
    candidates: pd.DataFrame,
    source: "ArraySource | FitsSource",
    made_by: str,
) -> SampleInfo:
    from data.candidates import named

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
        bands=source.bands,
        pixel_scale=source.pixel_scale,
        size=args.size or source.size,
        unit=source.unit,
        rare=named(candidates["population"], args.rare, "--rare"),
        hard_negative=named(candidates["population"], args.hard_negative, "--hard-negative"),
        command=made_by,
    )


def _read(
    source: "ArraySource | FitsSource", candidates: pd.DataFrame, writer: SampleWriter
) -> Iterator[Part]:
    """Read the pictures of one part after the other."""
    from data.picture import LeftOutError, fit

    info = writer.info
    for number in writer.missing():
        taken, flux, facts, left_out = [], [], [], []
        for row in writer.part_rows(number):
            try:
                picture = source.read(row)
                pixels, origin = fit(picture, info.size, info.pixel_scale, info.bands)
            except LeftOutError as error:
                one = {"id": candidates["id"].iloc[row], "reason": error.reason}
                left_out.append(one | {"detail": error.detail})
                continue
            taken.append(row)
            flux.append(pixels)
            facts.append({"resampled_from": origin, "north_angle": picture.north_angle})
        block = np.array(flux, np.float32).reshape(-1, *info.shape)
        yield Part(number, block, _rows(candidates, taken, facts), pd.DataFrame(left_out))


def _rows(
    candidates: pd.DataFrame, taken: list[int], facts: list[dict[str, float]]
) -> pd.DataFrame:
    """The rows that are taken, with what their files say; a north angle of the table stays."""
    rows = candidates.iloc[taken].reset_index(drop=True)
    found = pd.DataFrame(facts, columns=["resampled_from", "north_angle"], dtype=np.float64)
    found["north_angle"] = found["north_angle"].fillna(rows["north_angle"])
    return rows.assign(**found)


def _measured(parts: Iterator[Part], info: SampleInfo, workers: int) -> Iterator[Part]:
    from data.pool import in_order

    return in_order(partial(_measure, bands=info.bands, unit=info.unit), parts, workers)


def _measure(part: Part, bands: tuple[str, ...], unit: str) -> Part:
    from pcvae.orientation import measure_block

    found = measure_block(part.flux, bands, unit)
    aside = {name: f"catalog_{name}" for name in found if name in part.rows}
    rows = pd.concat([part.rows.rename(columns=aside), found], axis=1)
    return part._replace(rows=rows)


def _summarise(folder: Path, info: SampleInfo) -> None:
    from pcvae.cutouts import read_sample
    from pcvae.orientation import NOT_FOUND

    sample = read_sample(folder)
    left_out = pd.read_csv(folder / "left_out.csv")
    scale = f'{info.pixel_scale:.3f}"' if info.pixel_scale else "pixels of unknown size"
    print(f"{folder}: {len(sample)} galaxies, {','.join(info.bands)}, {info.size} px of {scale}")
    print(f"  populations: {_counts(sample.catalog['population'])}")
    resampled = int(sample.catalog["resampled_from"].notna().sum())
    lost = int((sample.catalog["orientation_flag"] & NOT_FOUND > 0).sum())
    print(f"  resampled: {resampled}; without a source in the middle: {lost}")
    if len(left_out):
        print(f"  left out: {len(left_out)} ({_counts(left_out['reason'])}), see left_out.csv")
    print(f"next: python -m train.train {folder} data/runs/{info.name}-physics --model physics")


def _counts(values: pd.Series) -> str:
    return ", ".join(f"{count} {name}" for name, count in Counter(values).most_common())


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _pairs(text: str) -> dict[str, Any]:
    pairs = [word.split("=") for word in _words(text)]
    if not all(len(pair) == 2 and all(pair) for pair in pairs):
        msg = f"expected ours=yours, separated by commas, found {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return dict(pairs)


if __name__ == "__main__":
    run(main)
