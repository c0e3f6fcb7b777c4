"""Some galaxies of a sample, which stand where a sample does."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pcvae.cutouts import PART, Sample

__all__ = ["ChosenRows"]


@dataclass(frozen=True)
class ChosenRows(Sample):
    """A sample of which only some rows count.

    Args:
        rows: Of the cutouts, ascending; the catalogue has these only.
    """

    rows: NDArray[np.intp]

    @staticmethod
    def of(sample: Sample, rows: NDArray[np.intp]) -> "ChosenRows":
        """Those rows of a sample."""
        catalog = sample.catalog.iloc[rows].reset_index(drop=True)
        return ChosenRows(sample.folder, sample.info, catalog, sample.flux, rows)

    def pixels(self, where: slice) -> NDArray[np.float32]:
        """The cutouts (n, C, S, S) of some of them; rows near each other are read together.

        Raises:
            SampleError: They are not what was written.
        """
        rows = self.rows[where]
        if not len(rows):
            return np.empty((0, *self.info.shape), np.float32)
        runs = np.split(rows, np.flatnonzero(np.diff(rows) > PART) + 1)
        read = super().pixels
        return np.concatenate([read(slice(r[0], r[-1] + 1))[r - r[0]] for r in runs])
