"""Encode a sample with one or several runs into a latent store.

    python -m train.encode data/samples/demo data/stores/demo \
        --run physics=data/runs/demo-physics --run vanilla=data/runs/demo-vanilla

With ``--bricks FOLDER --catalog TABLE`` in place of the sample the galaxies of a catalogue are
encoded straight from coadds, each brick prepared once; no cutout lies on disk:

    python -m train.encode --bricks coadd --catalog galaxies.parquet data/stores/sky \
        --run decals=decals --no-reconstruction

``--output hats`` writes a HATS catalogue in place of a store, and ``--engine dask`` lets other
processes or computers encode (train/README.md). A second call of the same command goes on
where a killed one stopped.
"""

import argparse
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pcvae.cutouts import PART, Sample, read_sample
from pcvae.errors import SettingsError
from pcvae.lock import BREAK_LOCK, hold
from pcvae.script import command, device, run
from train.encoding.brick_options import add_brick_options, check_options
from train.encoding.cluster import add_cluster_options, check_cluster_options
from train.encoding.output_options import add_output_options, check_output_options
from train.encoding.read_ahead import read_ahead

if TYPE_CHECKING:
    import pandas as pd

    from pcvae.encode import Codec
    from pcvae.preprocess import Stretch
    from pcvae.store import ModelInfo, StoreInfo
    from train.encoding.brick_sample import BrickSample
    from train.encoding.earlier import Earlier
    from train.encoding.engine import Workers
    from train.encoding.outputs import Writer

    Galaxies = Sample | BrickSample

ROWS = 8 * PART  # galaxies a part: some seconds of work, and what a kill loses at most
SAME_SCALE = 0.03  # by which pixels may differ from those that a run was trained on


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    words = sys.argv[1:] if argv is None else argv
    if not any(word.partition("=")[0] == "--bricks" for word in words):
        add("sample", type=Path, help="folder made by a script of data/; none with --bricks")
    add("store", type=Path, help="store to make; must not exist")
    add(
        "--run",
        action="append",
        required=True,
        metavar="NAME=RUN",
        help="a model, its run or decals, which comes with pcvae; may be repeated",
    )
    add("--device", default="auto", choices=["auto", "cpu", "cuda", "mps"], help="where to run")
    add("--symmetries", action="store_true", help="average labels over flips and turns")
    add("--no-stamps", action="store_true", help="leave the display images out")
    add(
        "--no-reconstruction",
        action="store_true",
        help="leave the reconstruction error out, which takes as long again or longer",
    )
    add("--overwrite", action="store_true", help="replace STORE, finished or not")
    add("--break-lock", action="store_true", help=BREAK_LOCK)
    add_output_options(parser)
    add_brick_options(parser)
    add_cluster_options(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> Path:
    """Encode one sample and return its store."""
    args = parse_args(argv)
    check_options(args)
    check_output_options(args)
    check_cluster_options(args)
    with hold(args.store, break_lock=args.break_lock):
        return _make(args, argv)


def _make(args: argparse.Namespace, argv: Sequence[str] | None) -> Path:
    from pcvae.checkpoint import run_folder
    from pcvae.encode import Codec
    from train.encoding.engine import hired
    from train.encoding.outputs import Whole, finish

    folders = {name: run_folder(folder) for name, folder in _named(args.run).items()}
    codecs = {
        name: Codec.read(folder, device(args.device), symmetries=args.symmetries)
        for name, folder in folders.items()
    }
    sample = _galaxies(args, codecs)
    earlier = _earlier(args, folders)
    sample = earlier.without_known(sample) if earlier else sample
    if not len(sample):
        return args.store
    stretch = _stamp_stretch(args, codecs, sample, earlier)
    info = _info(sample, codecs, stretch, command("train.encode", argv))
    info = earlier.joined(info) if earlier else info
    runs = {k: [str(v), codecs[k].run.info.created] for k, v in folders.items()}
    settings = {"checksum": sample.checksum(), "runs": runs, "stamps": stretch is not None}
    writer = _writer(args, settings, earlier, len(sample))
    with hired(args, codecs, folders) as workers:
        catalog = _fill(writer, codecs, sample, stretch, not args.no_reconstruction, workers)
        if writer.append and not len(catalog) and not writer.is_joined:
            return _leave(args.store, writer)
        whole = Whole(info, catalog.assign(split=_split(codecs, catalog)), folders)
        finish(args, writer, whole, workers and workers.client, earlier)
    _report(args, codecs, sample)
    return args.store


def _leave(folder: Path, writer: "Writer") -> Path:
    """Leave what is there as it is, since no galaxy could be added."""
    shutil.rmtree(writer.work)
    print(f"{folder}: nothing is added, all galaxies that it does not have are left out")
    return folder


def _earlier(args: argparse.Namespace, folders: Mapping[str, Path]) -> "Earlier | None":
    """What galaxies are added to, if they are; refuses other models than it has."""
    from train.encoding.earlier import read_earlier

    if not args.append:
        return None
    earlier = read_earlier(args.store, args.output)
    earlier.check(folders)
    return earlier


def _writer(
    args: argparse.Namespace, settings: dict[str, object], earlier: "Earlier | None", rows: int
) -> "Writer":
    """What keeps the parts of so many galaxies, with those that are there before them."""
    from pcvae.store import StoreWriter
    from train.encoding.earlier import EarlierStore
    from train.encoding.outputs import open_writer

    writer = open_writer(args, settings, earlier)
    if isinstance(writer, StoreWriter) and isinstance(earlier, EarlierStore):
        writer.begin_with(earlier.store, rows)
    return writer


def _galaxies(args: argparse.Namespace, codecs: Mapping[str, "Codec"]) -> "Galaxies":
    """The sample, or the catalogue on bricks, which all runs can encode."""
    if args.bricks:
        from train.encoding.brick_sample import BrickSample

        sample: Galaxies = BrickSample.read(args, next(iter(codecs.values())))
    else:
        sample = read_sample(args.sample)
    if args.output == "hats":
        from train.encoding.catalog_tables import check_places

        check_places(sample.catalog)
    _split(codecs, sample.catalog)
    for name, codec in codecs.items():
        _check(name, codec, sample)
    return sample


def _report(args: argparse.Namespace, codecs: Mapping[str, "Codec"], sample: "Galaxies") -> None:
    """Print what is made, what to be careful with, and the next commands."""
    from train.encoding.cautions import cautions
    from train.encoding.outputs import next_commands, scores, size

    count = size(args.store, args.output)
    print(f"{args.store}: {count} galaxies, models {', '.join(codecs)}")
    for name, codec in codecs.items():
        for sentence in cautions(scores(args.store, args.output, name), name, codec, sample):
            print(sentence)
    print(*next_commands(args.store, args.output), sep="\n")


def _fill(
    writer: "Writer",
    codecs: Mapping[str, "Codec"],
    sample: "Galaxies",
    stretch: "Stretch | None",
    decode: bool,
    workers: "Workers | None",
) -> "pd.DataFrame":
    """Write the parts that are missing; the catalogue of what is encoded."""
    if not isinstance(sample, Sample):
        return sample.encode(writer, codecs, decode=decode, workers=workers)
    if workers:
        from train.encoding.engine import share

        share(workers, writer, sample, (stretch, decode, ROWS))
    else:
        _encode(writer, codecs, sample, stretch, decode=decode)
    return sample.catalog


def _encode(
    writer: "Writer",
    codecs: Mapping[str, "Codec"],
    sample: Sample,
    stretch: "Stretch | None",
    *,
    decode: bool,
) -> None:
    from tqdm import tqdm

    from pcvae.store import StoreWriter
    from train.encoding.part_tasks import part_edges, stamps

    parts = [slice(*edges) for edges in part_edges(len(sample), ROWS, writer.first)]
    absent = {
        part.start: [name for name in codecs if not writer.has_part(name, part.start)]
        for part in parts
    }
    todo = [part for part in parts if absent[part.start]]
    done = len(sample) - sum(part.stop - part.start for part in todo)
    with tqdm(total=len(sample), initial=done, desc="encode", unit="galaxy") as bar:
        for part, flux in read_ahead(sample.pixels, todo):
            if stretch and isinstance(writer, StoreWriter):
                writer.write_stamps(part.start, stamps(flux, stretch), len(sample))
            for name in absent[part.start]:
                table = codecs[name].table(flux, decode=decode)
                table.insert(0, "id", sample.catalog["id"].to_numpy()[part])
                writer.write_part(name, part.start, table)
            bar.update(len(flux))


def _named(given: Sequence[str]) -> dict[str, Path]:
    named = {}
    for text in given:
        name, equals, folder = text.partition("=")
        if not (equals and folder and name.replace("-", "_").isidentifier()):
            msg = (
                f"expected --run NAME=RUN, such as physics=data/runs/demo-physics; found {text!r}"
            )
            raise SettingsError(msg)
        if name in named:
            msg = f"expected a name for each --run, found {name} twice"
            raise SettingsError(msg)
        named[name] = Path(folder)
    return named


def _split(codecs: Mapping[str, "Codec"], catalog: "pd.DataFrame") -> Any:
    splits = {name: codec.run.split(catalog["id"]) for name, codec in codecs.items()}
    (first, split), *others = splits.items()
    for name, other in others:
        if differ := int((split != other).sum()):
            msg = (
                f"expected runs of one split, but {differ} galaxies have another in {name} than "
                f"in {first}: train both on the same sample with the same --seed"
            )
            raise SettingsError(msg)
    return split


def _check(name: str, codec: "Codec", sample: "Galaxies") -> None:
    stretch = codec.run.stretch
    unit = "nanomaggy" if stretch.scale else "stretched"
    if (stretch.bands, unit) != (sample.info.bands, sample.info.unit):
        msg = (
            f"run {name} was trained on bands {stretch.bands} in {unit}, the sample has "
            f"{sample.info.bands} in {sample.info.unit}: train a run on this sample"
        )
        raise SettingsError(msg)
    made = codec.run.info.settings
    field = made.get("size"), made.get("pixel_scale")
    found = sample.info.size, sample.info.pixel_scale
    if any(a and b and abs(a / b - 1) > SAME_SCALE for a, b in zip(field, found, strict=True)):
        msg = (
            f"run {name} was trained on cutouts of {field[0]} px of {field[1]} arcsec, the sample "
            f"has {found[0]} px of {found[1]}: make a sample of such cutouts, or train a run on it"
        )
        raise SettingsError(msg)


def _stamp_stretch(
    args: argparse.Namespace,
    codecs: Mapping[str, "Codec"],
    sample: "Galaxies",
    earlier: "Earlier | None",
) -> "Stretch | None":
    """The stretch of the stamps, that of those which are there; None for none."""
    from pcvae.preprocess import Stretch, display_stretch

    if earlier:
        found = earlier.info.stamp_stretch
        if found and args.bricks:
            msg = f"expected a store without stamps, as bricks give none; {args.store} has some"
            raise SettingsError(f"{msg}: make a store of its own, or add cutouts")
        return Stretch.of(found) if found and args.output == "store" else None
    if args.no_stamps or args.bricks or args.output == "hats":
        return None
    return display_stretch(next(iter(codecs.values())).run.stretch, sample.info.size)


def _info(
    sample: "Galaxies", codecs: Mapping[str, "Codec"], stretch: "Stretch | None", text: str
) -> "StoreInfo":
    from pcvae.store import StoreInfo

    facts = sample.info
    return StoreInfo(
        sample=facts.name,
        source=facts.source,
        bands=facts.bands,
        pixel_scale=facts.pixel_scale,
        size=facts.size,
        unit=facts.unit,
        rare=facts.rare,
        hard_negative=facts.hard_negative,
        models=tuple(_model(name, codec) for name, codec in codecs.items()),
        stamp_stretch=asdict(stretch) if stretch else None,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        command=text,
        dust=facts.dust,
        extinction=facts.extinction,
    )


def _model(name: str, codec: "Codec") -> "ModelInfo":
    from pcvae.store import ModelInfo

    info, space = codec.run.info, codec.space
    return ModelInfo(name, info.kind, info.recipe, space.latents, space.orientation)


if __name__ == "__main__":
    run(main)
