"""Array files and tables that are mangled are answered in words, before memory is asked for."""

import io
import struct
import zipfile

import numpy as np
import pandas as pd
import pytest
from astropy.table import Table

from data.readers.npz_arrays import ArraySource
from pcvae.catalog import complete, read_table
from pcvae.errors import CatalogError, PcvaeError

GOOD = np.zeros((3, 3, 8, 8), np.float32)
BANDS = ("g", "r", "z")


def opened(path, bands=BANDS):
    return ArraySource(path, pd.DataFrame({"id": ["a", "b", "c"]}), bands, None)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"bands": np.array("grz")}, "--bands says g,r,z"),
        ({"ids": np.array(["a", "b"])}, r"an id an image.*found ids of shape \(2,\)"),
        ({"ids": np.array(list("abcd"))}, r"found ids of shape \(4,\)"),
        ({"ids": np.array("a")}, r"found ids of shape \(\)"),
        ({"ids": np.array([["a", "b", "c"]])}, r"found ids of shape \(1, 3\)"),
        ({"images": np.zeros((3, 3, 0, 0), np.float32)}, r"found \(3, 3, 0, 0\)"),
        ({"images": np.zeros((3, 0, 0, 3), np.uint8)}, r"found \(3, 0, 0, 3\)"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path, arrays, words):
    np.savez(tmp_path / "images.npz", **({"images": GOOD} | arrays))
    with pytest.raises(PcvaeError, match=words):
        opened(tmp_path / "images.npz")


@pytest.mark.parametrize(
    "shape",
    [(3, 3, 10**6, 10**6), (10**18, 3, 8, 8), (3, 3, 10**400, 8), (-1, 3, 8, 8), (3, 3, 2**62, 8)],
    ids=["33 TB", "beyond 64 bits", "400 digits", "negative", "empty and huge"],
)
def test_shapes_that_no_memory_has_are_refused(tmp_path, shape):
    facts = str({"descr": "<f4", "fortran_order": False, "shape": shape}).encode()
    facts += b" " * (-(len(facts) + 11) % 64) + b"\n"
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("images.npy", b"\x93NUMPY\x01\0" + struct.pack("<H", len(facts)) + facts)
    (tmp_path / "images.npz").write_bytes(content.getvalue())
    with pytest.raises(PcvaeError, match=r"expected arrays of numbers in .* cannot be read"):
        opened(tmp_path / "images.npz")


@pytest.mark.parametrize(
    ("card", "value"), [("NAXIS2", 6 * 10**9), ("NAXIS1", 10**9), ("PCOUNT", 10**12)]
)
def test_a_table_that_states_more_than_its_file_has_is_refused_unread(tmp_path, card, value):
    path = tmp_path / "table.fits"
    Table({"id": ["a", "b"], "redshift": [1.0, 2.0]}).write(path)
    content = path.read_bytes()
    place = content.index(card.encode().ljust(8) + b"=", 2880)
    line = f"{card:<8}= {value:>20}".ljust(80).encode()
    path.write_bytes(content[:place] + line + content[place + 80 :])
    with pytest.raises(CatalogError, match=r"states data up to byte [\d,]+, the file has 8,640"):
        read_table(path)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"redshift": "9" * 400}, "expected numbers in column 'redshift'"),
        ({"orientation_flag": "9" * 400}, "expected numbers in column 'orientation_flag'"),
        ({"orientation_flag": "inf"}, "expected flags of 0 to"),
        ({"orientation_flag": "1e300"}, "expected flags of 0 to"),
    ],
)
def test_numbers_that_no_column_holds_are_refused(tmp_path, row, words):
    pd.DataFrame([{"id": "a"} | row]).to_csv(tmp_path / "table.csv", index=False)
    with pytest.raises(CatalogError, match=words):
        complete(read_table(tmp_path / "table.csv"), BANDS)


def test_ids_of_bytes_are_text_or_refused(tmp_path):
    path = tmp_path / "table.parquet"
    pd.DataFrame({"id": [b"a", b"b"]}).to_parquet(path)
    assert list(complete(read_table(path), BANDS)["id"]) == ["a", "b"]
    pd.DataFrame({"id": [b"a", b"\xff"]}).to_parquet(path)
    with pytest.raises(CatalogError, match="cannot be read as a parquet table"):
        complete(read_table(path), BANDS)
