"""Small files that declare, or unpack to, far more than can be read."""

import gzip
import io
import os
import time
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits

from data.readers import limited_process
from data.readers.fits_cutouts import FitsSource
from data.readers.fits_file import inspect_headers, read_planes
from data.readers.limited_process import decode, decode_here
from data.readers.npz_arrays import ArraySource
from data.readers.raw_image import LeftOutError
from pcvae.errors import ShapeError
from tests.mangle import cutout, picture, targets

GRZ = ("g", "r", "z")
FIELDS = 4  # columns of a table of tiles
PATCHES = {
    "an axis of a million": ("NAXIS1", 32, 10**6, False),
    "an axis below zero": ("NAXIS1", 32, -5, False),
    "a tiled axis of a million": ("ZNAXIS1", 32, 10**6, True),
    "tiles of nothing": ("ZTILE1", 32, 0, True),
    "columns without end": ("TFIELDS", FIELDS, 10**12, True),
    "many planes": ("NAXIS3", 3, 10**5, False),
    "numbers of less than no bytes": ("ZVAL2", 4, -5, True),
}


def card(name, value):
    return f"{name:8}= {value:>20}".encode()


def patched(name, old, new, compressed):
    sound = cutout(32, compressed=compressed)
    assert card(name, old) in sound
    return sound.replace(card(name, old), card(name, new))


@pytest.mark.parametrize("kind", PATCHES)
def test_a_galaxy_whose_header_is_senseless_is_left_out_and_the_rest_goes_on(kind, tmp_path):
    (tmp_path / "a.fits").write_bytes(patched(*PATCHES[kind]))
    (tmp_path / "b.fits").write_bytes(cutout(32))
    assert inspect_headers(tmp_path / "a.fits") is None
    catalog = pd.DataFrame({"id": ["a", "b"], "ra": np.nan, "dec": np.nan})
    source = FitsSource(tmp_path, catalog, GRZ, None)
    with pytest.raises(LeftOutError, match=r"file unreadable: a\.fits"):
        source.read(0)
    assert source.read(1).flux.shape == (3, 32, 32)


def zeros(height, width):
    """A tile-compressed FITS file of zeros, with one row of tiles said to be as many as wished."""
    file = io.BytesIO()
    data = np.zeros((4, width), np.int16)
    fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(data)]).writeto(file)
    return file.getvalue().replace(card("ZNAXIS2", 4), card("ZNAXIS2", height))


@pytest.mark.parametrize("kind", ["tiles", "gzip", "bzip2"])
def test_a_small_file_never_takes_much_memory(kind, tmp_path, monkeypatch):
    import bz2

    monkeypatch.setattr("data.readers.fits_limits.MAX_UNPACKED", 1 << 20)
    content = {
        "tiles": lambda: zeros(400_000, 2000),
        "gzip": lambda: gzip.compress(cutout(32) + bytes(4 << 20)),
        "bzip2": lambda: bz2.compress(cutout(32)),
    }[kind]()
    path = tmp_path / "a.fits"
    path.write_bytes(content)
    tracemalloc.start()
    with pytest.raises(LeftOutError, match="expected"):
        read_planes(path, GRZ)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 10 << 20


@pytest.mark.parametrize("kind", ["lie", "zeros"])
def test_arrays_of_another_size_than_they_declare_are_refused(kind, tmp_path, monkeypatch):
    monkeypatch.setattr("data.readers.npz_arrays.SMALL", 1 << 16)
    shape = (10**9, 3, 64, 64) if kind == "lie" else (100, 3, 64, 64)
    header = io.BytesIO()
    facts = {"descr": "<f4", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, facts)
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        size = 100 if kind == "lie" else 4 * 100 * 3 * 64 * 64
        archive.writestr("images.npy", header.getvalue() + bytes(size))
    with pytest.raises(ShapeError, match="bytes"):
        ArraySource(tmp_path / "a.npz", pd.DataFrame({"id": range(100)}), GRZ, 0.3)


def test_a_process_with_limits_gives_what_this_one_does(tmp_path):
    path = tmp_path / "a.fits"
    path.write_bytes(cutout(32))
    apart, here = decode("images", [path], GRZ), decode_here("images", [path], GRZ)
    assert apart.keys() == here.keys() >= {"plane_g", "sky"}
    for name in here:
        np.testing.assert_array_equal(apart[name], here[name])
    path.write_bytes(b"no FITS")
    with pytest.raises(LeftOutError, match=r"^file unreadable: a\.fits: "):
        decode("images", [path], GRZ)


def hcompressed(tile=64):
    """A cutout by HCOMPRESS, whose header tells the width of its tiles."""
    flux = np.random.default_rng(0).normal(0, 1, (3, 64, 64)).astype("f4")
    images = fits.CompImageHDU(flux, compression_type="HCOMPRESS_1", tile_shape=(1, 64, 64))
    images.header["BANDS"] = "grz"
    written = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), images]).writeto(written)
    assert card("ZTILE1", 64) in written.getvalue()
    return written.getvalue().replace(card("ZTILE1", 64), card("ZTILE1", tile))


def test_tiles_whose_unpacking_can_crash_are_read_in_a_process_of_their_own_alone(tmp_path):
    """Another width than the tiles have writes beyond the memory that was taken for them."""
    sound, damaged = tmp_path / "a.fits", tmp_path / "b.fits"
    sound.write_bytes(hcompressed())
    damaged.write_bytes(hcompressed(16))
    with pytest.raises(LeftOutError, match=r"found HCOMPRESS_1: pack it again with fpack -r"):
        read_planes(sound, GRZ)
    assert decode("images", [sound], GRZ)["plane_g"].shape == (64, 64)
    with pytest.raises(LeftOutError, match="has crashed: the file is damaged"):
        decode("images", [damaged], GRZ)


@pytest.mark.skipif(os.name != "posix", reason="only POSIX systems limit a process's memory")
def test_what_needs_too_much_ends_with_its_process(tmp_path, monkeypatch):
    (tmp_path / "greedy.py").write_text(
        "from data.readers.untrusted_files import DECODERS\n"
        "import numpy as np\n"
        "def greedy(paths, words):\n    return {'size': np.array(len(bytearray(int(words[0]))))}\n"
        "DECODERS['greedy'] = greedy\n"
    )
    (tmp_path / "sitecustomize.py").write_text("import greedy\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert decode("greedy", [], [str(1 << 20)])["size"] == 1 << 20
    with pytest.raises(LeftOutError, match="more than 1024 MB"):
        decode("greedy", [], [str(2 << 30)])


@pytest.mark.parametrize("kind", ["wide", "packed"])
def test_a_table_that_is_far_too_large_is_refused_at_once(kind, tmp_path):
    head = b",".join(b"c%d" % i for i in range(20_000))
    content = {"wide": (head + b"\n") * 50, "packed": gzip.compress(bytes(3 << 20))}[kind]
    path = tmp_path / "targets.csv"
    path.write_bytes(content)
    begun = time.monotonic()
    with pytest.raises(LeftOutError) as raised:
        decode_here("table", [path], ["id"])
    assert time.monotonic() - begun < 5
    assert len(str(raised.value)) < 400


def test_a_picture_of_many_pixels_is_refused_before_it_is_unpacked(tmp_path):
    path = Path(tmp_path, "a.png")
    sound = picture("PNG")
    path.write_bytes(sound.replace(b"\0\0\0\x20\0\0\0\x20", b"\0\1\0\0\0\1\0\0", 1))
    with pytest.raises(LeftOutError, match=r"cannot be read|too large"):
        decode_here("picture", [path], ())


def test_a_wide_parquet_file_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("data.readers.untrusted_files.MAX_COLUMNS", 2)
    path = tmp_path / "targets.parquet"
    path.write_bytes(targets("parquet"))
    with pytest.raises(LeftOutError, match="3 rows of 3 columns"):
        limited_process.decode_here("table", [path], ["id"])
