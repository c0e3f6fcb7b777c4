"""Small pictures of galaxies, cached."""

from collections import OrderedDict

import numpy as np

from dashboard.backend.stamp_images import data_uri
from pcvae.store import Store

__all__ = ["Thumbnails"]

KEPT = 20_000  # about 3 kB each


class Thumbnails:
    """A store's stamps as data URIs.

    Args:
        store: The store.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: OrderedDict[int, str] = OrderedDict()

    def of(self, rows: list[int], *, load: bool = True) -> list[str]:
        """Those of some galaxies, in the order of their rows; empty for none.

        Args:
            rows: The galaxies.
            load: Whether to read those that are not at hand.
        """
        missing = sorted({row for row in rows if row not in self._kept})
        stamps = self._store.stamps
        if load and missing and stamps is not None:
            for row, stamp in zip(
                missing, np.asarray(stamps.oindex[np.array(missing)]), strict=True
            ):
                self._kept[row] = data_uri(stamp, "WEBP")
        found = [self._kept.get(row, "") for row in rows]
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return found
