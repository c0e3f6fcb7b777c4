"""Galaxies by a name that others gave them: Sesame knows the place, the store the galaxy there."""

import os
import re
from urllib.parse import urlsplit

from dashboard.backend.datastore import DataStore
from dashboard.sky.coordinates import Place
from dashboard.sky.search import Found, near
from data.services.http_client import FetchError, RetryPolicy
from data.services.sesame import BASE_URL, resolve

__all__ = ["ADDRESS", "host", "is_name", "named"]

ADDRESS = "PCVAE_SESAME_URL"  # of the environment: a mirror, or a stand-in
PATIENCE = RetryPolicy(timeout=10.0, tries=2, back_off=0.5, connect=3.0)  # a person waits
LONGEST = 60  # letters of a name
NAME = re.compile(r"(?=.*[A-Za-z])[\w .+*:()\[\]/'-]+")


def base_url() -> str:
    """Sesame's address."""
    return os.environ.get(ADDRESS) or BASE_URL


def host() -> str:
    """The host that is asked."""
    return urlsplit(base_url()).netloc


def is_name(text: str) -> bool:
    """Whether a text may be the name of an object.

    Example:
        >>> is_name("NGC 1068"), is_name("12345"), is_name("<b>")
        (True, False, False)
    """
    return len(text) <= LONGEST and NAME.fullmatch(text.strip()) is not None


def named(datastore: DataStore, name: str) -> Found:
    """The galaxy at the place of a named object; asks Sesame, so call it in a worker."""
    try:
        place = resolve(name, base_url(), PATIENCE)
    except FetchError as error:
        offline = "There is no connection to Sesame. " * ("no connection" in str(error))
        return Found(f"{offline}{name!r} was not looked up: {error}.")
    if place is None:
        return Found(f"Sesame (SIMBAD, NED, VizieR) knows no object called {name!r}.")
    found = near(datastore, Place(*place))
    return found._replace(words=f"{name}: {found.words}")
