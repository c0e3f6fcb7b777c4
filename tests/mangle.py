"""Mangled inputs: each reader answers each of them by data or by a sentence, soon and in little.

    python -m tests.mangle [COUNT]

Feeds COUNT mangled inputs (200) to each reader of ``READERS`` and prints how many were read, how
many refused, the longest time and the most memory. The same number gives the same inputs.
"""

import io
import random
import resource
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pandas as pd
from astropy.io import fits
from astropy.table import Table
from PIL import Image

from pcvae.errors import PcvaeError

COUNT, LONGEST, MOST = 200, 30.0, 1000.0  # inputs, seconds, MB
WORDS = 1000  # characters of a message, at most
STORE = Path(__file__).parent / "earlier_version" / "store"
NUMBERS = (b"0", b"-5", b"1000000", b"99999999999999999999", b"1e400", b"nan", b"T", b"'x'")
BYTES = (b"\x00", b"\xff", b"\xef\xbb\xbf", b"\r", b'"', b"\n" * 50, b"=", b"\x1f\x8b\x08", b"<!")


class Outcome(NamedTuple):
    """What a reader did with its inputs."""

    read: int
    refused: int
    seconds: float
    megabytes: float


def mangled(sound: bytes, count: int, seed: int = 1) -> Iterator[bytes]:
    """Some mangled forms of an input: cut, flipped, doubled, and with other numbers in it."""
    source = random.Random(seed)
    for _ in range(count):
        content = sound
        for _ in range(source.choice((1, 1, 2, 5))):
            content = source.choice(WAYS)(content, source)
        yield content


def _cut(content: bytes, source: random.Random) -> bytes:
    return content[: source.randrange(len(content) + 1)]


def _flip(content: bytes, source: random.Random) -> bytes:
    made = bytearray(content)
    for _ in range(source.choice((1, 8, 64))):
        if made:
            made[source.randrange(min(len(made), source.choice((64, 3000, 10**9))))] = (
                source.randrange(256)
            )
    return bytes(made)


def _insert(content: bytes, source: random.Random) -> bytes:
    place = source.randrange(len(content) + 1)
    return content[:place] + source.choice(BYTES) + content[place:]


def _double(content: bytes, source: random.Random) -> bytes:
    start, end = sorted(source.randrange(len(content) + 1) for _ in range(2))
    return content[:end] + content[start:end] + content[end:]


def _number(content: bytes, source: random.Random) -> bytes:
    """Another number in the place of one, and in a header of FITS on the same columns."""
    digits = [i for i in range(len(content[:6000])) if content[i : i + 1].isdigit()]
    if not digits:
        return content
    end = source.choice(digits) + 1
    start = end
    while start and content[start - 1 : start].isdigit():
        start -= 1
    new = source.choice(NUMBERS)
    room = len(content[:start]) - len(content[:start].rstrip(b" "))
    extra = min(max(len(new) - (end - start), 0), max(room - 1, 0))
    return content[: start - extra] + new.rjust(end - start) + content[end:]


WAYS = (_cut, _flip, _insert, _double, _number, _number)


def run(reader: Callable[[bytes], object], sound: bytes, count: int) -> Outcome:
    """Feed mangled inputs to a reader.

    Raises:
        AssertionError: It raised something that is no sentence, took too long or too much.
    """
    reader(sound)
    read = refused = 0
    longest = 0.0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number, content in enumerate(mangled(sound, count)):
        begun = time.perf_counter()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                reader(content)
            read, words = read + 1, ""
        except PcvaeError as error:
            words = str(error)
            refused += 1
        except Exception as error:
            msg = f"input {number}: {type(error).__name__}: {error}"
            raise AssertionError(msg) from error
        assert len(words) < WORDS, words
        assert len(words.splitlines()) <= 2, words
        longest = max(longest, time.perf_counter() - begun)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert longest < LONGEST
    assert grown < MOST
    return Outcome(read, refused, longest, grown)


def cutout(side: int, *, compressed: bool = False) -> bytes:
    """A FITS cutout of three bands with a WCS."""
    flux = np.random.default_rng(1).normal(1, 0.1, (3, side, side)).astype(np.float32)
    header = fits.Header({"BANDS": "grz", "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN"})
    header.update({"CRVAL1": 150.0, "CRVAL2": 2.0, "CRPIX1": 16.5, "CRPIX2": 16.5})
    header.update({"CDELT1": -0.262 / 3600, "CDELT2": 0.262 / 3600})
    first, file = fits.PrimaryHDU(flux, header), io.BytesIO()
    hdus = [fits.PrimaryHDU(), fits.CompImageHDU(flux, header)] if compressed else [first]
    fits.HDUList(hdus).writeto(file)
    return file.getvalue()


def picture(kind: str) -> bytes:
    """A picture of 32 by 32 pixels."""
    file = io.BytesIO()
    pixels = np.random.default_rng(1).integers(0, 255, (32, 32, 3), np.uint8)
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def targets(kind: str) -> bytes:
    """A list of targets."""
    table = Table({"id": ["a", "b", "c"], "ra": [1.0, 2.0, 3.0], "dec": [4.0, 5.0, 6.0]})
    file = io.BytesIO()
    if kind == "parquet":
        table.to_pandas().to_parquet(file)
    elif kind in ("csv", "ecsv"):
        text = io.StringIO()
        table.write(text, format=f"ascii.{kind}")
        return text.getvalue().encode()
    else:
        table.write(file, format={"vot": "votable"}.get(kind, kind))
    return file.getvalue()


def arrays() -> bytes:
    """The arrays of two galaxies."""
    file = io.BytesIO()
    flux = np.random.default_rng(1).normal(1, 0.1, (2, 3, 8, 8)).astype(np.float32)
    np.savez(file, images=flux, ids=np.array(["a", "b"]), bands=np.array(["g", "r", "z"]))
    return file.getvalue()


def read_upload(name: str) -> Callable[[bytes], object]:
    """Read an uploaded image as the dashboard does, in this process."""
    from dashboard.components.file_input import Upload
    from dashboard.galaxy.image_files import read_image_files
    from pcvae.store import read_store

    info = read_store(STORE).info
    return lambda content: read_image_files([Upload(name, content)], info)


def read_targets(name: str) -> Callable[[bytes], object]:
    """Read a list of targets as the dashboard does, in this process."""
    from dashboard.components.file_input import Upload
    from dashboard.sky import crossmatch

    return lambda content: crossmatch.read_targets(Upload(name, content))


def read_catalogue(name: str) -> Callable[[bytes], object]:
    """Read a catalogue as commands do that get one."""
    from data.published.column_mapping import read_candidates

    def read(content: bytes) -> object:
        with tempfile.TemporaryDirectory() as folder, redirect_stdout(None):
            path = Path(folder, name)
            path.write_bytes(content)
            return read_candidates(path, {}, None, None)

    return read


def open_address() -> Callable[[bytes], object]:
    """Open an address."""
    from dashboard.app import open_datastore
    from dashboard.shell.url_sync import UrlSync
    from dashboard.state import State

    with tempfile.TemporaryDirectory() as folder:  # its journal would lie beside the store
        datastore = open_datastore(shutil.copytree(STORE, Path(folder, "store")))

    def read(content: bytes) -> None:
        location = SimpleNamespace(search=content.decode("latin-1"))
        UrlSync(datastore=datastore, state=State(), location=location)

    return read


def ingest(name: str) -> Callable[[bytes], object]:
    """Read a galaxy's file as ``data.ingest`` does; one that is left out counts as refused."""
    from data.readers.fits_cutouts import FitsSource
    from data.readers.npz_arrays import ArraySource
    from data.readers.picture_files import PictureSource
    from data.readers.raw_image import LeftOutError

    catalog = pd.DataFrame({"id": ["a", "b"], "ra": np.nan, "dec": np.nan})
    kinds = {".npz": ArraySource, ".fits": FitsSource, ".png": PictureSource}

    def read(content: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, name)
            path.write_bytes(content)
            place = path if path.suffix == ".npz" else path.parent
            bands = ("g", "r", "z")
            try:
                kinds[path.suffix](place, catalog, bands, None).read(0)
            except LeftOutError as error:
                raise PcvaeError(str(error)) from error

    return read


def journal() -> bytes:
    """A journal with some labels, of which one is undone."""
    from pcvae.journal import Journal

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.sqlite")
        written = Journal(path, user="ada")
        for number in range(40):
            written.tag(f"g{number % 25}", "candidate", note="a ring, or two spirals")
        written.undo(7)
        written.views.save("rings", "?seeds=ring")
        written.close()
        return path.read_bytes()


def use_journal(content: bytes) -> None:
    """Read a journal and write a label, as a session does."""
    from pcvae.journal import Journal

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.sqlite")
        path.write_bytes(content)
        opened = Journal(path, user="ada")
        try:
            opened.table()
            opened.tag("g1", "3")
            opened.labels()
            opened.views.all()
        finally:
            opened.close()


def vectors(kind: str) -> bytes:
    """The vectors of three galaxies, as another model leaves them."""
    values = np.random.default_rng(1).normal(size=(3, 8)).astype(np.float32)
    ids, file = np.array(["a", "b", "c"]), io.BytesIO()
    if kind == "npy":
        np.save(file, values)
    elif kind == "npz":
        np.savez(file, ids=ids, embeddings=values)
    elif kind == "parquet":
        pd.DataFrame({"id": ids, "embeddings": list(values)}).to_parquet(file)
    else:
        import h5py

        with h5py.File(file, "w") as opened:
            opened["ids"], opened["embeddings"] = ids.astype("S"), values
    return file.getvalue()


def read_vectors(name: str) -> Callable[[bytes], object]:
    """Read a file of vectors as ``data.embeddings`` does."""
    from data.readers.vector_files import Named, read_vectors
    from data.readers.vector_source import check_unique, ordered

    def read(content: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, name)
            path.write_bytes(content)
            ids = Path(folder, "ids.txt")
            ids.write_text("a\nb\nc\n")
            named = Named(file=ids if path.suffix == ".npy" else None)
            source = read_vectors(path, named, Path(folder))
            check_unique(source)
            ordered(source, np.array(["a", "b"]), np.zeros((2, source.width), np.float32))

    return read


READERS: dict[str, Callable[[], tuple[Callable[[bytes], object], bytes]]] = {
    "fits": lambda: (read_upload("a.fits"), cutout(128)),
    "fits.fz": lambda: (read_upload("a.fits.fz"), cutout(128, compressed=True)),
    "png": lambda: (read_upload("a.png"), picture("PNG")),
    "jpeg": lambda: (read_upload("a.jpg"), picture("JPEG")),
    **{
        f"targets.{kind}": lambda kind=kind: (read_targets(f"a.{kind}"), targets(kind))
        for kind in ("csv", "ecsv", "vot", "fits", "parquet")
    },
    **{
        f"catalogue.{kind}": lambda kind=kind: (read_catalogue(f"a.{kind}"), targets(kind))
        for kind in ("csv", "ecsv", "vot", "fits", "parquet")
    },
    "address": lambda: (
        open_address(),
        b"?model=physics&x=redshift&y=log_mass&colour=density&zoom=1,2,3,4&galaxy=g0001&split=1",
    ),
    "ingest.fits": lambda: (ingest("a.fits"), cutout(32)),
    "ingest.fits.fz": lambda: (ingest("a.fits"), cutout(32, compressed=True)),
    "ingest.npz": lambda: (ingest("a.npz"), arrays()),
    "ingest.png": lambda: (ingest("a.png"), picture("PNG")),
    "journal": lambda: (use_journal, journal()),
    **{
        f"vectors.{kind}": lambda kind=kind: (read_vectors(f"a.{kind}"), vectors(kind))
        for kind in ("npy", "npz", "parquet", "h5")
    },
}


def main(count: int = COUNT) -> None:
    """Mangle inputs of each reader and print what they did."""
    from data.readers import limited_process

    limited_process.decode = limited_process.decode_here
    for name, make in READERS.items():
        found = run(*make(), count)
        sys.stdout.write(
            f"{name}: {found.read} read, {found.refused} refused, at most {found.seconds:.2f} s, "
            f"{found.megabytes:.0f} MB\n"
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
