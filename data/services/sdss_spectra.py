"""Spectra of SDSS by position: SkyServer's search by SQL, and its picture of a spectrum."""

import json
from typing import NamedTuple

from data.services.http_client import Client, InvalidResponseError, RetryPolicy

__all__ = ["BASE_URL", "RADIUS", "Spectrum", "nearest_spectrum"]

BASE_URL = "https://skyserver.sdss.org/dr18"
RADIUS = 3.0  # arcsec: the diameter of a fibre of SDSS's first spectrographs
PICTURES = {b"\x89PNG": "image/png", b"GIF8": "image/gif", b"\xff\xd8\xff": "image/jpeg"}
NEAREST = (
    "SELECT TOP 1 CAST(s.specObjID AS VARCHAR(24)) AS id, s.z AS z, s.zErr AS error, "
    "s.zWarning AS warning, s.class AS class, s.subClass AS subclass "
    "FROM SpecObj AS s "
    "WHERE s.specObjID = dbo.fGetNearestSpecObjIdEq({ra:.6f}, {dec:.6f}, {arcmin:.4f})"
)


class Spectrum(NamedTuple):
    """A spectrum of SDSS, as a picture.

    Args:
        number: Its specObjID.
        picture: The bytes of the picture.
        kind: The picture's MIME type.
        redshift: As fitted by SDSS's pipeline.
        error: Of the redshift.
        warning: Bits of zWarning; 0 for a redshift without one.
        name: Class and subclass, such as ``GALAXY STARFORMING``.
    """

    number: str
    picture: bytes
    kind: str
    redshift: float
    error: float
    warning: int
    name: str


def nearest_spectrum(
    ra: float,
    dec: float,
    base_url: str = BASE_URL,
    retry_policy: RetryPolicy | None = None,
) -> Spectrum | None:
    """The best spectrum nearest to a position [deg] within ``RADIUS``; None if there is none.

    Args:
        ra: Right ascension.
        dec: Declination.
        base_url: SkyServer's release, or a mirror.
        retry_policy: How the two requests are retried.

    Raises:
        FetchError: The service refuses, or gives no usable answer.
    """
    base_url = base_url.rstrip("/")
    search = f"{base_url}/SkyServerWS/SearchTools/SqlSearch"
    query = {"cmd": NEAREST.format(ra=ra, dec=dec, arcmin=RADIUS / 60), "format": "json"}
    with Client(retry_policy) as client:
        answer = client.ask(search, _check_rows, query=query)
        rows = _rows(answer)
        if not rows:
            return None
        number = str(rows[0]["id"])
        address = f"{base_url}/en/get/SpecById.ashx"
        picture = client.ask(address, _check_picture, query={"id": number})
    return _spectrum(rows[0], picture)


def _spectrum(row: dict[str, str | float | None], picture: bytes) -> Spectrum:
    name = " ".join(str(row[part]) for part in ("class", "subclass") if row[part])
    redshift, error, warning = (float(row[part] or 0) for part in ("z", "error", "warning"))
    number, kind = str(row["id"]), _kind(picture)
    return Spectrum(number, picture, kind, redshift, error, int(warning), name)


def _rows(body: bytes) -> list[dict[str, str | float | None]]:
    """The rows of a table that SkyServer answers.

    Raises:
        InvalidResponseError: It is no such table, or lacks a column.
    """
    try:
        rows = json.loads(body)[0]["Rows"]
        return [
            {name: row[name] for name in ("id", "z", "error", "warning", "class", "subclass")}
            for row in rows
        ]
    except (ValueError, LookupError, TypeError) as error:
        msg = "the answer is no table of spectra"
        raise InvalidResponseError(msg) from error


def _check_rows(body: bytes) -> None:
    _rows(body)


def _kind(picture: bytes) -> str:
    """The MIME type of a picture; empty for what is none."""
    return next((kind for begin, kind in PICTURES.items() if picture.startswith(begin)), "")


def _check_picture(body: bytes) -> None:
    if not _kind(body):
        msg = "the answer is no picture"
        raise InvalidResponseError(msg)
