"""The cutout of one galaxy as a FITS file: fluxes where available, else the display stamp.

Shapes are written with C bands and S x S pixels.
"""

import io
import os
import shlex
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from astropy.io import fits
from numpy.typing import NDArray

from dashboard.backend.datastore import DataStore
from dashboard.galaxy.legacy_cutout import base_url, fetch_external_galaxy
from dashboard.sky.coordinates import Place
from data.services.http_client import FetchError
from pcvae import __version__
from pcvae.cutouts import Sample, read_sample
from pcvae.errors import PcvaeError

__all__ = ["SAMPLE", "Pixels", "as_fits", "find_sample", "pixels_of"]

SAMPLE = "PCVAE_SAMPLE"  # of the environment: the folder of the store's sample
ROOT = Path(__file__).resolve().parents[2]
NO_FLUX = "display stamp, not flux"


class Pixels(NamedTuple):
    """The pixels of a galaxy.

    Args:
        values: (C, S, S), row index upwards.
        unit: ``nanomaggy``; else a description.
        bands: The bands of the planes, or the colours of a stamp.
        origin: A sentence on their source.
        north: Direction of north [rad], counter-clockwise from +x; NaN if unknown.
    """

    values: NDArray[np.generic]
    unit: str
    bands: tuple[str, ...]
    origin: str
    north: float


def find_sample(datastore: DataStore) -> Sample | None:
    """The sample that the store was made of, if it is on this machine; else None.

    It is searched for at ``PCVAE_SAMPLE``, where the store's command says, and in
    ``data/samples``. It must have the store's galaxies in the store's order.
    """
    info = datastore.store.info
    words = shlex.split(info.command)
    samples = [words[i + 1] for i, word in enumerate(words[:-1]) if word == "train.encode"]
    places = [Path(text) for text in (os.environ.get(SAMPLE, ""), *samples) if text]
    places += [ROOT / text for text in samples] + [ROOT / "data" / "samples" / info.sample]
    for place in places:
        try:
            sample = read_sample(place)
        except PcvaeError:
            continue
        same = sample.info.bands == info.bands and len(sample) == len(datastore)
        if same and sample.catalog["id"].equals(datastore.store.galaxies["id"]):
            return sample
    return None


def pixels_of(datastore: DataStore, row: int, sample: Sample | None) -> Pixels:
    """The pixels of a galaxy: of its sample; fetched, for a real place; else its stamp.

    Raises:
        PcvaeError: There are none, with the reason.
    """
    info, why = datastore.store.info, "its sample is not at hand"
    galaxy = datastore.store.galaxies.iloc[row]
    north = float(galaxy.get("north_angle", np.nan))
    if sample is not None:
        unit = "nanomaggy" if info.unit == "nanomaggy" else "stretched to [0, 1]"
        values = sample.pixels(slice(row, row + 1))[0]
        return Pixels(values, unit, info.bands, f"sample {info.sample}: {info.source}", north)
    place = Place(float(galaxy["ra"]), float(galaxy["dec"]))
    if "simulated" not in info.source.lower() and np.isfinite(place).all():
        try:
            found = fetch_external_galaxy(datastore, place, _layer_of(galaxy))
            origin = f"{found.notes[0]} Fetched from {base_url()}."
            return Pixels(found.flux, "nanomaggy", info.bands, origin, found.north_angle)
        except FetchError as error:
            why += f", and: {error}"
    stamp = datastore.stamp(row)
    if stamp is None:
        msg = f"there is no cutout of {datastore.ids[row]}: {why}, and the store has no stamps"
        raise PcvaeError(msg)
    planes = np.ascontiguousarray(np.moveaxis(stamp, 2, 0)[::-1])
    origin = f"Stamp of the store, because {why}."
    return Pixels(planes, NO_FLUX, ("blue", "green", "red"), origin, north)


def as_fits(datastore: DataStore, row: int, pixels: Pixels) -> bytes:
    """The bytes of a FITS file with metadata in its header, and a WCS if the position is known."""
    info, galaxy = datastore.store.info, datastore.store.galaxies.iloc[row]
    header = fits.Header()
    header["OBJECT"] = str(datastore.ids[row])
    header["BUNIT"] = pixels.unit
    bands = pixels.bands
    header["BANDS"] = ("" if all(len(band) == 1 for band in bands) else ",").join(bands)
    header["STORE"], header["SAMPLE"] = datastore.store.folder.name, info.sample
    header["SOFTWARE"] = f"pcvae {__version__}"
    if pixels.unit == NO_FLUX:
        header["IMAGETYP"] = (NO_FLUX, "8 bits: measure nothing on it")
    scale = info.pixel_scale
    size = pixels.values.shape[-1]
    if scale is not None:
        header["PIXSCALE"] = (scale * info.size / size, "arcsec")
    header.add_history(pixels.origin.encode("ascii", "replace").decode())
    place = Place(float(galaxy["ra"]), float(galaxy["dec"]))
    if scale is not None and np.isfinite([pixels.north, *place]).all():
        header.update(_wcs(place, size, scale * info.size / size, pixels.north))
    file = io.BytesIO()
    fits.PrimaryHDU(pixels.values, header).writeto(file)
    return file.getvalue()


def _layer_of(galaxy: pd.Series) -> str:
    """The layer that a galaxy's image is of; empty if that is unknown."""
    layer = galaxy.get("layer")
    return layer if isinstance(layer, str) else ""


def _wcs(place: Place, size: int, scale: float, north: float) -> dict[str, float | str]:
    r"""The cards of a tangent-plane WCS centred on the galaxy; east is :math:`\pi/2` from north.

    .. math::
        CD = \frac{s}{3600} \begin{pmatrix} -\sin\theta & \cos\theta \\
            \cos\theta & \sin\theta \end{pmatrix}

    Args:
        place: Of the galaxy.
        size: S.
        scale: s, arcsec a pixel.
        north: :math:`\theta`, the direction of north [rad], counter-clockwise from +x.
    """
    step, c, s = scale / 3600, float(np.cos(north)), float(np.sin(north))
    return {
        "CTYPE1": "RA---TAN",
        "CTYPE2": "DEC--TAN",
        "CRVAL1": place.ra,
        "CRVAL2": place.dec,
        "CRPIX1": (size + 1) / 2,
        "CRPIX2": (size + 1) / 2,
        "CD1_1": -s * step,
        "CD1_2": c * step,
        "CD2_1": c * step,
        "CD2_2": s * step,
        "CD3_3": 1.0,
        "RADESYS": "ICRS",
    }
