"""Fluxes without the Milky Way's dust: E(B-V) of the catalogue or of maps, and the correction."""

import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.pipeline.options import DustOptions
from pcvae.dust import MAX_EBV, extinction_of
from pcvae.errors import SettingsError

__all__ = ["DustFacts", "map_ebv", "with_dust"]

Floats = NDArray[np.float64]


class DustFacts(NamedTuple):
    """What a sample says of dust, as ``pcvae.cutouts.SampleInfo`` holds it."""

    dust: str
    extinction: dict[str, float]


def with_dust(
    candidates: pd.DataFrame, bands: tuple[str, ...], unit: str, options: DustOptions
) -> tuple[pd.DataFrame, DustFacts]:
    """The candidates with E(B-V) where it can be known, and how fluxes are to be corrected.

    Says in a sentence what will not be corrected.

    Args:
        candidates: A row a galaxy, with ``ra``, ``dec`` [deg] and maybe ``ebv`` [mag].
        bands: The bands of the sample.
        unit: Its unit: display images (``stretched``) cannot be corrected.
        options: As on the command line.

    Raises:
        SettingsError: Values of ``ebv`` cannot be, a band's extinction is not known, or the maps
            cannot be read.
    """
    candidates = _checked(candidates)
    if options.dust_maps:
        candidates = candidates.assign(ebv=_filled(candidates, options.dust_maps))
    if unit == "stretched":
        return candidates, DustFacts("unknown", {})
    if options.dust != "correct":
        return candidates, DustFacts("left" if options.dust == "leave" else "corrected", {})
    known = int(candidates["ebv"].notna().sum()) if "ebv" in candidates else 0
    if not known:
        print(
            "E(B-V) is unknown, so fluxes are not corrected for the Milky Way's dust: give a "
            "column ebv, or --dust-maps FOLDER"
        )
        return candidates, DustFacts("left", {})
    if known < len(candidates):
        print(f"{len(candidates) - known} galaxies have no E(B-V): their fluxes stay as they are")
    others = [band for band in bands if band not in options.extinction]
    coefficients = extinction_of(others, options.camera) | options.extinction
    return candidates, DustFacts("corrected", {band: coefficients[band] for band in bands})


def map_ebv(
    ra: NDArray[np.float64], dec: NDArray[np.float64], folder: Path
) -> NDArray[np.float64]:
    """E(B-V) [mag] on the maps of Schlegel, Finkbeiner & Davis (1998); NaN without a place.

    Args:
        ra: Right ascensions (N,) [deg].
        dec: Declinations (N,) [deg].
        folder: Holds ``SFD_dust_4096_ngp.fits`` and ``SFD_dust_4096_sgp.fits``.

    Raises:
        SettingsError: The maps are not there, or ``dustmaps`` is not installed.
    """
    try:
        with warnings.catch_warnings():  # it misses a configuration that is not needed here
            warnings.simplefilter("ignore")
            from dustmaps.sfd import SFDQuery
    except ImportError as error:
        msg = "--dust-maps needs the package dustmaps: pip install 'pcvae[survey]'"
        raise SettingsError(msg) from error
    from astropy.coordinates import SkyCoord

    try:
        query = SFDQuery(map_dir=str(folder))
    except (OSError, ValueError, KeyError) as error:
        msg = (
            f"expected SFD_dust_4096_ngp.fits and SFD_dust_4096_sgp.fits in {folder}: {error}. "
            f"The package dustmaps fetches them: python -c 'import dustmaps.sfd as s; s.fetch()'"
        )
        raise SettingsError(msg) from error
    result = np.full(len(ra), np.nan)
    there = np.isfinite(ra) & np.isfinite(dec)
    if there.any():
        result[there] = query(SkyCoord(ra[there], dec[there], unit="deg"))
    return result


def _checked(candidates: pd.DataFrame) -> pd.DataFrame:
    """The table with ``ebv`` as numbers, if it has any; those that cannot be are no guess."""
    if "ebv" not in candidates:
        return candidates
    values = pd.to_numeric(candidates["ebv"], errors="coerce").astype(np.float64)
    wrong = values.notna() & ~values.between(0, MAX_EBV)
    if wrong.any():
        msg = (
            f"expected ebv from 0 to {MAX_EBV:g} mag, found {values[wrong].iloc[0]:g} for "
            f"{candidates.loc[wrong, 'id'].iloc[0]}: name the right column with --columns ebv=NAME"
        )
        raise SettingsError(msg)
    return candidates.assign(ebv=values)


def _filled(candidates: pd.DataFrame, folder: Path) -> Floats:
    """E(B-V) of the catalogue and, where it has none, of the maps."""
    ra, dec = (candidates[name].to_numpy(np.float64) for name in ("ra", "dec"))
    if "ebv" not in candidates:
        return map_ebv(ra, dec, folder)
    known = candidates["ebv"].to_numpy(np.float64)
    return np.where(np.isfinite(known), known, map_ebv(ra, dec, folder))
