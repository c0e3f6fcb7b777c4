"""Cutouts by position from the Legacy Surveys' cutout service or a mirror."""

import os
from urllib.parse import urlsplit

from dashboard.backend.datastore import DataStore
from dashboard.galaxy.external_galaxy import ExternalGalaxy
from dashboard.sky.coordinates import Place
from data.services.http_client import FetchError, NoResponseError, RateLimitedError, RetryPolicy
from data.services.legacy_surveys import BASE_URL, CutoutRequest, cutout_request, fetch_cutout

__all__ = ["ADDRESS", "base_url", "fetch_external_galaxy", "host"]

ADDRESS = "PCVAE_LEGACY_URL"  # of the environment: a mirror, or a stand-in
PATIENCE = RetryPolicy(timeout=15.0, tries=2, back_off=0.5, connect=3.0)  # a person waits
INSTEAD = "Without it, upload a FITS cutout of the galaxy"


def base_url() -> str:
    """The base URL of the cutout service."""
    return os.environ.get(ADDRESS) or BASE_URL


def host() -> str:
    """The host name of the service."""
    return urlsplit(base_url()).netloc


def request_like(datastore: DataStore, layer: str = "") -> CutoutRequest:
    """The request that gives images like the store's.

    Args:
        datastore: The store.
        layer: The imaging layer; empty for that of most of its galaxies.

    Raises:
        FetchError: The service has none like those.
    """
    galaxies = datastore.store.galaxies
    if not layer and "layer" in galaxies and galaxies["layer"].notna().any():
        layer = str(galaxies["layer"].mode()[0])
    return cutout_request(datastore.store.info, layer)


def fetch_external_galaxy(datastore: DataStore, place: Place, layer: str = "") -> ExternalGalaxy:
    """Fetch the galaxy at a place; ``layer`` as in ``request_like``.

    Raises:
        FetchError: The service cannot be reached, or has no such image; says which.
    """
    asked = request_like(datastore, layer)
    try:
        found = fetch_cutout(*place, asked, base_url=base_url(), retry_policy=PATIENCE)
    except (RateLimitedError, NoResponseError) as error:
        offline = "There is no connection to the service. " * ("no connection" in str(error))
        msg = f"{offline}{str(error)[:1].upper()}{str(error)[1:]}. {INSTEAD}"
        raise FetchError(msg) from error
    note = f"{found.source} {asked.size} by {asked.size} pixels of {asked.pixel_scale:g}″."
    return ExternalGalaxy(str(place), found.flux, (note,), *place, found.north_angle)
