import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from data import ingest
from data.pipeline import batches
from data.published.column_mapping import as_ours
from data.published.column_names import recognise
from pcvae.cutouts import PART, read_sample
from pcvae.dust import dereddening
from pcvae.errors import CatalogError, SampleError, SettingsError, ShapeError
from pcvae.folders import partial_folder
from pcvae.labels import angle_difference
from tests.data.ingest_input import (
    ANGLE,
    BANDS,
    SIZE,
    arrays,
    catalogue,
    galaxy,
    run,
    write_cube,
)
from tests.real import needs_real_data


def test_arrays_keep_their_pixels_and_their_order(three, tmp_path):
    sample, left_out = run(three, tmp_path / "out", "--pixel-scale", 0.262)
    assert sample.info.bands == BANDS
    assert (sample.info.pixel_scale, sample.info.size, sample.info.unit) == (
        0.262,
        SIZE,
        "nanomaggy",
    )
    assert list(sample.catalog["id"]) == ["a", "b", "c"]
    np.testing.assert_array_equal(sample.flux[1], galaxy(1))
    assert left_out.empty


def test_shape_and_fluxes_are_measured_and_the_tables_own_kept(three, tmp_path):
    sample, _ = run(three, tmp_path / "out")
    off = angle_difference(sample.catalog["orientation"], ANGLE)
    assert np.abs(off).max() < 0.05
    ratio = sample.catalog["flux_z"] / sample.catalog["flux_g"]
    assert ratio.to_numpy() == pytest.approx(3, rel=0.03)
    assert sample.catalog["catalog_axis_ratio"].eq(0.9).all()
    assert sample.catalog["north_angle"].isna().all()


def test_columns_are_renamed_and_placeholders_are_unknown(three, tmp_path):
    sample, _ = run(three, tmp_path / "out", "--columns", "log_mass=mass", "--survey", "mine")
    assert sample.catalog["log_mass"].isna().tolist() == [False, True, False]
    assert sample.catalog["redshift"].isna().tolist() == [False, False, True]
    assert sample.catalog["survey"].eq("mine").all()
    assert sample.catalog["population"].eq("field").all()


def test_a_column_may_be_named_as_itself_or_swapped_or_twice(tmp_path):
    table = pd.DataFrame({"id": ["a"], "ra": [1.0], "dec": [2.0], "redshift": [0.3]})
    renamed = {"redshift": "redshift", "ra": "dec", "dec": "ra", "z_given": "redshift"}
    (row,) = as_ours(table, renamed, None, None, "here").to_dict("records")
    assert (row["ra"], row["dec"], row["redshift"], row["z_given"]) == (2, 1, 0.3, 0.3)


def test_usual_names_are_recognised_and_said(capsys):
    table = pd.DataFrame(
        {"ObjID": ["a", "b"], "RAJ2000": 1.0, "Z": [0.1, 0.2], "logMass": 10.0, "logSFR": -1.0}
    )
    ours = as_ours(table, {}, None, None, "mine.csv")
    assert list(ours["id"]) == ["a", "b"]
    assert list(ours["redshift"]) == [0.1, 0.2]
    assert (ours["log_mass"][0], ours["log_sfr"][0], ours["ra"][0]) == (10, -1, 1)
    shown = capsys.readouterr().out
    assert "mine.csv: takes ObjID for id, RAJ2000 for ra, Z for redshift" in shown


@pytest.mark.parametrize(
    "magnitudes", [{"g": [19.0], "z": [18.0]}, {"z": [18.0]}], ids=["beside g", "by its size"]
)
def test_a_magnitude_called_z_is_no_redshift(magnitudes):
    ours = as_ours(pd.DataFrame({"id": ["a"], **magnitudes}), {}, None, None, "mine.csv")
    assert ours["redshift"].isna().all()
    assert list(ours["z"]) == [18]


def test_what_the_user_says_of_columns_holds():
    table = pd.DataFrame({"id": ["a"], "z": [0.1], "zphot": [0.3], "lgm_tot_p50": [10.0]})
    renamed = {"redshift": "zphot", "log_mass": "lgm_tot_p50"}
    assert recognise(table, renamed) == {}
    assert as_ours(table, renamed, None, None, "mine")["redshift"][0] == 0.3


def test_a_label_that_cannot_be_is_unknown_counted_and_said(capsys):
    table = pd.DataFrame({"id": list("abc"), "log_sfr": [-41.7, 0.5, -99], "log_sfr_err": 0.1})
    ours = as_ours(table, {}, None, None, "mine.csv")
    assert ours["log_sfr"].isna().tolist() == [True, False, True]
    assert ours["log_sfr_err"].isna().tolist() == [True, False, True]
    assert "mine.csv: 1 values of log_sfr cannot be, such as -41.7" in capsys.readouterr().out


def test_bands_can_be_renamed(three, tmp_path):
    sample, _ = run(three, tmp_path / "out", "--rename-bands", "i=z")
    assert sample.info.bands == ("g", "r", "i")
    assert sample.catalog["flux_i"].notna().all()
    with pytest.raises(SettingsError, match="--rename-bands names 'K', the bands are g, r, z"):
        run(three, tmp_path / "other", "--rename-bands", "i=K")


def test_a_folder_of_pictures_beside_the_catalogue_is_taken(tmp_path):
    folder = catalogue(
        tmp_path / "in", id=["one", "two", "three", "none"], file=["", "deep/other.jpeg", "", ""]
    )
    (folder / "catalog.json").write_text("{}")
    (folder / "deep").mkdir()
    shades = np.linspace(0, 255, SIZE).astype("u1")
    ramp = np.stack([np.tile(shades, (SIZE, 1)), np.tile(shades[:, None], (1, SIZE))], axis=-1)
    red = np.dstack([ramp, np.full((SIZE, SIZE), 50, "u1")])
    Image.fromarray(red).save(folder / "one.png")
    Image.fromarray(red).save(folder / "deep" / "other.jpeg")
    (folder / "three.png").write_bytes(b"no picture")
    sample, left_out = run(folder, tmp_path / "out", "--pixel-scale", 0.25)
    assert sample.info.unit == "stretched"
    assert sample.info.bands == ("blue", "green", "red")
    assert list(sample.catalog["id"]) == ["one", "two"]
    np.testing.assert_allclose(sample.pixels(slice(1))[0, 2, 0], shades / 255, atol=1e-6)
    np.testing.assert_allclose(sample.pixels(slice(1))[0, 1, :, 0], shades[::-1] / 255, atol=1e-6)
    assert left_out["reason"].to_dict() == {"three": "file unreadable", "none": "no file"}


def test_ids_of_a_column_of_yours_keep_their_digits(tmp_path):
    folder = catalogue(tmp_path / "in", name=["007", "1237648720693755918"], kind=["a", "b"])
    arrays(folder, np.stack([galaxy(s) for s in range(2)]), bands=np.array(BANDS))
    sample, _ = run(folder, tmp_path / "out", "--columns", "id=name")
    assert list(sample.catalog["id"]) == ["007", "1237648720693755918"]
    catalogue(folder, name=["007", ""], kind=["a", "b"])
    with pytest.raises(CatalogError, match="row 2 has none"):
        run(folder, tmp_path / "other", "--columns", "id=name")


def test_populations_come_from_a_column(three, tmp_path):
    sample, _ = run(three, tmp_path / "out", "--population-column", "kind", "--rare", "odd")
    assert sample.info.rare == ("odd",)
    assert list(sample.catalog["population"]) == ["plain", "odd", "plain"]


def test_a_rare_population_that_does_not_occur_lists_those_that_do(three, tmp_path):
    with pytest.raises(SettingsError, match=r"'odd', the populations are 'field'.*--population"):
        run(three, tmp_path / "out", "--rare", "odd")


def test_a_second_call_refuses_and_overwrite_replaces(three, tmp_path):
    run(three, tmp_path / "out")
    with pytest.raises(SampleError, match="--overwrite"):
        run(three, tmp_path / "out")
    sample, _ = run(three, tmp_path / "out", "--overwrite", "--size", 16)
    assert sample.info.size == 16
    np.testing.assert_array_equal(sample.flux[0], galaxy(0)[:, 8:24, 8:24])


def kill(folder, out, monkeypatch):
    """Run until one part is written."""
    measured = batches.measured

    def killed(*args):
        yield next(measured(*args))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(batches, "measured", killed)
        with pytest.raises(KeyboardInterrupt):
            run(folder, out)


def test_a_killed_ingest_goes_on_and_ends_the_same(tmp_path, monkeypatch):
    n = PART + 3
    folder = catalogue(tmp_path / "in", id=[f"g{row}" for row in range(n)])
    arrays(folder, np.stack([galaxy(row, 16) for row in range(n)]), bands=np.array(BANDS))
    whole, _ = run(folder, tmp_path / "whole")
    kill(folder, tmp_path / "out", monkeypatch)
    assert partial_folder(tmp_path / "out").exists()
    sample, _ = run(folder, tmp_path / "out")
    pd.testing.assert_frame_equal(sample.catalog, whole.catalog)
    np.testing.assert_array_equal(sample.flux[:], whole.flux[:])


def brighter_arrays(folder):
    arrays(folder, np.stack([100 * galaxy()] * (PART + 1)), bands=np.array(BANDS))


def brighter_file(folder):
    (folder / "a0.fits").unlink()
    write_cube(folder / "a0.fits", 100 * galaxy())


def turned_table(folder):
    catalogue(folder, id=[f"a{row}" for row in range(PART, -1, -1)])


@pytest.mark.parametrize(
    ("fits_files", "change"),
    [(False, brighter_arrays), (False, turned_table), (True, brighter_file), (True, turned_table)],
)
def test_another_input_does_not_finish_what_one_began(tmp_path, monkeypatch, fits_files, change):
    folder = catalogue(tmp_path / "in", id=[f"a{row}" for row in range(PART + 1)])
    if fits_files:
        for row in range(PART + 1):
            write_cube(folder / f"a{row}.fits")
    else:
        arrays(folder, np.stack([galaxy()] * (PART + 1)), bands=np.array(BANDS))
    kill(folder, tmp_path / "out", monkeypatch)
    change(folder)
    with pytest.raises(SampleError, match="other input"):
        run(folder, tmp_path / "out")


def test_pictures_that_are_mended_are_read_again(tmp_path):
    folder = catalogue(tmp_path / "in", id=["a"])
    arrays(folder, np.full((1, 3, SIZE, SIZE), np.nan, np.float32), bands=np.array(BANDS))
    with pytest.raises(SampleError, match="no galaxy is left"):
        run(folder, tmp_path / "out")
    arrays(folder, galaxy()[None], bands=np.array(BANDS))
    sample, _ = run(folder, tmp_path / "out")
    np.testing.assert_array_equal(sample.flux[0], galaxy())


def test_workers_change_nothing(three, tmp_path):
    one, _ = run(three, tmp_path / "one")
    two, _ = run(three, tmp_path / "two", "--workers", 2)
    pd.testing.assert_frame_equal(one.catalog, two.catalog)


def test_colour_pictures_are_turned_over_and_stored_bluest_first(tmp_path):
    shown = np.round(255 * np.clip(galaxy() / 3, 0, 1)).astype(np.uint8)
    top_first_red_first = shown[::-1, ::-1].transpose(1, 2, 0)
    folder = arrays(catalogue(tmp_path / "in", id=["a"]), top_first_red_first[None])
    sample, _ = run(folder, tmp_path / "out", "--bands", "g,r,i")
    assert (sample.info.unit, sample.info.bands) == ("stretched", ("g", "r", "i"))
    np.testing.assert_allclose(sample.flux[0], shown / 255, atol=1e-6)
    assert abs(angle_difference(sample.catalog["orientation"][0], ANGLE)) < 0.05
    assert sample.catalog[["flux_g", "r50"]].isna().all(axis=None)


def test_colour_pictures_without_named_bands_are_called_by_colour(tmp_path):
    picture = np.random.default_rng(0).integers(0, 255, (1, SIZE, SIZE, 3)).astype(np.uint8)
    folder = arrays(catalogue(tmp_path / "in", id=["a"]), picture)
    assert run(folder, tmp_path / "out")[0].info.bands == ("blue", "green", "red")


def test_bad_pixels_leave_a_galaxy_out_and_the_rest_goes_on(tmp_path):
    images = np.stack([galaxy(s) for s in range(4)])
    images[0, 1, 5, 5] = np.nan
    images[1, 2] = 0
    images[3, 0, :10] = 0
    folder = arrays(catalogue(tmp_path / "in", id=list("abcd")), images)
    sample, left_out = run(folder, tmp_path / "out", "--bands", "g,r,z")
    assert list(sample.catalog["id"]) == ["c"]
    assert list(left_out["reason"]) == [
        "pixels not finite",
        "band without data",
        "band without data",
    ]
    assert left_out["detail"]["a"] == "1 in band r"


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        (np.zeros((1, 3, 8, 9), np.float32), (), r"\(N, C, S, S\).*found \(1, 3, 8, 9\)"),
        (np.zeros((1, 3, 8, 8), np.int64), (), "of int64"),
        (np.zeros((2, 3, 8, 8), np.float32), (), "2 and the catalogue 1 rows"),
    ],
)
def test_arrays_of_another_shape_say_what_was_expected(tmp_path, images, options, message):
    folder = arrays(catalogue(tmp_path / "in", id=["a"]), images)
    with pytest.raises(ShapeError, match=message):
        run(folder, tmp_path / "out", "--bands", "g,r,z", *options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "pass for example --bands g,r,z"),
        (("--bands", "g,r"), "expected 3 bands .* found g,r"),
        (("--bands", "g,r,z", "--size", "2"), "--size must be at least 8"),
        (("--bands", "g,r,z", "--pixel-scale", "0"), "--pixel-scale must be positive"),
    ],
)
def test_settings_that_cannot_work_name_the_option(tmp_path, options, message):
    folder = arrays(catalogue(tmp_path / "in", id=["a"]), galaxy()[None])
    with pytest.raises(SettingsError, match=message):
        run(folder, tmp_path / "out", *options)


def test_a_file_that_contradicts_the_command_or_the_catalogue_is_refused(three, tmp_path):
    with pytest.raises(SettingsError, match="names its bands g,r,z, --bands says g,r,i"):
        run(three, tmp_path / "out", "--bands", "g,r,i")
    arrays(three, np.stack([galaxy()] * 3), ids=np.array(["a", "c", "b"]), bands=np.array(BANDS))
    with pytest.raises(SettingsError, match=r"image 1 .* is of c, row 1 of the catalogue is b"):
        run(three, tmp_path / "out")


def test_a_broken_or_pickled_array_file_is_refused(three, tmp_path):
    np.savez(three / "images.npz", images=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ShapeError, match="cannot be read"):
        run(three, tmp_path / "out")
    (three / "images.npz").write_bytes(b"PK\x03\x04 broken")
    with pytest.raises(ShapeError, match="cannot be read"):
        run(three, tmp_path / "out")


def test_a_folder_without_pictures_or_catalogue_says_what_belongs_there(tmp_path):
    (tmp_path / "in").mkdir()
    with pytest.raises(CatalogError, match=r"one catalog\.csv .* found none"):
        run(tmp_path / "in", tmp_path / "out")
    catalogue(tmp_path / "in", nickname=["a"])
    with pytest.raises(CatalogError, match="--columns id=NAME"):
        run(tmp_path / "in", tmp_path / "out")
    with pytest.raises(SampleError, match=r"images\.npz, FITS files, or JPEG or PNG"):
        run(tmp_path / "in", tmp_path / "out", "--columns", "id=nickname")
    with pytest.raises(CatalogError, match="expected a column 'missing'"):
        run(tmp_path / "in", tmp_path / "out", "--columns", "ra=missing")


def test_the_summary_names_the_counts_and_the_next_command(three, tmp_path, capsys):
    run(three, tmp_path / "out")
    shown = capsys.readouterr().out
    assert "3 galaxies" in shown
    assert f"python -m train.train {tmp_path / 'out'}" in shown


@needs_real_data
@pytest.mark.parametrize(
    ("name", "taken", "unit"),
    [("sdss", 500, "stretched"), ("kids_viking", 297, "nanomaggy"), ("decals", 18, "nanomaggy")],
)
def test_real_arrays_make_a_sample(tmp_path, name, taken, unit):
    sample, left_out = run(Path(os.environ["PCVAE_REAL_DATA"], name), tmp_path / "out")
    assert len(sample) == taken
    assert sample.info.unit == unit
    assert sample.catalog["orientation"].notna().mean() > 0.98
    assert list(left_out["reason"]) == (["band without data"] if name == "decals" else [])


def test_known_dust_is_corrected_and_recorded(three, tmp_path):
    table = pd.read_csv(three / "catalog.csv")
    table.assign(E_B_V=[0.1, 0.0, np.nan]).to_csv(three / "catalog.csv", index=False)
    plain, mine = (tmp_path / name for name in ("plain", "mine"))
    ingest.main([str(three), str(plain), "--dust", "leave"])
    ingest.main([str(three), str(mine)])
    before, after = read_sample(plain), read_sample(mine)
    ratio = after.pixels(slice(3)).mean(axis=(2, 3)) / before.pixels(slice(3)).mean(axis=(2, 3))
    wanted = dereddening([0.1, 0.0, 0.0], [3.214, 2.165, 1.211])
    np.testing.assert_allclose(ratio, wanted, rtol=1e-4)
    assert (before.info.dust, after.info.dust) == ("left", "corrected")
    assert after.info.extinction == {"g": 3.214, "r": 2.165, "z": 1.211}
    fluxes = after.catalog["flux_g"] / before.catalog["flux_g"]
    np.testing.assert_allclose(fluxes, wanted[:, 0], rtol=0.02)
