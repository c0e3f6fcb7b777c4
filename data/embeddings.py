"""Make a store of another model's embedding, beside ours or alone.

    python -m data.embeddings astroclip.npy data/stores/both --ids ids.txt --model astroclip \
        --store data/stores/demo

ARRAY holds a vector of any length for each of many galaxies: .npy, .npz, .parquet, .h5, .zarr, or
the folder that ``hyrax infer`` wrote. They are matched by id with the galaxies of a store, whose
models stay beside it; of a sample, whose pictures are shown; or of a table. ``train.evaluate``
then judges it as our models are, on the same galaxies. It has no network: nothing is
reconstructed. A second call of the same command goes on where a killed one stopped.
"""

import argparse
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from data.pipeline.options import pairs, words
from pcvae.errors import SettingsError
from pcvae.folders import refuse_existing
from pcvae.lock import BREAK_LOCK, hold
from pcvae.script import command, run

if TYPE_CHECKING:
    import pandas as pd

    from data.readers.vector_source import VectorSource
    from pcvae.store import StoreWriter

__all__ = ["add_galaxy_options", "main", "make", "parse_args"]

Read = Callable[[argparse.Namespace, Path], "VectorSource"]
NUMBERS = 1 << 23  # of a part: 32 MB in single precision


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("array", metavar="ARRAY", type=Path, help="the vectors: a file or folder")
    add("output", metavar="STORE", type=Path, help="store to make; must not exist")
    add("--array", dest="named", default="", help="name of the vectors in ARRAY, if it has more")
    add("--id-column", default="", help="name of the ids in ARRAY or in --ids")
    add("--ids", type=Path, help="file with the ids in the vectors' order, if ARRAY has none")
    add("--model", default="embedding", help="name of the embedding in the store")
    add("--made-by", default="", help="what made it, for people; default: the model's name")
    add("--store", type=Path, help="store with the galaxies of these ids; its models stay")
    add_galaxy_options(parser)
    return parser.parse_args(argv)


def add_galaxy_options(parser: argparse.ArgumentParser) -> None:
    """Add the options on whose vectors they are, and on the store."""
    add = parser.add_argument
    add("--sample", type=Path, help="sample with the galaxies of these ids")
    add("--catalog", type=Path, help="table with the galaxies of these ids")
    add("--columns", type=pairs, default={}, help="of --catalog: ours=yours,id=object_id")
    add("--population-column", help="of --catalog: column of the populations")
    add("--rare", type=words, default=(), help="of --catalog: populations looked for")
    add("--seed", type=int, default=0, help="of the split, the same as of train.train")
    add("--validation", type=float, help="share of the galaxies, as of train.train")
    add("--test", type=float, help="share of the galaxies, as of train.train")
    add("--overwrite", action="store_true", help="replace STORE, finished or not")
    add("--break-lock", action="store_true", help=BREAK_LOCK)


def main(argv: Sequence[str] | None = None) -> Path:
    """Make the store and return its folder."""
    args = parse_args(argv)
    if not args.model.replace("-", "_").isidentifier():
        msg = f"expected a name such as astroclip for --model, found {args.model!r}"
        raise SettingsError(msg)
    return make(args, command("data.embeddings", argv), _read)


def make(args: argparse.Namespace, made_by: str, read: Read) -> Path:
    """Make the store of a command line and return its folder.

    Args:
        args: As ``data.embeddings`` has them.
        made_by: The command line.
        read: Gives the vectors; may unpack files to the folder that it is given.
    """
    if sum(map(bool, (args.sample, args.catalog, args.store))) > 1:
        msg = "expected one of --store, --sample and --catalog, found more"
        raise SettingsError(msg)
    with hold(args.output, break_lock=args.break_lock), _scratch(args.output) as scratch:
        refuse_existing(args.output, SettingsError, overwrite=args.overwrite)
        return _write(args, read(args, scratch), made_by, scratch)


@contextmanager
def _scratch(output: Path) -> Iterator[Path]:
    """A folder beside the store for what is mapped to files; one that was left is replaced."""
    folder = output.with_name(f".{output.name}.vectors.partial")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _read(args: argparse.Namespace, scratch: Path) -> "VectorSource":
    from data.readers.vector_files import Named, read_vectors

    return read_vectors(args.array, Named(args.named, args.id_column, args.ids), scratch)


def _write(args: argparse.Namespace, source: "VectorSource", made_by: str, scratch: Path) -> Path:
    from data.pipeline.embedded_galaxies import describe, embedded_galaxies, store_info
    from pcvae.store import StoreWriter

    galaxies = embedded_galaxies(args, source, _listed(args))
    ids = galaxies.table["id"]
    found = _vectors(source, ids, scratch / "vectors")
    writer = StoreWriter(args.output, _settings(args, ids), overwrite=args.overwrite)
    _write_vectors(writer, args.model, ids, found)
    folders = galaxies.copy_models(writer)
    folders[args.model] = describe(scratch / "model", args.array, source.width)
    stretch = galaxies.write_stamps(writer)
    info = store_info(args, galaxies, source.width, stretch, made_by)
    writer.finish(info, galaxies.table, folders)
    left = len(source.ids) - len(ids)
    print(f"{args.output}: {len(ids)} galaxies of {source.width} numbers; {left} ids unknown")
    print(f"next: panel serve dashboard/app.py --args {args.output}")
    print(f"  or: python -m train.evaluate {args.output} REPORT")
    return args.output


def _listed(args: argparse.Namespace) -> "pd.DataFrame | None":
    from data.published.column_mapping import read_candidates

    if not args.catalog:
        return None
    return read_candidates(args.catalog, args.columns, args.population_column, None)


def _settings(args: argparse.Namespace, ids: "pd.Series") -> dict[str, Any]:
    """What decides the content; an array that was changed since is another one."""
    from data.pipeline.checksums import files_digest, table_digest

    files = sorted(args.array.rglob("*")) if args.array.is_dir() else [args.array]
    kept = {k: v for k, v in vars(args).items() if k not in ("output", "overwrite", "break_lock")}
    kept |= {"array": args.array.resolve(), "files": files_digest(files)}
    return kept | {"galaxies": table_digest(ids.to_frame())}


def _vectors(source: "VectorSource", ids: "pd.Series", path: Path) -> NDArray[np.float32]:
    """The vectors (M, D) of these galaxies in their order, in a file that is mapped."""
    from data.readers.vector_source import ordered

    shape = len(ids), source.width
    found = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
    ordered(source, ids.to_numpy(str), found)
    return found


def _write_vectors(
    writer: "StoreWriter", model: str, ids: "pd.Series", found: NDArray[np.float32]
) -> None:
    """Write the latents in parts: a column each, or vectors and their principal components."""
    from pcvae.projections import COMPONENTS, fit_principal_axes, principal_axes
    from pcvae.store import MAX_AXES
    from pcvae.vectors import vector_table

    width = found.shape[1]
    rows = max(NUMBERS // width, 1)
    for start in range(0, len(ids), rows):
        if not writer.has_part(model, start):
            some, values = ids[start : start + rows], np.asarray(found[start : start + rows])
            part = (vector_table if width > MAX_AXES else _columns)(some, values)
            writer.write_part(model, start, part)
    if width > MAX_AXES:

        def blocks() -> Iterator[NDArray[np.float32]]:
            return (found[start : start + rows] for start in range(0, len(ids), rows))

        fitted = fit_principal_axes(blocks, COMPONENTS)
        writer.write_projection(model, "pca", ids, principal_axes(fitted, blocks))


def _columns(ids: "pd.Series", values: NDArray[np.float32]) -> "pd.DataFrame":
    """The latents as a store has them; an embedding has neither sigmas nor reconstructions."""
    import pandas as pd

    latents = {f"latent_{number}": column for number, column in enumerate(values.T)}
    return pd.DataFrame({"id": ids.to_numpy(), **latents, "recon_error": np.float32(np.nan)})


if __name__ == "__main__":
    run(main)
