"""FITS files as input of ``data.ingest``: cubes, a file a band, coordinates, broken files."""

import os
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from pcvae.errors import SettingsError
from pcvae.labels import angle_difference
from tests.data.ingest_input import (
    BANDS,
    SIZE,
    catalogue,
    galaxy,
    header,
    run,
    write_cube,
)
from tests.real import needs_real_data


def test_fits_cubes_are_found_by_file_by_id_and_by_position(tmp_path):
    folder = catalogue(
        tmp_path / "in",
        id=["one", "two", "three", "four", "five"],
        file=["first.fits", None, None, None, "nowhere.fits"],
        ra=[150.0, 151.0, 152.0, np.nan, 150.0],
        dec=[2.0, 2.0, 2.0, np.nan, 2.0],
    )
    for number, name in enumerate(["first", "two", "third"]):
        write_cube(folder / f"{name}.fits", galaxy(number), ra=150.0 + number)
    sample, left_out = run(folder, tmp_path / "out", "--size", SIZE)
    assert list(sample.catalog["id"]) == ["one", "two", "three"]
    for row in range(3):
        np.testing.assert_array_equal(sample.flux[row], galaxy(row))
    assert sample.info.pixel_scale == pytest.approx(0.262)
    assert left_out["reason"].to_dict() == {"four": "no file", "five": "no file"}


@pytest.mark.parametrize("layout", ["{id}_{band}.fits", "{id}.{band}.fits.gz", "{band}/{id}.fits"])
def test_a_file_a_band_is_put_together(tmp_path, layout):
    folder = catalogue(tmp_path / "in", id=["a1", "a2"], ra=[150.0, 151.0], dec=[2.0, 2.0])
    for row, name in enumerate(["a1", "a2"]):
        for band, plane in zip(BANDS, galaxy(row), strict=True):
            path = folder / layout.format(id=name, band=band)
            path.parent.mkdir(exist_ok=True)
            if (row, band) != (1, "z"):
                fits.writeto(path, plane, header(ra=150.0 + row))
    sample, left_out = run(folder, tmp_path / "out", "--bands", "g,r,z", "--size", SIZE)
    np.testing.assert_array_equal(sample.flux[0], galaxy(0))
    assert left_out.loc["a2"].tolist() == ["missing band", "no z, found g, r"]


def test_bands_in_any_order_and_number_are_taken_by_name(tmp_path):
    folder = catalogue(tmp_path / "in", id=["a"])
    flux = np.concatenate([galaxy()[::-1], galaxy()[:1]])
    write_cube(folder / "a.fits", flux, BANDS="zrgi")
    sample, _ = run(folder, tmp_path / "out", "--bands", "g,r,z", "--size", SIZE)
    np.testing.assert_array_equal(sample.flux[0], galaxy())


def test_images_beside_their_inverse_variance_are_told_apart(tmp_path):
    folder = catalogue(tmp_path / "in", id=["a"])
    planes = [fits.PrimaryHDU()]
    for band, plane in zip(BANDS, galaxy(), strict=True):
        for kind, values in (("image", plane), ("invvar", np.full_like(plane, 9.0))):
            planes.append(fits.ImageHDU(values, header(BAND=band, IMAGETYP=kind)))
    fits.HDUList(planes).writeto(folder / "a.fits")
    sample, _ = run(folder, tmp_path / "out", "--size", SIZE)
    np.testing.assert_array_equal(sample.flux[0], galaxy())


def test_files_without_named_bands_ask_for_the_option(tmp_path):
    folder = catalogue(tmp_path / "in", id=["a"])
    fits.writeto(folder / "a.fits", galaxy())
    with pytest.raises(SettingsError, match="pass --bands g,r,z"):
        run(folder, tmp_path / "out")
    sample, _ = run(folder, tmp_path / "out", "--bands", "g,r,z", "--size", SIZE)
    np.testing.assert_array_equal(sample.flux[0], galaxy())
    assert sample.info.pixel_scale is None


def test_a_larger_picture_is_cut_at_the_position_of_the_catalogue(tmp_path):
    step = 0.262 / 3600
    folder = catalogue(tmp_path / "in", id=["a"], ra=[150.0], dec=[2.0 + 6 * step])
    write_cube(folder / "a.fits", galaxy(0, 64), size=64)
    sample, _ = run(folder, tmp_path / "out", "--size", SIZE)
    np.testing.assert_array_equal(sample.flux[0], galaxy(0, 64)[:, 22:54, 16:48])


def test_north_comes_from_the_coordinates(tmp_path):
    folder = catalogue(tmp_path / "in", id=["up", "turned"])
    write_cube(folder / "up.fits")
    write_cube(folder / "turned.fits", rotation=0.4)
    sample, _ = run(folder, tmp_path / "out", "--size", SIZE)
    north = sample.catalog["north_angle"].to_numpy()
    assert north[0] == pytest.approx(np.pi / 2, abs=1e-6)
    assert abs(north[1] - np.pi / 2) == pytest.approx(0.4, abs=1e-6)


def test_truncated_and_senseless_files_are_left_out(tmp_path):
    folder = catalogue(tmp_path / "in", id=["good", "cut", "text", "empty"])
    for name in ("good", "cut"):
        write_cube(folder / f"{name}.fits")
    whole = (folder / "cut.fits").read_bytes()
    (folder / "cut.fits").write_bytes(whole[: len(whole) // 2])
    (folder / "text.fits").write_text("not found")
    (folder / "empty.fits").write_bytes(b"")
    sample, left_out = run(folder, tmp_path / "out", "--size", SIZE)
    assert list(sample.catalog["id"]) == ["good"]
    assert left_out["reason"].eq("file unreadable").all()


def test_cutouts_of_the_legacy_surveys_keep_their_flux_on_other_pixels(tmp_path):
    # The service hands out what a pixel of 0.262 arcsec would hold, whatever the size asked for.
    folder = catalogue(tmp_path / "in", id=["own", "fine"])
    served = {"SURVEY": "DECaLS", "VERSION": "DR9"}
    write_cube(folder / "own.fits", galaxy(0, 40), **served)
    write_cube(folder / "fine.fits", galaxy(0, 80, 0.5) / 0.5**2, scale=0.131, **served)
    sample, _ = run(folder, tmp_path / "out", "--size", SIZE, "--pixel-scale", 0.262)
    own, fine = sample.catalog[["flux_g", "flux_r", "flux_z"]].to_numpy()
    np.testing.assert_allclose(fine, own, rtol=0.02)


def test_a_fits_catalogue_is_not_taken_for_a_cutout(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    Table({"id": ["a"], "ra": [150.0], "dec": [2.0]}).write(folder / "catalog.fits")
    write_cube(folder / "a.fits")
    sample, left_out = run(folder, tmp_path / "out", "--size", SIZE)
    assert len(sample) == 1
    assert left_out.empty


@needs_real_data
def test_real_fits_cutouts_make_a_sample(tmp_path):
    files = sorted(Path(os.environ["PCVAE_REAL_DATA"], "fits").glob("*.fits"))
    folder = catalogue(tmp_path / "in", id=[path.stem for path in files])
    for path in files:
        (folder / path.name).symlink_to(path.resolve())
    sample, left_out = run(folder, tmp_path / "out")
    catalog = sample.catalog.set_index("id")
    assert left_out["reason"].to_dict() == {
        "decals_missing_bands": "band without data",
        "decals_truncated": "file unreadable",
    }
    native, fine = catalog.loc[["decals_dr3_225px", "decals_dr3_424px"]].to_dict("records")
    assert fine["resampled_from"] == pytest.approx(0.1)
    assert fine["flux_r"] == pytest.approx(native["flux_r"], rel=0.02)
    assert abs(angle_difference(fine["orientation"], native["orientation"])) < 0.02
    assert catalog["north_angle"].to_numpy() == pytest.approx(np.pi / 2, abs=1e-3)
