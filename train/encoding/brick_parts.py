"""Latents straight from coadded bricks: each is read and prepared once, then sliced.

Shapes are written with n galaxies, C bands and N x N pixels of a cutout.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import Tensor

from data.pipeline.brick_windows import Window, windows
from data.readers.legacy_bricks import Brick, BrickSource
from pcvae.cutouts import PART, SampleInfo
from pcvae.dust import dereddening
from pcvae.encode import Codec, latent_table
from pcvae.errors import SettingsError
from pcvae.preprocess import Stretch
from pcvae.sky_stretch import SkyStretch
from train.encoding.read_ahead import read_ahead

__all__ = ["NEAR", "BrickParts", "PartTables", "Span"]

ROWS = 128 * PART  # galaxies a part: some seconds of work, and what a kill loses at most
NEAR = 64  # px; galaxies that begin in a strip of so many rows are encoded one after the other


class Span(NamedTuple):
    """The candidates from ``start`` to ``stop`` that are a part, on one brick."""

    brick: str
    start: int
    stop: int


class PartTables(NamedTuple):
    """A part: the latents by model, and a row each as ``TakenRows`` keeps it."""

    span: Span
    latents: dict[str, pd.DataFrame]
    rows: pd.DataFrame


class BrickParts:
    """The galaxies of a catalogue on bricks, brick after brick, in parts.

    Args:
        source: Reads the bricks.
        candidates: A row a galaxy, as ``by_brick`` orders them.
        info: Bands, size and pixel scale of the cutouts, and the extinction that is undone.
    """

    def __init__(self, source: BrickSource, candidates: pd.DataFrame, info: SampleInfo) -> None:
        self._source, self._info, self._ids = source, info, candidates["id"].to_numpy()
        self._positions = candidates[["ra", "dec"]].to_numpy(np.float64)
        self._factors = _factors(candidates, info)
        self.spans = _spans(candidates["brick"].to_numpy(str))

    def tables(
        self, todo: Mapping[Span, Mapping[str, Codec]], *, decode: bool
    ) -> Iterator[PartTables]:
        """The parts still to be made.

        Args:
            todo: The models of each; a brick's parts stand together.
            decode: As of ``Codec.encode``.
        """
        names = list(dict.fromkeys(span.brick for span in todo))
        for name, brick in read_ahead(self._source.brick, names):
            spans = [span for span in todo if span.brick == name]
            sliced = _Slices(brick, self._info, corrected=self._corrected(spans))
            rows = [row for span in spans for row in range(span.start, span.stop)]
            every = iter(self._windows(brick, rows))
            for span in spans:
                found = list(islice(every, span.stop - span.start))
                taken = [window for window in found if window.trouble is None]
                latents = {
                    model: self._latents(codec, sliced, taken, decode=decode)
                    for model, codec in todo[span].items()
                }
                yield PartTables(span, latents, _rows(found))

    def cutouts(self, count: int) -> NDArray[np.float32]:
        """The pixels (n, C, N, N) of at most ``count`` galaxies on the first bricks with any."""
        for span in self.spans:
            brick = self._source.brick(span.brick)
            found = self._windows(brick, range(span.start, span.stop))
            taken = [window for window in found if window.trouble is None]
            if taken:
                rows = [window.row for window in taken[:count]]
                sliced = _Slices(brick, self._info, corrected=True)
                return sliced.cutouts(taken[:count], self._factors[rows])
        return np.empty((0, *self._info.shape), np.float32)

    def _latents(
        self, codec: Codec, sliced: "_Slices", taken: Sequence[Window], *, decode: bool
    ) -> pd.DataFrame:
        """The columns of a store for the galaxies that are taken, in their order."""
        order = np.lexsort(([w.left for w in taken], [w.low // NEAR for w in taken]))
        near = [taken[place] for place in order]
        batches = sliced.batches(codec, near, self._factors)
        encoded = codec.encode_prepared(batches, decode=decode)
        table = latent_table(encoded, codec.space, codec.ood)
        table = table.iloc[np.argsort(order)].reset_index(drop=True)
        table.insert(0, "id", self._ids[[window.row for window in taken]])
        return table

    def _windows(self, brick: Brick, rows: Sequence[int]) -> list[Window]:
        field = self._info.size, self._info.pixel_scale or np.nan
        return windows(brick, rows, self._positions, field, self._info.bands)

    def _corrected(self, spans: Sequence[Span]) -> bool:
        return any((self._factors[span.start : span.stop] != 1).any() for span in spans)


class _Slices:
    """A brick prepared for each stretch when it is first asked for.

    Args:
        brick: The brick.
        info: Of the cutouts.
        corrected: Whether fluxes of any galaxy on it are corrected for dust.
    """

    def __init__(self, brick: Brick, info: SampleInfo, corrected: bool) -> None:
        self._flux, self._size, self._corrected = brick.flux, info.size, corrected
        self._bands = len(info.bands)
        self._prepared: dict[Stretch, SkyStretch] = {}

    def batches(
        self, codec: Codec, taken: Sequence[Window], factors: NDArray[np.float64]
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Network images and cores of some windows, of factors (n, C) of all candidates."""
        stretch = codec.run.stretch
        for start in range(0, len(taken), codec.batch):
            some = taken[start : start + codec.batch]
            rows = [window.row for window in some]
            if not SkyStretch.fits(stretch, self._size):
                yield codec.prepare(self.cutouts(some, factors[rows]))
                continue
            if stretch not in self._prepared:  # which models of one sample share
                self._prepared[stretch] = SkyStretch(
                    self._flux, stretch, self._size, corrected=self._corrected
                )
            sky = self._prepared[stretch]
            places = [(window.low, window.left) for window in some]
            yield sky.images(places, factors[rows] if self._corrected else None)

    def cutouts(
        self, taken: Sequence[Window], factors: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """The pixels (n, C, N, N) of windows, corrected by factors (n, C)."""
        size = self._size
        flux = np.empty((len(taken), self._bands, size, size), np.float32)
        for pixels, (_, low, left, *_), factor in zip(flux, taken, factors, strict=True):
            given = self._flux[:, low : low + size, left : left + size]
            pixels[:] = given * factor[:, None, None]
        return flux


def _factors(candidates: pd.DataFrame, info: SampleInfo) -> NDArray[np.float64]:
    """The factor of each candidate's fluxes in each band, (n, C)."""
    if not info.extinction:
        return np.ones((len(candidates), len(info.bands)))
    coefficients = [info.extinction[band] for band in info.bands]
    return dereddening(candidates["ebv"].to_numpy(np.float64), coefficients)


def _spans(names: NDArray[np.str_]) -> list[Span]:
    """The parts of candidates that lie brick after brick; those on none come last."""
    if not len(names):
        msg = "expected a catalogue with galaxies, found none"
        raise SettingsError(msg)
    edges = [0, *(np.flatnonzero(names[1:] != names[:-1]) + 1).tolist(), len(names)]
    return [
        Span(str(names[first]), start, min(start + ROWS, last))
        for first, last in pairwise(edges)
        for start in range(first, last, ROWS)
    ]


def _rows(found: Sequence[Window]) -> pd.DataFrame:
    troubles = [window.trouble for window in found]
    return pd.DataFrame(
        {
            "row": [window.row for window in found],
            "north_angle": [window.north for window in found],
            "reason": [trouble.reason if trouble else "" for trouble in troubles],
            "detail": [trouble.detail if trouble else "" for trouble in troubles],
        }
    )
