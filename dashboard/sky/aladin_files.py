"""Aladin Lite, which shows survey images: its script, its frame and what the frame may ask for.

The script has a licence of its own (GPL-3) and is not part of this package. It is fetched when
somebody first opens the survey images, checked, and kept; until then nothing outside is asked.
"""

import hashlib
import io
import os
import re
import tarfile
from pathlib import Path

from tornado.web import StaticFileHandler

from data.services.http_client import Client, FetchError, RetryPolicy
from pcvae.errors import PcvaeError

__all__ = ["FRAME", "IMAGES", "SCRIPT", "AladinError", "AladinFile", "aladin_file", "fetch_script"]

VERSION = "3.8.2"
ADDRESS = f"https://registry.npmjs.org/aladin-lite/-/aladin-lite-{VERSION}.tgz"
MEMBER = "package/dist/aladin.js"
SHA512 = (
    "47f3a427c9155f8d42dccca46a396bc58bab373d1be1debe03bb0cd4b5f16215"
    "4fe9d5649f18f09363ff83e7996fe4f5aabcf49cbc688de81145cf3e7e5ba3ca"
)
SCRIPT = "PCVAE_ALADIN"  # of the environment: the script on disk, for servers without a network
PATIENCE = RetryPolicy(timeout=20.0, tries=2, back_off=0.5, connect=5.0)  # a person waits
FRAME = "aladin/aladin_frame.html"  # the frame's address, relative to the page's
OURS = ("aladin_frame.html", "aladin_frame.js")
ADDRESSES = re.compile(r"(?:/.*)?/aladin/(aladin_frame\.html|aladin_frame\.js|aladin\.js)")
IMAGES = "https://alasky.cds.unistra.fr"  # what answers if there is a way to the images
HOSTS = " ".join(
    [IMAGES, "https://alaskybis.cds.unistra.fr"]
    + [f"https://{name}.unistra.fr" for name in ("alasky", "alaskybis")]
)


class AladinError(PcvaeError):
    """Aladin Lite cannot be had."""


class AladinFile(StaticFileHandler):
    """Answers requests for the frame and its scripts; what the frame asks for is limited."""

    def set_extra_headers(self, path: str) -> None:
        """Let the frame run these scripts alone and get images of CDS, Strasbourg."""
        policy = {
            "default-src": "'none'",
            "script-src": "'self' 'wasm-unsafe-eval' blob:",
            "style-src": "'self' 'unsafe-inline'",
            "img-src": f"'self' data: blob: {HOSTS}",
            "font-src": "data:",
            "connect-src": f"'self' data: blob: {HOSTS}",
            "worker-src": "'self' blob:",
        }
        text = "; ".join(f"{name} {value}" for name, value in policy.items())
        self.set_header("Content-Security-Policy", text)

    def compute_etag(self) -> str | None:
        """None: the time of the file is enough to ask whether it has changed."""
        return None


def aladin_file(request_path: str) -> Path | None:
    """The file that a request asks for, by its path; None if it asks for something else.

    Example:
        >>> aladin_file("/lab/aladin/aladin_frame.js").name
        'aladin_frame.js'
        >>> aladin_file("/aladin/aladin_files.py") is None
        True
    """
    found = ADDRESSES.fullmatch(request_path)
    if not found:
        return None
    return Path(__file__).with_name(found[1]) if found[1] in OURS else _script()


def fetch_script() -> Path:
    """The script on disk; fetched and checked if it is not there yet.

    Raises:
        AladinError: It cannot be fetched or kept, or is another one than expected.
    """
    path = _script()
    if os.environ.get(SCRIPT):
        if not path.is_file():
            msg = f"expected the script of Aladin Lite at {path}, as {SCRIPT} says; found none"
            raise AladinError(msg)
        return path
    if path.is_file() and _is_expected(path.read_bytes()):
        return path
    content = _download()
    if not _is_expected(content):
        msg = f"expected Aladin Lite {VERSION} at {ADDRESS}, found something else"
        raise AladinError(msg)
    _keep(path, content)
    return path


def _script() -> Path:
    given = os.environ.get(SCRIPT)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(given) if given else cache / "pcvae" / f"aladin-lite-{VERSION}.js"


def _keep(path: Path, content: bytes) -> None:
    part = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        msg = f"Aladin Lite cannot be kept in {path.parent}: {error.strerror}"
        msg += f". Give another folder by XDG_CACHE_HOME, or the script by {SCRIPT}"
        raise AladinError(msg) from error


def _download() -> bytes:
    try:
        with Client(PATIENCE) as client:
            archive = client.ask(ADDRESS)
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            member = files.extractfile(MEMBER)
            return b"" if member is None else member.read()
    except FetchError as error:
        msg = f"Aladin Lite cannot be fetched: {error}. Give its script by {SCRIPT}"
        raise AladinError(msg) from error
    except (tarfile.TarError, KeyError):
        return b""


def _is_expected(content: bytes) -> bool:
    return hashlib.sha512(content).hexdigest() == SHA512
