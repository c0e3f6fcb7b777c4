"""Files dropped on the page, without a browser."""

import io

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from dashboard.components.file_input import Upload, UploadError
from dashboard.shell.file_drop import are_targets


def fits_file(*hdus):
    file = io.BytesIO()
    fits.HDUList(list(hdus)).writeto(file)
    return file.getvalue()


IMAGE = fits.PrimaryHDU(np.ones((40, 40)))
TABLE = fits_file(fits.PrimaryHDU(), fits.BinTableHDU(Table({"id": ["g0003"]})))


@pytest.mark.parametrize(
    ("name", "content", "targets"),
    [
        ("a.csv", b"id\n", True),
        ("a.VOT", b"<VOTABLE/>", True),
        ("a.fits", TABLE, True),
        ("a.fits", fits_file(IMAGE), False),
        ("a.fits", fits_file(IMAGE, fits.BinTableHDU(Table({"id": ["x"]}))), False),
        ("a.fits", fits_file(fits.PrimaryHDU(), fits.ImageHDU(np.ones((9, 9)))), False),
        ("a.fits.fz", fits_file(fits.PrimaryHDU(), fits.CompImageHDU(np.ones((9, 9)))), False),
        ("a.fits", fits_file(fits.PrimaryHDU(), fits.CompImageHDU(np.ones((9, 9)))), False),
        ("a.JPG", b"", False),
    ],
)
def test_tables_and_images_are_told_apart(name, content, targets):
    assert are_targets([Upload(name, content)]) == targets


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["notes.doc"], "expected a FITS cutout or a picture.*table of targets.*found notes.doc"),
        (["a.csv", "b.png"], "found both"),
        (["a.csv", "b.csv"], "expected one table of targets; found 2"),
    ],
)
def test_what_is_neither_is_said_in_words(many, names, words):
    files = [Upload(name, b"") for name in names]
    with pytest.raises(UploadError, match=words):
        are_targets(files)
    many.dropped.field.param.update(value=[b""] * len(names), filename=names)
    assert "Not taken" in many.add_galaxy.words.object
    assert many.add_galaxy.panel.visible


def test_a_table_goes_to_the_targets_and_an_image_to_the_upload(many, monkeypatch):
    read = []
    monkeypatch.setattr(many.add_galaxy.jobs, "read", lambda files, _: read.extend(files))
    many.state.page = "model"
    many.dropped.field.param.update(value=[TABLE], filename=["list.fits"])
    assert (many.state.page, many.state.tab) == ("explore", "targets")
    assert list(many.tabs["targets"].matched["row"]) == [3]
    many.dropped.field.param.update(value=[b"?"], filename=["mine.png"])
    assert read == [Upload("mine.png", b"?")]
