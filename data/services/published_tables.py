"""How the published catalogues are downloaded, each from the service that keeps it."""

import hashlib
import json
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from html import unescape
from pathlib import Path
from urllib.parse import urljoin

import pandas as pd

from data.published.known_catalogs import GAMA_FIT, GAMA_SKY, MOST_REDSHIFT, ZOU_FILES
from data.services.http_client import Client, FetchError, InvalidResponseError
from pcvae.errors import SettingsError

__all__ = ["FETCH", "NOTE", "URLS", "fetch_tap"]

URLS = {
    "gama": "https://www.gama-survey.org/dr4",
    "zou": "https://zenodo.org",
    "red_spirals": "https://data.galaxyzoo.org/data/redspirals/RedSpiralsA1.txt",
    "green_peas": "https://data.galaxyzoo.org/data/greenpeas/peas_tbl4.csv",
}
ZOU_RECORD = "6620892"
# The query form cuts a query at the first "<", so ranges are written with BETWEEN.
GAMA_QUERY = (
    f"SELECT {', '.join(f's.{name}' for name in GAMA_SKY)}, "
    f"{', '.join(f'p.{name}' for name in GAMA_FIT)} "
    "FROM gkvScienceCatv02 AS s INNER JOIN ProSpectv03 AS p ON s.uberID = p.uberID "
    f"WHERE s.Z BETWEEN 0 AND {MOST_REDSHIFT:g}"
)
NOTE = ".from"  # what a note is called after its file, while the catalogue is not finished
GAMA_ROWS = {"nshow": "10", "ndownload": "1000000", "nsov": "0"}  # all into the file


def fetch_gama(client: Client, url: str, folder: Path) -> Iterator[tuple[Path, str]]:
    """Post the joined query, and take the table that the answer links."""
    path = folder / "GAMA_query.csv"
    yield path, _kept(path, url) or _download(client, _gama_table(client, url), path, url)


def _gama_table(client: Client, url: str) -> str:
    """Where the query form puts the table that it is asked for."""
    form = {"query": GAMA_QUERY, "format": "csv", **GAMA_ROWS}
    address = f"{url.rstrip('/')}/query/index.php"
    page = client.ask(address, form=form).decode("utf-8", "replace")
    echo = re.search(r'<span class="query">(.*?)</span>', page, re.DOTALL)
    if echo and " ".join(unescape(echo[1]).split()) != GAMA_QUERY:
        msg = f"{address} understood another query than it was asked: {' '.join(echo[1].split())}"
        raise FetchError(msg)
    links = re.findall(r"""href=["']([^"']*tmp/GAMA_[^"']*\.csv)["']""", page, re.IGNORECASE)
    if not links:
        text = " ".join(re.sub(r"<[^>]*>", " ", page).split())[:200]
        msg = f"expected a link to tmp/GAMA_....csv in the answer of {address}, found: {text}"
        raise FetchError(msg)
    return urljoin(address, links[0])


def fetch_zou(client: Client, url: str, folder: Path) -> Iterator[tuple[Path, str]]:
    """Take all FITS tables of the record, by the list that Zenodo gives of it."""
    address = f"{url.rstrip('/')}/api/records/{ZOU_RECORD}"

    def check(content: bytes) -> None:
        try:
            json.loads(content)["files"]
        except (ValueError, KeyError, TypeError) as error:
            msg = f"not the list of a record's files: {content[:60]!r}"
            raise InvalidResponseError(msg) from error

    files = json.loads(client.ask(address, check))["files"]
    tables = [one for one in files if one["key"].endswith(".fits")]
    if not tables:
        found = ", ".join(one["key"] for one in files)
        msg = f"expected FITS tables in {address}, found {found or 'none'}"
        raise FetchError(msg)
    for one in tables:
        known = any(fnmatch(one["key"], pattern) for pattern in ZOU_FILES)
        name = one["key"] if known else f"zou_{one['key']}"
        path = folder / name
        table = _kept(path, url) or _download(client, one["links"]["self"], path, url)
        _check_sum(path, one.get("checksum", ""))
        yield path, table


def fetch_spirals(client: Client, url: str, folder: Path) -> Iterator[tuple[Path, str]]:
    """Take the one file of the Red Spirals."""
    path = folder / "RedSpiralsA1.txt"
    yield path, _kept(path, url) or _download(client, url, path, url)


def fetch_peas(client: Client, url: str, folder: Path) -> Iterator[tuple[Path, str]]:
    """Take the one file of the Green Peas."""
    path = folder / "peas_tbl4.csv"
    yield path, _kept(path, url) or _download(client, url, path, url)


FETCH = {
    "gama": fetch_gama,
    "zou": fetch_zou,
    "red_spirals": fetch_spirals,
    "green_peas": fetch_peas,
}


def fetch_tap(url: str, query: str) -> pd.DataFrame:
    """The answer of a Virtual Observatory's table service, such as VizieR's, to an ADQL query.

    Raises:
        FetchError: There is no such service, or it refuses the query.
        SettingsError: The client is not installed.
    """
    try:
        import pyvo
    except ImportError as error:
        msg = "--tap needs pyvo: pip install -e '.[survey]'"
        raise SettingsError(msg) from error
    import requests

    try:
        table = pyvo.dal.TAPService(url).run_sync(query).to_table()
    except (pyvo.dal.DALServiceError, pyvo.dal.DALQueryError, pyvo.dal.DALFormatError) as error:
        msg = f"{url} does not answer the query: {error}"
        raise FetchError(msg) from error
    except requests.RequestException as error:
        msg = f"{url} does not answer: {type(error).__name__}"
        raise FetchError(msg) from error
    return table[[name for name in table.colnames if table[name].ndim == 1]].to_pandas()


def _kept(path: Path, service: str) -> str | None:
    """The address of a file that is there already; None if not, or if another service gave it."""
    note = _note(path)
    if not path.exists() or not note.exists():
        return None
    gave, address = note.read_text().splitlines()
    return address if gave == service else None


def _download(client: Client, address: str, path: Path, service: str) -> str:
    """Fetch a file, and note beside it which service gave it and at which address."""
    note = _note(path)
    note.unlink(missing_ok=True)
    client.download(address, path)
    note.write_text(f"{service}\n{address}\n")
    return address


def _note(path: Path) -> Path:
    return path.with_name(path.name + NOTE)


def _check_sum(path: Path, expected: str) -> None:
    kind, _, digest = expected.partition(":")
    if kind != "md5":
        return
    with path.open("rb") as file:
        found = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if found != digest:
        path.unlink()
        msg = f"{path.name} came with md5 {found}, its record says {digest}. Fetch it again"
        raise FetchError(msg)
