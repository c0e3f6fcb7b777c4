"""What the headers of a FITS file declare, checked before any of its data is read.

Astropy allocates what a header says: a file of a kilobyte can ask for the whole memory, and one
with an axis of negative length is never read to its end.
"""

import gzip
import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from astropy.io import fits

__all__ = ["GZIP", "MAX_TABLE", "DeclaredSizeError", "checked", "contained"]

BLOCK = 2880  # bytes; headers and data are filled up to it
MAX_VALUES = 1 << 25  # pixels of all images of a file: three bands of 3300 by 3300
MAX_PLANES = 1024  # of an image
MAX_TABLE = 1 << 28  # bytes of a table; more than any list of targets
MAX_UNPACKED = MAX_VALUES * 8 + (1 << 22)  # bytes of a gzipped file: its pixels and headers
MAX_HDUS = 256
MAX_COUNT = 999  # axes of an image or columns of a table, by the FITS Standard 4.0
GZIP = b"\x1f\x8b"
SOUND = ("RICE_1", "RICE_ONE", "GZIP_1", "GZIP_2", "NOCOMPRESS")  # survive damaged files
_contained = ContextVar("whether a crash ends no more than this process", default=False)
PACKED = (b"BZh", b"\xfd7zXZ", b"PK\x03\x04", b"\x1f\x9d", b"\x1f\xa0")


class DeclaredSizeError(OSError):
    """A file declares more than can be read, or what cannot be."""


def checked(file: Path | BinaryIO) -> BinaryIO:
    """The file from its start, unpacked if it is gzipped; all its headers are sound.

    Args:
        file: A path, or a file that can be sought.

    Returns:
        An open file, which the caller closes.

    Raises:
        DeclaredSizeError: A header declares more than is ever needed, or a negative size.
        OSError: It cannot be read.
    """
    opened = file.open("rb") if isinstance(file, Path) else file
    try:
        start = opened.read(6)
        opened.seek(0)
        if start.startswith(PACKED):
            msg = "expected FITS, plain or gzipped; it is compressed in another way"
            raise DeclaredSizeError(msg)
        plain = _unpacked(opened) if start.startswith(GZIP) else opened
        _check(plain)
    except BaseException:
        opened.close()
        raise
    plain.seek(0)
    return plain


def _unpacked(file: BinaryIO) -> BinaryIO:
    with gzip.GzipFile(fileobj=file) as packed:
        content = packed.read(MAX_UNPACKED + 1)
    file.close()
    if len(content) > MAX_UNPACKED:
        msg = f"expected at most {MAX_UNPACKED >> 20} MB when unpacked, found more"
        raise DeclaredSizeError(msg)
    return BytesIO(content)


def _check(file: BinaryIO) -> None:
    """Check each header; stops where the file does."""
    values = 0
    for number, header in enumerate(_headers(file)):
        if number == MAX_HDUS:
            msg = f"expected at most {MAX_HDUS} HDUs, found more"
            raise DeclaredSizeError(msg)
        if header.get("XTENSION", "IMAGE").strip() == "IMAGE":
            values += _image_values(header, "")
        elif header.get("ZIMAGE", False):
            values += _image_values(header, "Z")
            _check_compression(header)
        if values > MAX_VALUES:
            msg = f"expected at most {MAX_VALUES:,} pixels, the headers declare {values:,}"
            raise DeclaredSizeError(msg)


def _check_compression(header: fits.Header) -> None:
    """Refuse what the library that unpacks tiles does not check itself and crashes on."""
    kind = str(header.get("ZCMPTYPE", ""))
    if kind not in SOUND and not _contained.get():
        msg = f"expected tiles packed by RICE or GZIP, found {kind}: pack it again with fpack -r"
        raise DeclaredSizeError(msg)
    names = {header[card]: card for card in header["ZNAME*"]}
    size = header.get(names.get("BYTEPIX", "").replace("NAME", "VAL"), 4)
    if size not in (1, 2, 4, 8):
        msg = f"expected BYTEPIX 1, 2, 4 or 8, found {size!r}"
        raise DeclaredSizeError(msg)


@contextmanager
def contained() -> Iterator[None]:
    """Tiles may be packed by any method, as a crash ends no more than this process."""
    token = _contained.set(True)
    try:
        yield
    finally:
        _contained.reset(token)


def _headers(file: BinaryIO) -> Iterator[fits.Header]:
    """The headers one after the other, by the sizes that they declare."""
    while True:
        try:
            header = fits.Header.fromfile(file)
        except EOFError:
            return
        size = _data_size(header)
        yield header
        file.seek(-(-size // BLOCK) * BLOCK, 1)


def _axes(header: fits.Header, prefix: str) -> list[int]:
    """The lengths of the axes, none below zero."""
    count = _whole(header, f"{prefix}NAXIS", 0)
    if max(count, _whole(header, "TFIELDS", 0)) > MAX_COUNT:
        msg = f"expected at most {MAX_COUNT} axes or columns, the header declares more"
        raise DeclaredSizeError(msg)
    return [_whole(header, f"{prefix}NAXIS{i}", 0) for i in range(1, count + 1)]


def _whole(header: fits.Header, name: str, default: int) -> int:
    value = header.get(name, default)
    if not isinstance(value, int) or value < 0:
        msg = f"expected a size for {name}, found {value!r}"
        raise DeclaredSizeError(msg)
    return int(value)


def _image_values(header: fits.Header, prefix: str) -> int:
    """How many pixels an image has; its tiles must be of some size, and not larger."""
    axes = _axes(header, prefix)
    if math.prod(max(length, 1) for length in axes[2:]) > MAX_PLANES:
        msg = f"expected at most {MAX_PLANES} planes, the header declares {axes}"
        raise DeclaredSizeError(msg)
    if prefix:
        tiles = [_whole(header, f"ZTILE{i}", 1) for i in range(1, len(axes) + 1)]
        if 0 in tiles or math.prod(tiles) > MAX_VALUES:
            msg = f"expected tiles of some pixels, found {tiles}"
            raise DeclaredSizeError(msg)
    return math.prod(max(length, 1) for length in axes) if axes else 0


def _data_size(header: fits.Header) -> int:
    """The bytes of the data, by the formula of the FITS Standard 4.0, section 4.4.1."""
    axes = _axes(header, "")
    bits = abs(header.get("BITPIX", 8))
    if bits not in (8, 16, 32, 64):
        msg = f"expected BITPIX 8, 16, 32, 64, -32 or -64, found {header['BITPIX']!r}"
        raise DeclaredSizeError(msg)
    values = math.prod(axes) if axes else 0
    parameters, groups = _whole(header, "PCOUNT", 0), _whole(header, "GCOUNT", 1)
    size = bits // 8 * groups * (parameters + values)
    table = header.get("XTENSION", "IMAGE").strip() != "IMAGE"
    if size > (MAX_TABLE if table else MAX_VALUES * 8):
        msg = f"the header declares {size / 2**20:,.0f} MB, more than is ever read"
        raise DeclaredSizeError(msg)
    return size
