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

from data.fetch import Client, FetchError, UnusableError
from data.published_catalogs import GAMA_FIT, GAMA_SKY, MOST_REDSHIFT, ZOU_FILES
from pcvae.errors import SettingsError

__all__ = ["FETCH", "URLS", "fetch_tap"]

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
GAMA_ROWS = {"nshow": "10", "ndownload": "1000000", "nsov": "0"}  # all into the file


def fetch_gama(client: Client, url: str, folder: Path) -> Iterator[tuple[Path, str]]:
    """Post the joined query, and take the table that the answer links."""
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
    table = urljoin(address, links[0])
    yield _kept(client, table, folder / "GAMA_query.csv"), table


def fetch_zou(client: Client, url: str, folder: Path) -> Iterator[tuple[Path, str]]:
    """Take all FITS tables of the record, by the list that Zenodo gives of it."""
    address = f"{url.rstrip('/')}/api/records/{ZOU_RECORD}"

    def check(content: bytes) -> None:
        try:
            json.loads(content)["files"]
        except (ValueError, KeyError, TypeError) as error:
            msg = f"not the list of a record's files: {content[:60]!r}"
            raise UnusableError(msg) from error

    files = json.loads(client.ask(address, check))["files"]
    tables = [one for one in files if one["key"].endswith(".fits")]
    if not tables:
        found = ", ".join(one["key"] for one in files)
        msg = f"expected FITS tables in {address}, found {found or 'none'}"
        raise FetchError(msg)
    for one in tables:
        known = any(fnmatch(one["key"], pattern) for pattern in ZOU_FILES)
        name = one["key"] if known else f"zou_{one['key']}"
        path = _kept(client, one["links"]["self"], folder / name)
        _check_sum(path, one.get("checksum", ""))
        yield path, one["links"]["self"]


def fetch_spirals(client: Client, url: str, folder: Path) -> Iterator[tuple[Path, str]]:
    """Take the one file of the Red Spirals."""
    yield _kept(client, url, folder / "RedSpiralsA1.txt"), url


def fetch_peas(client: Client, url: str, folder: Path) -> Iterator[tuple[Path, str]]:
    """Take the one file of the Green Peas."""
    yield _kept(client, url, folder / "peas_tbl4.csv"), url


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


def _kept(client: Client, url: str, path: Path) -> Path:
    return path if path.exists() else client.download(url, path)


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
