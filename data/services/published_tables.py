"""Downloads of published catalogues, and TAP queries of the Virtual Observatory."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from data.services.http_client import Client, FetchError
from pcvae.errors import SettingsError

__all__ = ["NOTE", "check_md5", "download", "fetch_file", "fetch_tap", "kept_address"]

NOTE = ".from"  # what a note is called after its file, while the catalogue is not finished


def fetch_file(name: str, client: Client, url: str, folder: Path) -> Iterator[tuple[Path, str]]:
    """Download the single file of a catalogue."""
    path = folder / name
    yield path, kept_address(path, url) or download(client, url, path, url)


def fetch_tap(url: str, query: str) -> pd.DataFrame:
    """The result of an ADQL query of a TAP service, such as VizieR's.

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


def kept_address(path: Path, service: str) -> str | None:
    """The address of a file that is there already; None if not, or if another service gave it."""
    note = _note(path)
    if not path.exists() or not note.exists():
        return None
    gave, address = note.read_text().splitlines()
    return address if gave == service else None


def download(client: Client, address: str, path: Path, service: str) -> str:
    """Fetch a file, and note beside it which service gave it and at which address."""
    note = _note(path)
    note.unlink(missing_ok=True)
    client.download(address, path)
    note.write_text(f"{service}\n{address}\n")
    return address


def _note(path: Path) -> Path:
    return path.with_name(path.name + NOTE)


def check_md5(path: Path, expected: str) -> None:
    """Raise and remove a file whose MD5 is not the one of its record."""
    kind, _, digest = expected.partition(":")
    if kind != "md5":
        return
    with path.open("rb") as file:
        found = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if found != digest:
        path.unlink()
        msg = f"{path.name} came with md5 {found}, its record says {digest}. Fetch it again"
        raise FetchError(msg)
