"""Uploaded files, FITS cutouts and pictures, made like the store's own images.

Shapes are written with C bands and H x W pixels.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dashboard.components.file_input import MAX_BYTES, Upload, UploadError
from dashboard.galaxy.dust import through_dust
from dashboard.galaxy.external_galaxy import ExternalGalaxy
from data.readers import limited_process
from data.readers.fits_file import stem
from data.readers.fits_limits import GZIP
from data.readers.npz_arrays import as_shown
from data.readers.raw_image import LeftOutError, RawImage, cut_image
from data.readers.untrusted_files import Arrays
from pcvae.store import StoreInfo

__all__ = ["read_image_files"]

FITS = (".fits", ".fit", ".fits.gz", ".fits.fz")
PICTURES = (".png", ".jpg", ".jpeg")
STRETCHED = "stretched"


def read_image_files(
    files: Sequence[Upload], info: StoreInfo, ebv: float | None = None
) -> ExternalGalaxy:
    """Make an image like those of the store of the files of one galaxy.

    Args:
        files: A picture, a FITS file with all bands, or FITS files of some bands each.
        info: Bands, unit, size, pixel scale and dust of the store.
        ebv: E(B-V) [mag] of the Milky Way's dust before it; None to take it from the FITS header.
            Fluxes are corrected by it if the store's are.

    Raises:
        UploadError: They cannot be used, with the reason.
    """
    if not files:
        msg = "expected a FITS cutout, or a PNG or JPEG picture; found no file"
        raise UploadError(msg)
    if (size := sum(len(file.content) for file in files)) > MAX_BYTES:
        msg = f"expected at most {MAX_BYTES >> 20} MB, found {size / 2**20:.0f} MB"
        raise UploadError(msg)
    pictures = [file for file in files if file.name.lower().endswith(PICTURES)]
    if other := [
        file.name for file in files if not file.name.lower().endswith((*FITS, *PICTURES))
    ]:
        msg = f"expected {', '.join((*FITS, *PICTURES))}; found {other[0]}"
        raise UploadError(msg)
    if pictures and len(files) > 1:
        msg = f"expected one picture, or the FITS files of one galaxy; found {len(files)} files"
        raise UploadError(msg)
    try:
        return _of_picture(pictures[0], info) if pictures else _of_fits(files, info, ebv)
    except LeftOutError as error:
        name = "" if files[0].name in error.detail else f"{files[0].name}: "
        msg = f"{name}{error.reason} ({error.detail})"
        raise UploadError(msg) from error


def _of_fits(files: Sequence[Upload], info: StoreInfo, ebv: float | None) -> ExternalGalaxy:
    if info.unit == STRETCHED:
        msg = (
            "this store's models have learnt from pictures, not from fluxes: expected a PNG or "
            f"JPEG picture like its own; found {files[0].name}"
        )
        raise UploadError(msg)
    for file in files:
        if file.name.lower().endswith(".gz") and not file.content.startswith(GZIP):
            msg = f"{file.name} cannot be unpacked: it is not gzipped"
            raise UploadError(msg)
    planes, sky, stated = _planes(files, info.bands)
    flux = _cube(planes, info.bands)
    height, width = flux.shape[1:]
    centre = ((width - 1) / 2, (height - 1) / 2)
    scale, north = (sky[0], sky[1]) if sky else (None, np.nan)
    cut, origin = cut_image(
        RawImage(flux, centre, scale, north), info.size, info.pixel_scale, info.bands
    )
    notes = [f"Bands {', '.join(info.bands)} of {_listed(files)}, {width} by {height} pixels."]
    if np.isfinite(origin):
        notes.append(f"Resampled from {origin:.3f}″ to {info.pixel_scale:.3f}″ a pixel.")
    elif scale is None:
        notes.append("It does not say its pixel scale: taken as the store's.")
    if (width, height) != (info.size, info.size):
        notes.append(f"Cut to {info.size} by {info.size} pixels around the middle.")
    ra, dec = sky[2:] if sky else (np.nan, np.nan)
    factors, said = through_dust(info, stated if ebv is None else ebv)
    notes += said
    name, cut = stem(Path(files[0].name)), (cut * factors[:, None, None]).astype(np.float32)
    return ExternalGalaxy(name, cut, tuple(notes), ra, dec, north, dereddened=bool(said))


def _planes(
    files: Sequence[Upload], bands: tuple[str, ...]
) -> tuple[dict[str, NDArray[np.float32]], tuple[float, float, float, float] | None, float]:
    """The planes of all files by band, and what the first header states.

    It states the pixel scale [arcsec], the direction of north [rad], and the middle [deg]; and
    E(B-V) [mag], NaN if unknown.
    """
    found = _decoded("images", files, bands)
    sky, ebv = found.pop("sky", None), float(found.pop("ebv", np.array([np.nan]))[0])
    planes = {name.removeprefix("plane_"): plane for name, plane in found.items()}
    if sky is None:
        return planes, None, ebv
    scale, north, ra, dec = map(float, sky)
    return planes, (scale, north, ra, dec), ebv


def _decoded(decoder: str, files: Sequence[Upload], words: Sequence[str] = ()) -> Arrays:
    """What a decoder makes of uploaded files, in a process with limits."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, file in enumerate(files):
            name = Path(file.name.replace("\\", "/")).name
            path = Path(folder, str(number), name.lower().removesuffix(".gz"))
            path.parent.mkdir()
            path.write_bytes(file.content)
            paths.append(path)
        return limited_process.decode(decoder, paths, words)


def _cube(planes: dict[str, NDArray[np.float32]], bands: tuple[str, ...]) -> NDArray[np.float32]:
    """The planes of all bands as one (C, H, W)."""
    if missing := [band for band in bands if band not in planes]:
        found = ", ".join(sorted(planes)) or "none"
        msg = f"expected images in the bands {', '.join(bands)}; found {found}"
        raise UploadError(f"{msg}: {', '.join(missing)} is missing")
    shapes = {planes[band].shape for band in bands}
    if len(shapes) > 1:
        msg = f"expected bands of one size, found {' and '.join(map(str, sorted(shapes)))}"
        raise UploadError(msg)
    return np.stack([planes[band] for band in bands])


def _of_picture(file: Upload, info: StoreInfo) -> ExternalGalaxy:
    if len(info.bands) != 3:
        msg = (
            f"a picture has three colours, this store's models take {len(info.bands)} bands "
            f"({', '.join(info.bands)}): expected a FITS cutout, found {file.name}"
        )
        raise UploadError(msg)
    image = _image(file)
    side = min(image.shape[:2])
    notes = [f"The colours of {file.name}, {image.shape[1]} by {image.shape[0]} pixels."]
    if image.shape[0] != image.shape[1]:
        notes.append(f"Cut to the square of {side} pixels in its middle.")
    shown = as_shown(_square(image, side), info.size / side)  # in units of the store's pixels
    planes, _ = cut_image(shown, info.size, 1.0, info.bands)
    field = f"{info.size * info.pixel_scale:.1f}″" if info.pixel_scale else "as much of the sky"
    notes.append(f"Taken to show {field} across, as the store's images do.")
    if info.unit != STRETCHED:
        planes = _undone(planes, info)
        notes.append(
            "Its colours are taken for the store's own stretch, undone: fluxes are rough."
        )
    return ExternalGalaxy(Path(file.name).stem, planes, tuple(notes))


def _image(file: Upload) -> NDArray[np.uint8]:
    """A picture (H, W, 3), first row at the top."""
    image = _decoded("picture", [file])["picture"]
    if np.ptp(image) == 0:
        msg = f"expected a galaxy in {file.name}; every pixel is {tuple(image[0, 0])}"
        raise UploadError(msg)
    return image


def _square(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    top, left = ((length - side) // 2 for length in image.shape[:2])
    return image[top : top + side, left : left + side]


def _undone(planes: NDArray[np.float32], info: StoreInfo) -> NDArray[np.float32]:
    """The fluxes (3, S, S) that the store's stamps would show as these colours, bluest first."""
    import torch

    from pcvae.preprocess import Stretch

    if info.stamp_stretch is None:
        msg = "this store has no stamps whose stretch a picture could share: upload a FITS cutout"
        raise UploadError(msg)
    stretch = Stretch.of(info.stamp_stretch)
    image = torch.as_tensor(planes[list(stretch.order)])[None].clamp(0, 0.995)
    return stretch.restore(image)[0].numpy()


def _listed(files: Sequence[Upload]) -> str:
    return files[0].name if len(files) == 1 else f"{len(files)} files"
