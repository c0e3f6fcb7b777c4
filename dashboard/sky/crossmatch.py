"""A target list that a person uploads, and which galaxies of the store its targets are.

Shapes are written with M targets and N galaxies.
"""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.backend.datastore import DataStore
from dashboard.components.file_input import Upload, UploadError
from data.readers import limited_process
from data.readers.raw_image import LeftOutError
from data.readers.untrusted_files import check_plain, squeezed

__all__ = ["MAX_TARGETS", "TABLES", "match", "read_targets"]

TABLES = (".csv", ".ecsv", ".fits", ".fit", ".vot", ".xml", ".votable", ".parquet", ".pq")
WRITTEN = "targets"  # the name of a list while it is read, which nobody gave it
MAX_TARGETS = 100_000  # targets of a list
SAID = 20  # names of columns in a message
IDS = (
    *("id", "objid", "objectid", "object", "name", "target", "targetid", "sourceid", "mainid"),
    *(
        "galaxy",
        "galaxyid",
        "uberid",
        "cataid",
        "specobjid",
        "dr7objid",
        "dr8objid",
        "designation",
    ),
)
RAS = (
    "ra",
    "raj2000",
    "raicrs",
    "radeg",
    "rad",
    "alphaj2000",
    "rightascension",
    "racen",
    "ramean",
)
DECS = (
    *("dec", "decj2000", "dej2000", "decicrs", "deicrs", "decdeg", "decd", "deltaj2000"),
    *("declination", "deccen", "decmean", "de"),
)


def read_targets(file: Upload) -> pd.DataFrame:
    """The targets of a table: ``id`` (text, or empty), ``ra`` and ``dec`` [deg] (or NaN).

    Columns are known by their usual names, in any case; positions may be sexagesimal, the right
    ascension then in hours.

    Raises:
        UploadError: It is no such table.
    """
    table, rows, names = _read(file)
    if not 1 <= rows <= MAX_TARGETS:
        msg = f"expected 1 to {MAX_TARGETS:,} targets in {file.name}, found {rows:,}"
        raise UploadError(msg)
    id_, ra, dec = (_column(table, names) for names in (IDS, RAS, DECS))
    if id_ is None and (ra is None or dec is None):
        found = ", ".join(names[:SAID]) + (" …" if len(names) > SAID else "") or "none"
        msg = f"expected a column of ids, or RA and Dec, in {file.name}; found {found}"
        raise UploadError(msg)
    ids = _texts(table[id_]) if id_ is not None else np.full(len(table), "", object)
    places = np.full((2, len(table)), np.nan)
    if ra is not None and dec is not None:
        places = _degrees(table[ra], table[dec], file.name)
    return pd.DataFrame({"id": ids, "ra": places[0], "dec": places[1]})


def match(datastore: DataStore, targets: pd.DataFrame, radius: float) -> pd.DataFrame:
    """Which galaxy each target is: by its id, else the nearest within a radius.

    Args:
        datastore: The galaxies.
        targets: As ``read_targets`` makes them.
        radius: Arcsec.

    Returns:
        The targets with ``row`` (-1 for none), ``how`` (``id``, ``position`` or empty) and
        ``separation`` [arcsec]: from the matched galaxy, else from the nearest; NaN if unknown.
    """
    by_id = pd.Index(datastore.ids).get_indexer(pd.Index(targets["id"]))
    nearest, apart = datastore.sky().nearest(targets["ra"], targets["dec"])
    apart = np.where(nearest >= 0, apart, np.nan)
    close = (by_id < 0) & (nearest >= 0) & (apart <= radius)
    rows = np.where(by_id >= 0, by_id, np.where(close, nearest, -1))
    how = np.where(by_id >= 0, "id", np.where(close, "position", ""))
    own = _separation(datastore, targets, by_id)
    return targets.assign(row=rows, how=how, separation=np.where(by_id >= 0, own, apart))


def _separation(
    datastore: DataStore, targets: pd.DataFrame, rows: NDArray[np.intp]
) -> NDArray[np.float64]:
    """The separation of each target from a galaxy [arcsec]; NaN where a position is unknown."""
    from astropy.coordinates import angular_separation

    galaxies = datastore.store.galaxies.iloc[np.maximum(rows, 0)] if len(datastore) else targets
    places = (targets["ra"], targets["dec"], galaxies["ra"], galaxies["dec"])
    found = angular_separation(*(np.deg2rad(angle.to_numpy(np.float64)) for angle in places))
    return np.where(rows >= 0, np.rad2deg(found) * 3600, np.nan)


def _read(file: Upload) -> tuple[pd.DataFrame, int, list[str]]:
    """The columns that may be meant, how many rows there are, and the names of all columns."""
    suffix = Path(file.name).suffix.lower()
    if suffix not in TABLES:
        msg = f"expected a table ending in {', '.join(TABLES)}; found {file.name}"
        raise UploadError(msg)
    try:
        check_plain(file.content[:8])
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, f"{WRITTEN}{suffix}")
            path.write_bytes(file.content)
            found = limited_process.decode("table", [path], (*IDS, *RAS, *DECS))
    except LeftOutError as error:
        detail = error.detail.replace(f"{WRITTEN}{suffix}", file.name)
        msg = f"{file.name} cannot be read as a table: {detail}"
        raise UploadError(msg) from error
    content = json.loads(found["json"].tobytes())
    columns = {name: pd.Series(values) for name, values in content["columns"]}
    return pd.DataFrame(columns), content["rows"], content["all"]


def _column(table: pd.DataFrame, names: Sequence[str]) -> str | None:
    """The column of the first of these names; case and punctuation are ignored."""
    known = {squeezed(str(column)): column for column in table.columns[::-1]}
    return next((known[name] for name in names if name in known), None)


def _texts(column: pd.Series) -> NDArray[np.object_]:
    return column.fillna("").astype(str).str.strip().to_numpy(object)


def _degrees(ra: pd.Series, dec: pd.Series, name: str) -> NDArray[np.float64]:
    """Right ascensions and declinations (2, M) [deg]; NaN where there is none."""
    places = np.stack([pd.to_numeric(angle, errors="coerce") for angle in (ra, dec)]).astype(float)
    texts = ra.notna().to_numpy() & dec.notna().to_numpy() & np.isnan(places).any(axis=0)
    if texts.any():
        places[:, texts] = _sexagesimal(_texts(ra[texts]), _texts(dec[texts]), name)
    inside = (places[0] >= 0) & (places[0] <= 360) & (np.abs(places[1]) <= 90)
    if (bad := np.flatnonzero(np.isfinite(places).all(axis=0) & ~inside)).size:
        where = ", ".join(f"{angle:g}" for angle in places[:, bad[0]])
        msg = f"expected RA in 0 to 360 and Dec in -90 to 90 deg, found {where} in {name}"
        raise UploadError(msg)
    return places


def _sexagesimal(
    ra: NDArray[np.object_], dec: NDArray[np.object_], name: str
) -> NDArray[np.float64]:
    from astropy.coordinates import SkyCoord

    try:
        found = SkyCoord(list(ra), list(dec), unit=("hourangle", "deg"))
    except (ValueError, TypeError) as error:
        msg = f"expected degrees or sexagesimal places in {name}: {str(error).splitlines()[0]}"
        raise UploadError(msg) from error
    return np.stack([found.ra.deg, found.dec.deg])
