"""Encode a sample with one or several runs into a latent store.

    python -m train.encode data/samples/demo data/stores/demo \
        --run physics=data/runs/demo-physics --run vanilla=data/runs/demo-vanilla

With ``--bricks FOLDER --catalog TABLE`` in place of the sample the galaxies of a catalogue are
encoded straight from coadds, each brick prepared once; no cutout lies on disk:

    python -m train.encode --bricks coadd --catalog galaxies.parquet data/stores/sky \
        --run decals=decals --no-reconstruction

A second call of the same command goes on where a killed one stopped.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pcvae.cutouts import PART, Sample, read_sample
from pcvae.errors import SettingsError
from pcvae.lock import BREAK_LOCK, hold
from pcvae.script import command, device, run
from train.encoding.brick_options import add_brick_options, check_options
from train.encoding.read_ahead import read_ahead

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from pcvae.encode import Codec
    from pcvae.preprocess import Stretch
    from pcvae.store import ModelInfo, Store, StoreInfo, StoreWriter
    from train.encoding.brick_sample import BrickSample

    Galaxies = Sample | BrickSample
    Pixels = NDArray[np.float32]

ROWS = 8 * PART  # galaxies a part: some seconds of work, and what a kill loses at most
DUST = {"corrected": "corrected", "left": "not corrected"}
NOISE_ROWS = 512  # galaxies whose noise is measured
SAME_UNIT = 1.5  # factor by which the noise of surveys of one unit may differ
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
    add_brick_options(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> Path:
    """Encode one sample and return its store."""
    args = parse_args(argv)
    check_options(args)
    with hold(args.store, break_lock=args.break_lock):
        return _make(args, argv)


def _make(args: argparse.Namespace, argv: Sequence[str] | None) -> Path:
    from pcvae.checkpoint import run_folder
    from pcvae.encode import Codec
    from pcvae.store import StoreWriter

    folders = {name: run_folder(folder) for name, folder in _named(args.run).items()}
    codecs = {
        name: Codec.read(folder, device(args.device), symmetries=args.symmetries)
        for name, folder in folders.items()
    }
    sample = _galaxies(args, codecs)
    stretch = None if args.no_stamps or args.bricks else _stamp_stretch(codecs, sample)
    settings = {
        "checksum": sample.checksum(),
        "runs": {k: [str(v), codecs[k].run.info.created] for k, v in folders.items()},
        "stamps": stretch is not None,
    }
    if args.symmetries:
        settings["symmetries"] = True
    if args.no_reconstruction:
        settings["reconstruction"] = False
    writer = StoreWriter(args.store, settings, overwrite=args.overwrite)
    decode = not args.no_reconstruction
    if isinstance(sample, Sample):
        _encode(writer, codecs, sample, stretch, decode=decode)
        catalog = sample.catalog
    else:
        catalog = sample.encode(writer, codecs, decode=decode)
    info = _info(sample, codecs, stretch, command("train.encode", argv))
    store = writer.finish(info, catalog.assign(split=_split(codecs, catalog)), folders)
    _report(store, codecs, sample)
    return args.store


def _galaxies(args: argparse.Namespace, codecs: Mapping[str, "Codec"]) -> "Galaxies":
    """The sample, or the catalogue on bricks, which all runs can encode."""
    if args.bricks:
        from train.encoding.brick_sample import BrickSample

        sample: Galaxies = BrickSample.read(args, next(iter(codecs.values())))
    else:
        sample = read_sample(args.sample)
    _split(codecs, sample.catalog)
    for name, codec in codecs.items():
        _check(name, codec, sample)
    return sample


def _report(store: "Store", codecs: Mapping[str, "Codec"], sample: "Galaxies") -> None:
    """Print what is in the store, what to be careful with, and the next commands."""
    print(f"{store.folder}: {len(store)} galaxies, models {', '.join(codecs)}")
    for name, codec in codecs.items():
        for sentence in _warnings(store.latents(name), name, codec, sample):
            print(sentence)
        if sentence := _dust_warning(name, codec, sample):
            print(sentence)
    print(f"next: panel serve dashboard/app.py --args {store.folder}")
    print(f"  or: python -m train.evaluate {store.folder} REPORT")


def _encode(
    writer: "StoreWriter",
    codecs: Mapping[str, "Codec"],
    sample: Sample,
    stretch: "Stretch | None",
    *,
    decode: bool,
) -> None:
    from tqdm import tqdm

    todo: dict[int, list[str]] = {}
    for start in range(0, len(sample), ROWS):
        todo[start] = [name for name in codecs if not writer.has_part(name, start)]
    begun = [start for start, names in todo.items() if names]
    done = sum(min(ROWS, len(sample) - start) for start, names in todo.items() if not names)
    with tqdm(total=len(sample), initial=done, desc="encode", unit="galaxy") as bar:
        for start, flux in _read_ahead(sample, begun):
            if stretch:
                writer.write_stamps(start, _stamps(flux, stretch), len(sample))
            for name in todo[start]:
                table = codecs[name].table(flux, decode=decode)
                ids = sample.catalog["id"].to_numpy()[start : start + len(flux)]
                table.insert(0, "id", ids)
                writer.write_part(name, start, table)
            bar.update(len(flux))


def _read_ahead(sample: Sample, starts: Sequence[int]) -> Iterator[tuple[int, "Pixels"]]:
    """The first row and the pixels of each part; the next are read while these are encoded."""
    parts = [slice(start, min(start + ROWS, len(sample))) for start in starts]
    return ((part.start, flux) for part, flux in read_ahead(sample.pixels, parts))


def _warnings(
    latents: "pd.DataFrame", name: str, codec: "Codec", sample: "Galaxies"
) -> Iterator[str]:
    """What a person should know before they believe the latents of a model."""
    from pcvae.ood import FAR_OUT, unlike

    if "ood" not in latents:
        return
    share = latents["ood"].to_numpy()
    far = unlike(share)
    if far is None:
        return
    beyond = float((share > FAR_OUT).mean())
    yield (
        f"careful: these galaxies are unlike those that {name} was trained on: {beyond:.0%} of "
        f"them lie farther out than {FAR_OUT:.0%} of its own (distance of the two distributions "
        f"{far:.2f}); labels and look-alikes may be wrong"
    )
    yield from _pixel_warnings(codec.run.stretch, sample)


def _dust_warning(name: str, codec: "Codec", sample: "Galaxies") -> str:
    """Whether fluxes are corrected for dust that the model learnt without, or not; else empty."""
    learnt, found = codec.run.info.settings.get("dust", "unknown"), sample.info.dust
    if "unknown" in (learnt, found) or learnt == found:
        return ""
    return (
        f"careful: {name} was trained on fluxes that were {DUST[learnt]} for the Milky Way's "
        f"dust, these are {DUST[found]}: E(B-V) of 0.1 mag moves redshifts by about 0.03. Make "
        f"the sample again with a column ebv, --dust-maps or --dust leave"
    )


def _pixel_warnings(stretch: "Stretch", sample: "Galaxies") -> Iterator[str]:
    """What the noise of the pixels tells of their unit and of the order of the bands."""
    from pcvae.preprocess import pixel_noise

    if not stretch.noise:
        return
    flux = sample.pixels(slice(0, NOISE_ROWS))
    try:
        found = pixel_noise([flux])
    except SettingsError as error:
        yield f"  {error}"
        return
    ratios = [a / b for a, b in zip(found, stretch.noise, strict=True)]
    told = ", ".join(f"{band} {r:.2g}" for band, r in zip(stretch.bands, ratios, strict=True))
    order, learnt = (
        sorted(range(len(noise)), key=noise.__getitem__) for noise in (found, stretch.noise)
    )
    if order != learnt:
        names = ", ".join(stretch.bands[place] for place in order)
        yield f"  their noise grows in the order {names}, which is not the model's: other bands?"
    elif max(ratios) / min(ratios) < SAME_UNIT and not 1 / SAME_UNIT < ratios[0] < SAME_UNIT:
        yield f"  their noise is that of the model's galaxies times {told}: another unit?"


def _stamps(flux: Any, stretch: "Stretch") -> Any:
    import torch

    from pcvae.preprocess import display

    return (display(torch.as_tensor(flux), stretch) * 255 + 0.5).astype("u1")


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


def _stamp_stretch(codecs: Mapping[str, "Codec"], sample: "Galaxies") -> "Stretch":
    from pcvae.preprocess import display_stretch

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
