"""A sample on disk: galaxies as rows of a catalogue and, in the same order, as cutouts.

Shapes are written with N galaxies, C bands and S x S pixels. Pixels are nanomaggies, or display
values in [0, 1] where ``unit`` is ``stretched``; array row index grows upwards (+y).
"""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import zarr
from numpy.typing import NDArray

from pcvae.catalog import complete
from pcvae.chunks import create_chunked, damage, open_chunked, seal
from pcvae.errors import SampleError, ShapeError, brief
from pcvae.folders import (
    goes_on,
    partial_folder,
    read_facts,
    refuse_existing,
    replace_folder,
    write_facts,
    write_text,
)

__all__ = [
    "PART",
    "Sample",
    "SampleInfo",
    "SampleWriter",
    "read_sample",
]

VERSION = 1
WRITER = 2  # of unfinished samples; those of another one are not gone on with
PART = 64  # galaxies a chunk: 12 MB at 3 x 128 x 128, and what a killed writer loses at most
REMAKE = "python -m data.simulate {0} or python -m data.ingest IN {0}"


@dataclass(frozen=True, slots=True)
class SampleInfo:
    """The metadata of a sample; ``sample.json``.

    Args:
        name: A short name.
        source: A sentence on where it comes from; says "simulated" when it is.
        bands: The bands in the order of the cutouts' planes.
        pixel_scale: Arcsec a pixel; None if unknown.
        size: Pixels on a side.
        unit: ``nanomaggy``, or ``stretched`` for display images in [0, 1].
        rare: The populations that are looked for and never train.
        hard_negative: The populations that resemble them, and never train either.
        dust: Whether fluxes are ``corrected`` for the Milky Way's dust or ``left`` as observed;
            ``unknown`` in samples of earlier versions and for display images.
        extinction: A/E(B-V) of each band by which they were corrected here, with the
            catalogue's column ``ebv`` [mag].
        command: The command that made it.
        created: When, in UTC; ISO 8601.
    """

    name: str
    source: str
    bands: tuple[str, ...]
    pixel_scale: float | None
    size: int
    unit: str = "nanomaggy"
    rare: tuple[str, ...] = ()
    hard_negative: tuple[str, ...] = ()
    dust: str = "unknown"
    extinction: dict[str, float] = field(default_factory=dict)
    command: str = ""
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    version: int = VERSION

    def __post_init__(self) -> None:
        if self.unit not in ("nanomaggy", "stretched"):
            msg = f"expected unit 'nanomaggy' or 'stretched', found {self.unit!r}"
            raise SampleError(msg)

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape (C, S, S) of one galaxy."""
        return len(self.bands), self.size, self.size

    @property
    def held_out(self) -> tuple[str, ...]:
        """The populations that never train."""
        return self.rare + self.hard_negative


@dataclass(frozen=True)
class Sample:
    """A finished sample, opened for reading.

    Args:
        folder: Where it lies.
        info: What is known of it as a whole.
        catalog: A row a galaxy; see ``pcvae.catalog``.
        flux: The cutouts, a Zarr array (N, C, S, S) of float32.
    """

    folder: Path
    info: SampleInfo
    catalog: pd.DataFrame
    flux: zarr.Array[Any]

    def __len__(self) -> int:
        return len(self.catalog)

    def pixels(self, where: slice) -> NDArray[np.float32]:
        """The cutouts (n, C, S, S) of some rows.

        Raises:
            SampleError: They are not what was written.
        """
        try:
            return np.asarray(self.flux[where], dtype=np.float32)
        except (OSError, ValueError, RuntimeError) as error:
            msg = f"galaxies {where.start} to {where.stop} of {self.folder} cannot be read: "
            again = _again(self.folder, self.info)
            raise SampleError(f"{msg}{brief(error)}. {again}") from error

    def blocks(self) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        """Yield the cutouts chunk by chunk: the rows' slice and (n, C, S, S)."""
        for start in range(0, len(self), PART):
            where = slice(start, min(start + PART, len(self)))
            yield where, self.pixels(where)

    def checksum(self) -> str:
        """The SHA-256 of ``sample.json`` and ``catalog.parquet`` together."""
        digest = hashlib.sha256()
        for name in ("sample.json", "catalog.parquet"):
            digest.update((self.folder / name).read_bytes())
        return digest.hexdigest()

    def replace_catalog(self, catalog: pd.DataFrame) -> None:
        """Write another catalogue of the same galaxies in the same order.

        Raises:
            SampleError: The ids are not those of the sample.
        """
        if list(catalog["id"]) != list(self.catalog["id"]):
            msg = f"expected the {len(self)} ids of {self.folder} in their order, found others"
            raise SampleError(msg)
        _write_parquet(self.folder / "catalog.parquet", complete(catalog, self.info.bands))


def read_sample(folder: Path) -> Sample:
    """Open the sample in ``folder``.

    Raises:
        SampleError: It is missing, of another version, not whole, or its parts do not belong
            together.
    """
    info = read_facts(
        folder / "sample.json", SampleInfo, VERSION, SampleError, REMAKE.format(folder)
    )
    again, path = _again(folder, info), folder / "cutouts.zarr"
    try:
        catalog = pd.read_parquet(folder / "catalog.parquet")
        flux = zarr.open_array(path, mode="r")
    except (OSError, ValueError, KeyError, TypeError) as error:
        msg = f"the sample in {folder} is broken: {brief(error)}. {again}"
        raise SampleError(msg) from error
    if absent := {"id", "population"}.difference(catalog):
        msg = f"expected a column {absent.pop()!r} in {folder / 'catalog.parquet'}, found none"
        raise SampleError(f"{msg}. {again}")
    if flux.shape != (len(catalog), *info.shape):
        msg = f"expected cutouts of shape {(len(catalog), *info.shape)} in {folder}, found "
        raise SampleError(f"{msg}{flux.shape}. {again}")
    if words := damage(path, flux):
        msg = f"{path} is not whole: {words}. {again}"
        raise SampleError(msg)
    return Sample(folder, info, catalog, flux)


def _again(folder: Path, info: SampleInfo) -> str:
    made_by = f"{info.command} --overwrite" if info.command else REMAKE.format(folder)
    return f"Make the sample again with: {made_by}"


class SampleWriter:
    """Fills ``FOLDER.partial`` part by part, and renames it when all parts are there.

    A part is a run of ``PART`` candidate rows; each is on disk before the next begins, so that a
    killed writer goes on where it was, also while it finishes. Candidates that are left out leave
    no gap in the sample.

    Args:
        folder: The sample to be made; must not exist unless ``overwrite``.
        info: What is known of it as a whole.
        rows: How many candidates there are.
        settings: All that decides the content, the input too; the same resume, others refuse.
        overwrite: Replace a finished sample and forget an unfinished one of other settings.

    Raises:
        SampleError: The folder exists, or was begun with other settings.
    """

    def __init__(
        self,
        folder: Path,
        info: SampleInfo,
        rows: int,
        settings: Mapping[str, Any],
        *,
        overwrite: bool = False,
    ) -> None:
        self.folder, self.info, self.rows = folder, info, rows
        self._work = partial_folder(folder)
        known = {**settings, "rows": rows, "writer": WRITER}
        text = json.dumps(known, indent=1, sort_keys=True, default=str)
        refuse_existing(folder, SampleError, overwrite=overwrite)
        if not goes_on(self._work, text, SampleError, overwrite=overwrite):
            self._begin(text)
        # Once joined, the candidates' pixels may be gone in part; nothing is left to write then.
        if not (self._work / "cutouts.zarr").exists():
            self._flux = open_chunked(self._work / "candidates.zarr")

    def missing(self) -> list[int]:
        """The parts still to be written."""
        if self._is_joined:
            return []
        parts = range(-(-self.rows // PART))
        return [part for part in parts if not self._table(part).exists()]

    def part_rows(self, part: int) -> range:
        """The candidate rows of a part."""
        return range(part * PART, min((part + 1) * PART, self.rows))

    def write(
        self,
        part: int,
        flux: NDArray[np.float32],
        catalog: pd.DataFrame,
        left_out: pd.DataFrame | None = None,
    ) -> None:
        """Put one part on disk.

        Args:
            part: Its number.
            flux: The cutouts (n, C, S, S) of the candidates that are taken, finite.
            catalog: Their n rows.
            left_out: The candidates of this part that are not taken: ``id`` and ``reason``.
        """
        _check_pixels(flux, (len(catalog), *self.info.shape), part)
        start = part * PART
        if len(catalog):
            self._flux[start : start + len(catalog)] = flux.astype(np.float32, copy=False)
        if left_out is not None and len(left_out):
            _write_parquet(self._parts / f"{part:07d}.left_out.parquet", left_out)
        _write_parquet(self._table(part), catalog)

    def finish(self) -> Path:
        """Join the parts and move the sample into place; nothing stays of one without galaxies.

        A kill between any two operations loses nothing: what they make appears under its name
        when it is complete, and what it was made of is removed after that.

        Raises:
            SampleError: Parts are missing, or no galaxy is left.
        """
        if not self._is_joined:
            self._join()
        for made_of in ("candidates.zarr", "parts"):
            if (self._work / made_of).exists():
                shutil.rmtree(self._work / made_of)
        return replace_folder(self._work, self.folder)

    @property
    def _is_joined(self) -> bool:
        return (self._work / "sample.json").exists()

    def _join(self) -> None:
        if missing := self.missing():
            msg = f"{len(missing)} parts of {self.folder} are not written yet"
            raise SampleError(msg)
        tables = [pd.read_parquet(self._table(part)) for part in range(-(-self.rows // PART))]
        left_out = _left_out(self._parts)
        if not sum(map(len, tables)):
            shutil.rmtree(self._work)
            raise SampleError(_none_left(self.folder, self.rows, left_out))
        catalog = complete(pd.concat([t for t in tables if len(t)]), self.info.bands)
        _write_parquet(self._work / "catalog.parquet", catalog)
        left_out.to_csv(self._work / "left_out.csv", index=False)
        _join_pixels(self._work, self.info, [len(table) for table in tables])
        write_facts(self._work / "sample.json", asdict(self.info))

    def _begin(self, text: str) -> None:
        shutil.rmtree(self._work, ignore_errors=True)
        self._parts.mkdir(parents=True)
        _create_pixels(self._work / "candidates.zarr", self.rows, self.info)
        write_text(self._work / "settings.json", text)

    @property
    def _parts(self) -> Path:
        return self._work / "parts"

    def _table(self, part: int) -> Path:
        return self._parts / f"{part:07d}.parquet"


def _none_left(folder: Path, rows: int, left_out: pd.DataFrame) -> str:
    reasons = ", ".join(left_out["reason"].unique()[:3])
    return f"no galaxy is left for {folder}: all {rows} left out ({reasons})"


def _left_out(parts: Path) -> pd.DataFrame:
    tables = [pd.read_parquet(path) for path in sorted(parts.glob("*.left_out.parquet"))]
    return pd.concat(tables) if tables else pd.DataFrame({"id": [], "reason": []})


def _join_pixels(work: Path, info: SampleInfo, lengths: list[int]) -> None:
    """Make ``cutouts.zarr`` of the candidates' pixels, without gaps; it is complete if it exists.

    Args:
        work: The writer's folder.
        info: The shape of the cutouts.
        lengths: How many galaxies each part has.
    """
    target, begun = work / "cutouts.zarr", work / "cutouts.zarr.new"
    if target.exists():
        return
    candidates = zarr.open_array(work / "candidates.zarr", mode="r")
    if sum(lengths) == candidates.shape[0]:
        _seal(work / "candidates.zarr", work)
        (work / "candidates.zarr").rename(target)
        return
    flux = _create_pixels(begun, sum(lengths), info)
    end = 0
    for part, length in enumerate(lengths):
        if length:
            flux[end : end + length] = candidates[part * PART : part * PART + length]
        end += length
    _seal(begun, work)
    begun.rename(target)


def _seal(path: Path, work: Path) -> None:
    """List the chunks of the finished pixels.

    Raises:
        SampleError: Some that were written are not there any more.
    """
    if absent := seal(path):
        msg = f"{work} has lost the chunk {absent[0]} of its pixels: run the same command with "
        raise SampleError(msg + "--overwrite")


def _check_pixels(flux: NDArray[np.float32], shape: tuple[int, ...], part: int) -> None:
    if flux.shape != shape:
        msg = f"expected cutouts of shape {shape}, found {flux.shape}"
        raise ShapeError(msg)
    if not np.isfinite(flux).all():
        msg = f"expected finite pixels, found NaN or infinity in part {part}"
        raise ShapeError(msg)


def _create_pixels(path: Path, rows: int, info: SampleInfo) -> zarr.Array[Any]:
    # Noise does not compress, and trying takes longer than reading.
    shape, chunks = (rows, *info.shape), (PART, *info.shape)
    return create_chunked(path, shape, chunks, "float32", compress=False)


def _write_parquet(path: Path, table: pd.DataFrame) -> None:
    begun = path.with_name(path.name + ".new")
    table.to_parquet(begun, index=False)
    begun.replace(path)
