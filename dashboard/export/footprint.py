"""The part of the sky where some galaxies lie, as a multi-order coverage map (MOC).

Reference: https://www.ivoa.net/documents/MOC/
"""

import io
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashboard.backend.datastore import DataStore
from dashboard.export.table_formats import write_facts
from dashboard.sky.coordinates import apart
from pcvae.errors import PcvaeError

if TYPE_CHECKING:
    from mocpy import MOC

__all__ = ["CELLS", "FITTED", "Footprint", "footprint_of", "moc_of", "side"]

FITTED = "fitted"  # the order that the number of galaxies allows
COARSEST, FINEST = 3, 11  # orders of HEALPix
FILLED = 4  # galaxies a cell, on average, that tell an empty cell from one outside of the sample
SKY = 4 * 180**2 / np.pi  # square degrees
ARCSEC = 3600.0  # in a degree


def side(order: int) -> float:
    """The side of a HEALPix cell of an order, as a square of its area would have it [arcsec].

    Example:
        >>> round(side(9))
        412
    """
    return float(np.sqrt(SKY / (12 * 4**order)) * ARCSEC)


CELLS = {"Cells as fine as the galaxies allow": FITTED} | {
    f"Cells of {apart(side(order))} (order {order})": f"{order}" for order in range(5, FINEST + 1)
}


class Footprint(NamedTuple):
    """A coverage map.

    Args:
        content: The FITS file.
        words: Its area, and what it leaves out.
    """

    content: bytes
    words: str


def footprint_of(
    datastore: DataStore, rows: NDArray[np.intp], cells: str, facts: Mapping[str, str]
) -> Footprint:
    """The cells of the sky that hold some galaxies, as a file.

    Args:
        datastore: The galaxies.
        rows: Which of them.
        cells: One of ``CELLS``.
        facts: The provenance, by keyword.

    Raises:
        PcvaeError: None of them has a place on the sky, or mocpy is not installed.
    """
    galaxies = datastore.store.galaxies
    ra, dec = (galaxies[name].to_numpy()[rows].astype(np.float64) for name in ("ra", "dec"))
    known = np.isfinite(ra) & np.isfinite(dec)
    if not known.any():
        msg = "expected galaxies with a place on the sky, found none"
        raise PcvaeError(msg)
    moc = moc_of(ra[known], dec[known], None if cells == FITTED else int(cells))
    hdus, file = moc.serialize(format="fits"), io.BytesIO()
    write_facts(hdus[0].header, facts)
    hdus.writeto(file)
    order = int(moc.max_order)
    area = moc.sky_fraction * SKY
    words = f"cells of {apart(side(order))} (order {order}), "
    words += f"{area:,.0f} deg²" if area >= 100 else f"{area:.3g} deg²"
    left = int((~known).sum())
    return Footprint(file.getvalue(), f"{words}{f'; {left:,} without a place' * bool(left)}.")


def moc_of(ra: NDArray[np.float64], dec: NDArray[np.float64], order: int | None) -> "MOC":
    """The cells of an order that hold these places (M,) [deg].

    Without an order, it is the finest one at which a cell holds ``FILLED`` of them on average,
    the coarsest where there is none.

    Raises:
        PcvaeError: mocpy is not installed.
    """
    places = _moc()(ra, dec, FINEST if order is None else order)
    if order is not None:
        return places
    for k in range(FINEST - 1, COARSEST - 1, -1):
        if len(ra) >= FILLED * len(places.flatten()):
            break
        places = places.degrade_to_order(k)
    return places


def _moc() -> Callable[[NDArray[np.float64], NDArray[np.float64], int], "MOC"]:
    try:
        from mocpy import MOC
    except ImportError as error:
        msg = "a footprint needs mocpy: run pip install mocpy"
        raise PcvaeError(msg) from error
    from astropy import units

    return lambda ra, dec, order: MOC.from_lonlat(
        ra * units.deg, dec * units.deg, max_norder=order
    )
