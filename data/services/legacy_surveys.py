"""The Legacy Surveys' cutout service: requests, and checks of its responses.

Shapes are written with C bands and S x S pixels.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from data.readers.raw_image import SAME_SCALE, LeftOutError, RawImage, cut_image
from data.services.http_client import Client, FetchError, InvalidResponseError, RetryPolicy
from pcvae.errors import SettingsError, brief

if TYPE_CHECKING:
    from astropy.io.fits import Header

__all__ = [
    "BASE_URL",
    "LAYER",
    "Cutout",
    "CutoutRequest",
    "check_answer",
    "cutout_request",
    "cutout_url",
    "fetch_cutout",
    "read_served",
]

BASE_URL = "https://www.legacysurvey.org/viewer"
LAYER = "ls-dr9-south"  # DECaLS alone; ls-dr9 takes BASS and MzLS in the north
LAYER_WITH_I = "ls-dr10"
PIXEL_SCALE = 0.262  # arcsec, of the coadds
PAPER_SIZE = 128  # px
MAX_SIZE = 512  # px; larger ones are clipped without a word
BLOCK = 2880  # bytes; headers and data of FITS files fill whole ones
OFFLINE = RetryPolicy(timeout=15.0, tries=2, back_off=0.5)  # for a person who waits


@dataclass(frozen=True, slots=True)
class CutoutRequest:
    """The settings of a request, the same for all galaxies.

    Args:
        layer: The service's name of the survey and its release.
        bands: One letter each.
        size: S.
        pixel_scale: Arcsec a pixel.

    Raises:
        SettingsError: The service would answer with something else.
    """

    layer: str = LAYER
    bands: tuple[str, ...] = ("g", "r", "z")
    size: int = PAPER_SIZE
    pixel_scale: float = PIXEL_SCALE

    def __post_init__(self) -> None:
        if not 8 <= self.size <= MAX_SIZE:
            msg = f"expected a size of 8 to {MAX_SIZE} px, the service's limit, found {self.size}"
            raise SettingsError(msg)
        if not self.pixel_scale > 0:
            msg = f"expected a positive pixel scale, found {self.pixel_scale}"
            raise SettingsError(msg)
        if not self.bands or any(len(band) != 1 for band in self.bands):
            msg = f"expected bands of one letter each, found {','.join(self.bands) or 'none'}"
            raise SettingsError(msg)

    @property
    def file_bytes(self) -> int:
        """The size of an answer: a header of one block, and float32 pixels."""
        pixels = 4 * len(self.bands) * self.size**2
        return BLOCK + -(-pixels // BLOCK) * BLOCK

    def query(self, ra: float, dec: float) -> dict[str, str]:
        """What is asked for at a position [deg]."""
        return {
            "ra": f"{ra:.6f}",
            "dec": f"{dec:.6f}",
            "layer": self.layer,
            "pixscale": f"{self.pixel_scale:g}",
            "bands": "".join(self.bands),
            "size": str(self.size),
        }


class Cutout(NamedTuple):
    """A cutout that was fetched.

    Args:
        flux: Its pixels (C, S, S) [nanomaggy], row index upwards.
        north_angle: Direction of north [rad], counter-clockwise from +x.
        source: A sentence on where it comes from.
    """

    flux: NDArray[np.float32]
    north_angle: float
    source: str


class Images(Protocol):
    """The metadata of a sample's or a store's images."""

    @property
    def bands(self) -> tuple[str, ...]:
        """In the order of the planes."""

    @property
    def size(self) -> int:
        """Pixels on a side."""

    @property
    def pixel_scale(self) -> float | None:
        """Arcsec a pixel."""

    @property
    def unit(self) -> str:
        """Of the pixels."""


def cutout_request(images: Images, layer: str = "") -> CutoutRequest:
    """The request that gives an image like those of a sample or a store.

    Args:
        images: The ``info`` of either.
        layer: As its galaxies' column ``layer`` says; empty for the one that has the bands.

    Raises:
        FetchError: The service has none like those; the message says why.
    """
    known = {"g", "r", "i", "z"}
    why = ""
    if images.unit != "nanomaggy":
        why = f"they are in unit {images.unit!r}, the service's in nanomaggies"
    elif not images.bands or not set(images.bands) <= known:
        why = f"their bands are {','.join(images.bands) or 'unknown'}, the service's g,r,i,z"
    elif images.pixel_scale is None:
        why = "their pixel scale is unknown"
    elif images.size > MAX_SIZE:
        why = f"they are {images.size} px wide, the service's at most {MAX_SIZE}"
    if why or images.pixel_scale is None:
        msg = f"the Legacy Surveys have no images like these: {why}"
        raise FetchError(msg)
    layer = layer or (LAYER_WITH_I if "i" in images.bands else LAYER)
    return CutoutRequest(layer, images.bands, images.size, images.pixel_scale)


def cutout_url(base_url: str) -> str:
    """The address of the cutout service."""
    return f"{base_url.rstrip('/')}/fits-cutout"


def check_answer(content: bytes) -> None:
    """Check that a response is a complete FITS file, before it is written to disk.

    Raises:
        UnusableError: It is something else, such as a page of HTML, or was cut off.
    """
    if not content.startswith(b"SIMPLE  ="):
        start = " ".join(content[:60].decode("ascii", "replace").split())
        msg = f"the answer is not a FITS file but begins with {start!r}"
        raise InvalidResponseError(msg if content else "the answer is empty")
    whole = _length(content)
    if len(content) < whole:
        msg = f"the answer was cut off: {len(content)} of {whole} bytes"
        raise InvalidResponseError(msg)


def read_served(content: bytes | Path, wanted: CutoutRequest, ra: float, dec: float) -> RawImage:
    """Read a response and check it against the request.

    The service interpolates on other pixels than the coadds' 0.262 arcsec without rescaling;
    the values are brought to flux a pixel.

    Args:
        content: The answer, or the file that it is in.
        wanted: What was asked for.
        ra: Where [deg].
        dec: Where [deg].

    Raises:
        LeftOutError: It is not what was asked for, or lies outside the survey.
    """
    from data.readers.fits_file import BROKEN, opened, wcs_of

    try:
        with opened(BytesIO(content) if isinstance(content, bytes) else content) as hdus:
            header, cube, sky = hdus[0].header, hdus[0].data, wcs_of(hdus[0].header)
            planes = _planes(header, cube, wanted)
    except LeftOutError:
        raise
    except BROKEN as error:
        raise LeftOutError("file unreadable", brief(error)) from error
    if sky is None:
        raise LeftOutError("no coordinates", "the header has no WCS")
    if abs(sky.pixel_scale / wanted.pixel_scale - 1) > SAME_SCALE:
        msg = f'asked for {wanted.pixel_scale}", got {sky.pixel_scale:.4f}"'
        raise LeftOutError("other pixel scale", msg)
    if not planes.any():
        raise LeftOutError("outside the footprint", f"all zero in layer {wanted.layer}")
    flux = planes * np.float32((sky.pixel_scale / PIXEL_SCALE) ** 2)
    return RawImage(flux, sky.pixel(ra, dec), wanted.pixel_scale, sky.north_angle)


def fetch_cutout(
    ra: float,
    dec: float,
    wanted: CutoutRequest | None = None,
    *,
    base_url: str = BASE_URL,
    retry_policy: RetryPolicy = OFFLINE,
) -> Cutout:
    """Fetch one galaxy's cutout from the service, with few retries.

    Args:
        ra: Right ascension [deg].
        dec: Declination [deg].
        wanted: Layer, bands, size and pixel scale; None for the paper's.
        base_url: The service, or a mirror of it.
        retry_policy: How long and how often it is tried.

    Raises:
        FetchError: There is no connection, or no image of that place; says which.
    """
    wanted = wanted or CutoutRequest()
    if not (0 <= ra <= 360 and -90 <= dec <= 90):
        msg = f"expected RA in 0 to 360 and Dec in -90 to 90 deg, found {ra:.5f} {dec:+.5f}"
        raise FetchError(msg)
    with Client(retry_policy) as client:
        content = client.ask(cutout_url(base_url), check_answer, query=wanted.query(ra, dec))
    try:
        picture = read_served(content, wanted, ra, dec)
        flux, _ = cut_image(picture, wanted.size, wanted.pixel_scale, wanted.bands)
    except LeftOutError as error:
        msg = f"no cutout of RA {ra:.5f} Dec {dec:+.5f}: {error.reason} ({error.detail})"
        raise FetchError(msg) from error
    return Cutout(flux, picture.north_angle, f"Legacy Surveys, layer {wanted.layer}.")


def _planes(
    header: "Header", cube: NDArray[np.float32] | None, wanted: CutoutRequest
) -> NDArray[np.float32]:
    """The planes (C, S, S) in the order wanted."""
    found = _bands(header)
    if not set(wanted.bands) <= set(found):
        msg = f"asked for {''.join(wanted.bands)}, got {''.join(found) or 'unnamed ones'}"
        raise LeftOutError("other bands", msg)
    shape = () if cube is None else cube.shape
    if cube is None or shape != (len(found), wanted.size, wanted.size):
        msg = f"asked for {wanted.size} px, got an array {shape} of bands {''.join(found)}"
        raise LeftOutError("other size", msg)
    order = [found.index(band) for band in wanted.bands]
    return np.asarray(cube, np.float32)[order]


def _bands(header: Mapping[str, object]) -> tuple[str, ...]:
    text = str(header.get("BANDS", "")).strip()
    count = int(str(header.get("NAXIS3", 0)))
    numbered = [str(header[f"BAND{i}"]).strip() for i in range(count) if f"BAND{i}" in header]
    return tuple(text) if text else tuple(numbered)


def _length(content: bytes) -> int:
    """The length of a FITS file of one array, by its header."""
    end = content.find(b"END" + b" " * 77)
    if end < 0:
        return len(content) + 1
    cards = (content[i : i + 30] for i in range(0, end, 80))
    numbers = {card[:8].strip(): card[10:] for card in cards if card[8:10] == b"= "}
    try:
        axes = [int(numbers[b"NAXIS%d" % (i + 1)]) for i in range(int(numbers[b"NAXIS"]))]
        pixels = int(np.prod(axes)) * abs(int(numbers[b"BITPIX"])) // 8
    except (KeyError, ValueError) as error:
        msg = f"the answer's header is broken: {error}"
        raise InvalidResponseError(msg) from error
    return -(-(end + 80) // BLOCK) * BLOCK + pixels
