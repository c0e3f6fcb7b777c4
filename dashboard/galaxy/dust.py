"""The Milky Way's dust before a galaxy that the store does not have."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dashboard.backend.datastore import DataStore
from dashboard.components.file_input import UploadError
from dashboard.galaxy.external_galaxy import ExternalGalaxy
from pcvae.dust import MAX_EBV, dereddening, extinction_of
from pcvae.errors import SettingsError
from pcvae.store import StoreInfo

__all__ = ["behind_nearest_dust", "through_dust"]

NEAR = 15.0  # arcmin; E(B-V) on the maps is a mean over 6.1 arcmin


def through_dust(info: StoreInfo, ebv: float) -> tuple[NDArray[np.float64], list[str]]:
    """What the fluxes of each band (C,) are multiplied by, as the store's were, and a sentence.

    Both say nothing where the store's fluxes are not corrected, or E(B-V) is unknown.

    Raises:
        UploadError: E(B-V) cannot be.
    """
    if info.dust != "corrected" or np.isnan(ebv):
        return np.ones(len(info.bands)), []
    if not 0 <= ebv <= MAX_EBV:
        msg = f"expected E(B-V) from 0 to {MAX_EBV:g} mag, found {ebv:g}"
        raise UploadError(msg)
    try:
        known = info.extinction or extinction_of(info.bands)
    except SettingsError:
        return np.ones(len(info.bands)), []
    factors = dereddening([ebv], [known[band] for band in info.bands])[0]
    return factors, [f"Corrected for the Milky Way's dust, E(B-V) = {ebv:.3g} mag."]


def behind_nearest_dust(datastore: DataStore, external: ExternalGalaxy) -> ExternalGalaxy:
    """The galaxy corrected with E(B-V) of the store's nearest galaxy, if its own is unknown.

    It stays as it is where its position is unknown, or the nearest lies beyond ``NEAR`` arcmin.
    """
    info, galaxies = datastore.store.info, datastore.store.galaxies
    if external.dereddened or info.dust != "corrected" or "ebv" not in galaxies:
        return external
    rows, separations = datastore.sky().nearest(external.ra, external.dec)
    apart = float(separations[0]) / 60
    if apart > NEAR:
        return external
    factors, said = through_dust(info, float(galaxies["ebv"].iloc[rows[0]]))
    if not said:
        return external
    flux = (external.flux * factors[:, None, None]).astype(np.float32)
    whose = f"{said[0][:-1]}, that of the store's nearest galaxy, {apart:.1f} arcmin away."
    return replace(external, flux=flux, notes=(*external.notes, whose), dereddened=True)
