"""Files that are dropped on the page: put together, told apart, and refused in words."""

import io

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from dashboard.components.drop_zone import DropZone
from dashboard.components.file_input import Upload
from dashboard.shell.dropped_files import drop_zone, is_table, take_files


def written(hdus):
    file = io.BytesIO()
    fits.HDUList(hdus).writeto(file)
    return file.getvalue()


def test_an_image_and_a_table_are_told_apart_by_what_is_in_the_file():
    flux = np.random.default_rng(0).normal(size=(3, 32, 32)).astype(np.float32)
    table = fits.table_to_hdu(Table({"ra": [1.0], "dec": [2.0]}))
    image = written([fits.PrimaryHDU(flux)])
    assert not is_table(Upload("a.fits", image))
    assert not is_table(Upload("a.fits", written([fits.PrimaryHDU(), fits.CompImageHDU(flux)])))
    assert is_table(Upload("a.FITS", written([fits.PrimaryHDU(), table])))
    assert is_table(Upload("a.vot", b""))
    assert not is_table(Upload("a.jpeg", b""))
    assert not is_table(Upload("a.docx", b""))


def test_parts_become_files_again():
    taken, refused = [], []
    zone = DropZone(taken.extend, refused.append, most=10)
    for name, part, first in (("a", b"123", True), ("a", b"45", False), ("a", b"6", True)):
        zone._handle_msg({"name": name, "part": part, "first": first})
    zone._handle_msg({"end": True})
    assert taken == [Upload("a", b"12345"), Upload("a", b"6")]
    zone._handle_msg({"end": True})
    assert len(taken) == 2
    for _ in range(4):
        zone._handle_msg({"name": "b", "part": b"1234", "first": True})
    assert sum(len(part) for _, parts in zone._parts for part in parts) <= 10
    zone._handle_msg({"end": True})
    zone._handle_msg({"size": 99 << 20})
    assert len(refused) == 2
    assert "found 99 MB" in refused[1]
    assert len(taken) == 2


@pytest.mark.parametrize("message", [{}, {"name": 3, "part": b""}, {"name": "a", "part": "text"}])
def test_what_is_no_part_is_ignored(message):
    taken, refused = [], []
    zone = DropZone(taken.extend, refused.append)
    zone._handle_msg(message)
    zone._handle_msg({"end": True})
    assert taken == refused == []


def test_a_table_goes_to_the_targets_and_anything_else_to_the_upload(many):
    targets = many.tabs["targets"]
    zone = drop_zone(
        lambda files: take_files(files, many.state, many.add_galaxy, targets), many.add_galaxy
    )
    csv = Upload("mine.csv", f"id\n{many.datastore.ids[4]}\n".encode())
    zone._taken([csv])
    assert many.state.tab == "targets"
    assert "1 of 1" in targets.words.object
    zone._taken([Upload("notes.docx", b"words")])
    assert "expected .fits" in many.add_galaxy.words.object
    assert "found notes.docx" in many.add_galaxy.words.object
    assert many.add_galaxy.panel.visible
    zone._taken([csv])
    assert not many.add_galaxy.panel.visible
    zone._taken([csv, csv])
    assert "found 2 files, of which 2 are tables" in many.add_galaxy.words.object
    targets.upload(Upload("picture.png", b"x"))
    assert "expected a table ending in .csv" in targets.words.object
    assert "The list before it is still shown" in targets.words.object
