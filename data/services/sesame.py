"""Positions of named objects, by Sesame of the CDS, which asks SIMBAD, NED and VizieR in turn.

The protocol: https://cds.unistra.fr/cgi-bin/Sesame, of which ``/SNV?NAME`` names the three
services by their letters and answers text, with a line ``%J RA Dec`` in degrees (ICRS, J2000).
"""

import re
from urllib.parse import quote

from data.services.http_client import Client, InvalidResponseError, RetryPolicy

__all__ = ["BASE_URL", "resolve"]

BASE_URL = "https://cds.unistra.fr/cgi-bin/nph-sesame"
NUMBER = r"([+-]?\d+\.?\d*)"
POSITION = re.compile(rf"^%J\s+{NUMBER}\s+{NUMBER}", re.MULTILINE)
ANSWERED = re.compile(r"^#", re.MULTILINE)  # a line of comment, which every answer has


def resolve(
    name: str, base_url: str = BASE_URL, retry_policy: RetryPolicy | None = None
) -> tuple[float, float] | None:
    """Right ascension and declination [deg] of a named object; None if no service knows it.

    Args:
        name: Its name, such as ``NGC 1068``.
        base_url: Sesame's address, or a mirror's.
        retry_policy: How the request is retried.

    Raises:
        FetchError: Sesame cannot be reached, or gives no usable answer.
    """
    address = f"{base_url.rstrip('/')}/SNV?{quote(name)}"
    with Client(retry_policy) as client:
        text = client.ask(address, _check).decode("utf-8", "replace")
    found = POSITION.search(text)
    return (float(found[1]), float(found[2])) if found else None


def _check(body: bytes) -> None:
    if not ANSWERED.search(body.decode("utf-8", "replace")):
        msg = "the answer is not Sesame's"
        raise InvalidResponseError(msg)
